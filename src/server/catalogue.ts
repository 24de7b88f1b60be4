/**
 * The detectors that a server has, by name and version. Each is opened when it is first asked for; when the memory for all of them is
 * used up, the one that nobody has asked for the longest is closed. A detector whose files change is opened again beside the old one
 * and takes its place once it is open; files that are no detector change nothing.
 */
import { readdir, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { ConfigError, DataError, OddityError, RuntimeUnavailable } from '../core/errors.ts';
import type { Listener } from '../core/events.ts';
import { say } from '../core/text.ts';
import type { ArtifactInfo } from '../engine/scoring/artifact.ts';
import type { Detector } from '../engine/scoring/detector.ts';
import { artifactFiles, readArtifact, readArtifactInfo } from '../runs/artifact.ts';
import { type DetectorOptions, loadDetector } from '../runs/detector.ts';
import { type Batcher, openBatcher } from './batcher.ts';
import { Problem, unknownDetector } from './problem.ts';

/** Milliseconds between two looks at the files of detectors that are open. */
const LOOK = 1000;
/** What an open detector takes besides its weights, in bytes: a worker with its runtime. */
const WORKER = 40 * 2 ** 20;

/** How a catalogue opens detectors. */
export interface CatalogueOptions extends Pick<DetectorOptions, 'device' | 'threads' | 'maxPixels'> {
  /** Bytes that open detectors may take together. */
  readonly memory: number;
  /** Items that may wait before one detector. */
  readonly mostWaiting: number;
  readonly onBatch?: (name: string, items: number) => void;
  readonly onEvent?: Listener;
}

/** A detector as a request uses it. */
export interface Opened {
  readonly name: string;
  readonly version: string;
  readonly detector: Detector;
  readonly batcher: Batcher;
}

/** What is said of a detector without opening it. */
export interface Entry {
  readonly name: string;
  readonly version: string;
  readonly isOpen: boolean;
  /** Why its files could not be opened when that was last tried; what was open before goes on. */
  readonly fault?: string;
}

interface Slot {
  readonly name: string;
  readonly version: string;
  readonly path: string;
  opened?: Opened & { readonly bytes: number };
  opening?: Promise<Opened>;
  /** Files as they were when they were last opened, or could not be. */
  stamp?: string;
  fault?: string;
  isUnloaded: boolean;
  users: number;
  lastUse: number;
}

/**
 * Finds detectors at paths: a run, an artefact, or a folder of them, whose folders may hold versions named by numbers;
 * `name=path` gives a name. Throws ConfigError for a folder without any, and for one name twice; DataError for a path that holds none.
 */
export async function openCatalogue(paths: readonly string[], options: CatalogueOptions): Promise<Catalogue> {
  return new Catalogue(await findSlots(paths), options);
}

/** The detectors of a server; `openCatalogue` makes it. */
export class Catalogue {
  private isClosed = false;
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly slots: Slot[],
    private readonly options: CatalogueOptions,
  ) {
    this.timer = setInterval(() => {
      for (const slot of slots) void this.look(slot);
    }, LOOK);
    this.timer.unref();
  }

  entries(): Entry[] {
    return this.slots.map(({ name, version, opened, fault }) => ({
      ...{ name, version, isOpen: !!opened },
      ...(fault !== undefined && { fault }),
    }));
  }

  /** Takes in a detector under a name. Throws Problem 409 for a name of another one, and as `openCatalogue`. */
  async add(name: string, path: string): Promise<void> {
    if (this.isOf(name, path)) return;
    const [slot] = await findSlots([`${name}=${path}`]);
    // Another request may have been quicker.
    if (!this.isOf(name, path)) this.slots.push(slot);
  }

  /** Takes a detector out, once what waits for it is answered; nothing where it is not there. */
  async remove(name: string, path: string): Promise<void> {
    const at = this.slots.findIndex((slot) => slot.name === name && slot.path === path);
    if (at < 0) return;
    const [{ opened }] = this.slots.splice(at, 1);
    if (opened) await retire(opened);
  }

  private isOf(name: string, path: string): boolean {
    const known = this.slots.find((slot) => slot.name === name);
    if (!known || known.path === path) return known !== undefined;
    throw new Problem(
      409,
      'name-taken',
      `The detector of ${known.path} answers by the name ${name} already. Stop serving it first.`,
    );
  }

  /** What `model.json` says, from disk where the detector is not open. Throws Problem 404, and 503 for files that cannot be read. */
  async info(name: string, version?: string): Promise<ArtifactInfo> {
    const slot = this.slotOf(name, version);
    try {
      const info = slot.opened?.detector.info ?? (await readArtifactInfo(slot.path));
      return info ?? (await readArtifact(slot.path)).info; // says what is there instead
    } catch (error) {
      throw unreadable(error);
    }
  }

  /** The detector that a request means, the latest version unless it names one, and whether it can be asked. Throws Problem 404. */
  find(name: string, version?: string): Pick<Slot, 'name' | 'version'> & { readonly isReady: boolean } {
    const slot = this.slotOf(name, version);
    // One that is open goes on where its files were replaced by others that cannot be read.
    return { ...slot, isReady: !slot.isUnloaded && (slot.opened !== undefined || slot.fault === undefined) };
  }

  versionsOf(name: string): string[] {
    return this.slots.filter((slot) => slot.name === name).map(({ version }) => version);
  }

  /** Lends a detector to `work`, opened where it is not; it is not closed before `work` ends. */
  async use<T>(name: string, version: string | undefined, work: (opened: Opened) => Promise<T>): Promise<T> {
    const slot = this.slotOf(name, version);
    if (this.isClosed) throw new Problem(503, 'closing', 'The server is about to end. Ask another one.');
    if (slot.isUnloaded) {
      throw new Problem(503, 'unloaded', `${name} was unloaded. Load it through /v2/repository/models/${name}/load.`);
    }
    slot.users++;
    slot.lastUse = performance.now();
    let opened: Opened | undefined;
    try {
      opened = slot.opened ?? (await this.open(slot));
      return await work(opened);
    } catch (error) {
      // The worker is gone: the next request gets a new one.
      if (error instanceof RuntimeUnavailable && opened && slot.opened === opened) {
        slot.opened = undefined;
        void opened.detector.close().catch(() => {});
      }
      throw error;
    } finally {
      slot.users--;
    }
  }

  async load(name: string, version?: string): Promise<void> {
    const slot = this.slotOf(name, version);
    slot.isUnloaded = false;
    if (!slot.opened) await this.open(slot);
  }

  async unload(name: string, version?: string): Promise<void> {
    const slot = this.slotOf(name, version);
    slot.isUnloaded = true;
    const { opened } = slot;
    slot.opened = undefined;
    if (opened) void retire(opened);
  }

  /** Items that wait, by detector, over its versions. */
  waiting(): Readonly<Record<string, number>> {
    const all: Record<string, number> = {};
    for (const { name, opened } of this.slots) if (opened) all[name] = (all[name] ?? 0) + opened.batcher.waiting;
    return all;
  }

  async close(): Promise<void> {
    this.isClosed = true;
    clearInterval(this.timer);
    await Promise.all(this.slots.map(shut));
  }

  private slotOf(name: string, version?: string): Slot {
    const named = this.slots.filter((slot) => slot.name === name);
    if (named.length === 0) {
      throw unknownDetector(name, `Known: ${[...new Set(this.slots.map((slot) => slot.name))].join(', ') || 'none'}.`);
    }
    const found = version === undefined ? named.at(-1) : named.find((slot) => slot.version === version);
    if (found) return found;
    throw unknownDetector(`${name}, version ${version}`, `Its versions: ${this.versionsOf(name).join(', ')}.`);
  }

  /** Opens a slot once, however many ask. */
  private open(slot: Slot): Promise<Opened> {
    slot.opening ??= this.opened(slot)
      .catch((error) => {
        slot.fault = error instanceof OddityError ? error.message : 'It cannot be opened.';
        throw unreadable(error);
      })
      .finally(() => {
        slot.opening = undefined;
      });
    return slot.opening;
  }

  private async opened(slot: Slot): Promise<Opened> {
    const { name, version, path } = slot;
    const { device, maxPixels, mostWaiting, onBatch, onEvent } = this.options;
    const threads = this.options.threads ?? availableParallelism();
    slot.stamp = await stampOf(path);
    const detector = await loadDetector(path, { device, threads, maxPixels, onEvent });
    const { onnx, weights } = detector.artifact;
    const bytes = WORKER + 2 * (onnx.length + (weights?.length ?? 0));
    const batcher = openBatcher(detector, { mostWaiting, onBatch: (items) => onBatch?.(name, items) });
    slot.opened = { name, version, detector, batcher, bytes };
    slot.fault = undefined;
    await this.makeRoom(slot);
    return slot.opened;
  }

  /** Closes what nobody uses, the longest unused first, until all that is open has room. */
  private async makeRoom(kept: Slot): Promise<void> {
    const taken = () => this.slots.reduce((sum, { opened }) => sum + (opened?.bytes ?? 0), 0);
    const idle = this.slots
      .filter((slot) => slot !== kept && slot.opened && slot.users === 0)
      .sort((a, b) => a.lastUse - b.lastUse);
    for (const slot of idle) {
      if (taken() <= this.options.memory) return;
      await shut(slot);
    }
  }

  /** Opens again what has changed on disk; the old one stays until its last request is answered. */
  private async look(slot: Slot): Promise<void> {
    const before = slot.opened;
    if (!before || slot.opening) return;
    const stamp = await stampOf(slot.path).catch(() => undefined);
    if (stamp === undefined || stamp === slot.stamp || this.isClosed) return;
    try {
      await this.open(slot);
      void retire(before);
    } catch {
      this.options.onEvent?.({
        ...{ type: 'warning', code: 'not-reloaded' },
        message: `The files of ${slot.name} have changed, but cannot be used: ${slot.fault} The detector of before goes on.`,
      });
    }
  }
}

/** Files that are no detector are the server's fault, not that of who asks. */
const unreadable = (error: unknown) =>
  error instanceof DataError || error instanceof ConfigError ? new Problem(503, error.code, error.message) : error;

const shut = async (slot: Slot) => {
  const { opened } = slot;
  slot.opened = undefined;
  await opened?.detector.close();
};

/** Closes a detector once nothing waits for it. */
async function retire({ detector, batcher }: Opened): Promise<void> {
  while (batcher.waiting > 0) await new Promise((after) => setTimeout(after, 50));
  await detector.close();
}

/** When the files of an artefact were written, and how large they are. */
async function stampOf(path: string): Promise<string> {
  const { onnx, json } = artifactFiles(path);
  const facts = await Promise.all([onnx, json].map((file) => stat(file)));
  return facts.map(({ mtimeMs, size }) => `${mtimeMs}:${size}`).join(' ');
}

const isArtifact = (path: string) =>
  stat(artifactFiles(path).json).then(
    (found) => found.isFile(),
    () => false,
  );

async function findSlots(paths: readonly string[]): Promise<Slot[]> {
  const found: Slot[] = [];
  const add = (name: string, version: string, path: string) =>
    found.push({ name, version, path, isUnloaded: false, users: 0, lastUse: 0 });
  for (const text of paths) {
    const [, given, path] = /^(?:([\w.-]+)=)?(.*)$/s.exec(text)!;
    if (await isArtifact(path)) {
      add(given ?? nameOf(path), '1', path);
      continue;
    }
    const before = found.length;
    for (const folder of await foldersIn(path)) {
      if (await isArtifact(join(path, folder))) add(given ? `${given}-${folder}` : folder, '1', join(path, folder));
      for (const version of (await foldersIn(join(path, folder))).filter((name) => /^\d+$/.test(name))) {
        const place = join(path, folder, version);
        if (await isArtifact(place)) add(given ? `${given}-${folder}` : folder, version, place);
      }
    }
    if (found.length === before) await readArtifact(path); // says what is there instead
    if (found.length === before)
      throw new ConfigError('no-detectors', `${path} holds no detector. Train or export one.`);
  }
  const keys = found.map(({ name, version }) => `${name}, version ${version}`);
  const twice = keys.find((key, i) => keys.indexOf(key) < i);
  if (twice !== undefined) {
    throw new ConfigError(
      'detector-twice',
      say`Two detectors have the name ${twice}. Give one of them another name: name=path.`,
    );
  }
  return found.sort((a, b) => (a.name === b.name ? Number(a.version) - Number(b.version) : a.name < b.name ? -1 : 1));
}

/** The name of a detector in addresses: that of its folder, or of its file. */
const nameOf = (path: string) =>
  basename(resolve(path))
    .replace(/\.(onnx|json)$/i, '')
    .replace(/[^\w.-]/g, '-');

/** Folders in a folder, in their order; none where there is no folder. */
async function foldersIn(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
    .map(({ name }) => name)
    .sort();
}
