/** Files of a folder that have stopped growing, each told once for each content that it has. Node only. */
import { readdir, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';

/** A file as it was when it had settled. */
export interface SettledFile {
  /** From the folder that is watched, parts joined by `/`. */
  readonly path: string;
  /** Size and time of the last change: another stamp is another content. */
  readonly stamp: string;
}

/** How a folder is looked at. */
export interface SettledOptions {
  /** Milliseconds without a change after which a file is whole. */
  readonly settle: number;
  isWanted(name: string): boolean;
  /** True for a content that was handled before. */
  isKnown(file: SettledFile): boolean;
}

/** Looks at a folder again and again. Whoever writes files there may take as long as they like. */
export class SettledFiles {
  private before = new Map<string, string>();

  constructor(
    private readonly folder: string,
    private readonly options: SettledOptions,
  ) {}

  /**
   * Files that are new and have not changed since the look before and for the time to settle, the oldest first. Undefined where
   * the folder is not there.
   */
  async look(): Promise<SettledFile[] | undefined> {
    const { settle, isWanted, isKnown } = this.options;
    const names = await readdir(this.folder, { recursive: true, withFileTypes: true }).catch(() => undefined);
    if (!names) return undefined;
    const now = Date.now();
    const seen = new Map<string, string>();
    const found: (SettledFile & { readonly changed: number })[] = [];
    for (const entry of names) {
      if (!entry.isFile() || !isWanted(entry.name)) continue;
      const place = join(entry.parentPath ?? entry.path, entry.name);
      const path = relative(this.folder, place).split(sep).join('/');
      const facts = await stat(place).catch(() => undefined); // it may be gone already
      if (!facts) continue;
      const file = { path, stamp: `${facts.size}:${facts.mtimeMs}`, changed: facts.mtimeMs };
      seen.set(path, file.stamp);
      const isStill = this.before.get(path) === file.stamp && now - facts.mtimeMs >= settle;
      if (isStill && facts.size > 0 && !isKnown(file)) found.push(file);
    }
    this.before = seen;
    const order = (a: { path: string }, b: { path: string }) => (a.path < b.path ? -1 : 1);
    return found.sort((a, b) => a.changed - b.changed || order(a, b)).map(({ path, stamp }) => ({ path, stamp }));
  }
}
