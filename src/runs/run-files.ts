/** The files of a run's folder, and which of those there are oddity's own: what else lies there is the user's. Node only. */
import { existsSync } from 'node:fs';
import { lstat, readdir, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ConfigError } from '../core/errors.ts';
import { option, say } from '../core/text.ts';

/** Paths inside a run's folder. */
export function runFiles(folder: string) {
  const at = (name: string) => join(folder, name);
  return {
    run: at('run.json'),
    events: at('events.jsonl'),
    metrics: at('metrics.json'),
    predictions: at('predictions.csv'),
    maps: at('maps'),
    report: at('report.html'),
    checkpoint: at('checkpoint.safetensors'),
    debug: at('debug'),
    onnx: at('model.onnx'),
    model: at('model.json'),
    weights: at('weights.bin'),
    planted: at('planted.json'),
    feedback: at('feedback.jsonl'),
    feedbackItems: at('feedback'),
  };
}

/** Files that a run makes in its folders, by the name of the folder. */
const inFolders: Readonly<Record<string, RegExp>> = {
  maps: /^((normal|anomalous)-.*\.png|scale\.json)(\.tmp)?$/,
  debug: /^[\w.-]+\.(txt|onnx)(\.tmp)?$/,
  feedback: /^[0-9a-f]{16}-./,
};

/** Throws ConfigError `out-is-a-run` where `path` is a folder that holds a run, or a file that belongs to one. */
export function checkNoRun(path: string): void {
  const folder = Object.values(runFiles('')).includes(basename(path)) ? dirname(path) : path;
  if (!existsSync(runFiles(folder).run)) return;
  throw new ConfigError(
    'out-is-a-run',
    `${path} must not replace files of a run, but ${folder} holds one. Choose another place.`,
  );
}

/** Removes what a run wrote, but for its record and the files to `keep`; strange files and folders stay. */
export async function removeOwnFiles(folder: string, keep: readonly string[] = []): Promise<void> {
  const { run: _, ...others } = runFiles(folder);
  for (const path of Object.values(others)) {
    if (keep.includes(path)) continue;
    await rm(`${path}.tmp`, { force: true }).catch(() => {}); // of a process that was killed while writing
    const found = await lstat(path).catch(() => undefined);
    if (!found) continue;
    const own = inFolders[basename(path)];
    if (!own) {
      if (!found.isDirectory()) await rm(path, { force: true });
      continue;
    }
    if (!found.isDirectory()) continue; // a link that leads elsewhere
    for (const name of await readdir(path)) if (own.test(name)) await rm(join(path, name), { force: true });
    await rmdir(path).catch(() => {}); // something else is in it
  }
}

/**
 * Throws ConfigError `strange-files` for a folder without a run that holds files of a run's names: a training would replace
 * what it did not write.
 */
export async function checkNoStrangers(folder: string): Promise<void> {
  const names = Object.values(runFiles(folder)).map((path) => basename(path));
  const there = new Set(await readdir(folder));
  const strange = names.filter((name) => there.has(name));
  if (strange.length === 0) return;
  throw new ConfigError(
    'strange-files',
    say`${folder} must be empty or hold a run, but holds ${strange.join(', ')}, which no run wrote. Move ${strange.length === 1 ? 'it' : 'them'} away, or choose
      another folder with ${option('out')}.`,
  );
}
