/** What is fuzzed: every reader of a user's file, and every file of a run that is read back. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readOnnxBackbone } from '../../src/backbones/weights.ts';
import { parseConfigFile } from '../../src/cli/config-file.ts';
import { Rng } from '../../src/core/random.ts';
import { readCifarBinary } from '../../src/data/formats/cifar-binary.ts';
import { readIdx } from '../../src/data/formats/idx.ts';
import { readNpz } from '../../src/data/formats/npz.ts';
import { readTar } from '../../src/data/formats/tar.ts';
import { readTorch } from '../../src/data/formats/torch.ts';
import { decodeImage, inspect, openRows, readLayout, readSafetensors } from '../../src/data/index.ts';
import { readTable } from '../../src/data/table/table.ts';
import {
  compareRuns,
  listRuns,
  makeReport,
  readArtifact,
  readCheckpoint,
  threshold,
  train,
} from '../../src/runs/index.ts';
import { isLocked } from '../../src/runs/lock.ts';
import { mutateBytes, mutateJson } from './mutate.ts';
import * as seeds from './seeds.ts';

/** Something that is read, and how mutants of it are made. */
export interface Target {
  readonly name: string;
  mutant(rng: Rng): Uint8Array;
  read(mutant: Uint8Array): Promise<unknown>;
}

const bytesTarget = (
  name: string,
  bytes: Uint8Array,
  read: (mutant: Uint8Array) => Promise<unknown>,
  isText = false,
): Target => ({ name, mutant: (rng) => mutateBytes(bytes, rng, isText), read });

/** The targets, with files in a folder that `close` removes. */
export async function openTargets(): Promise<{ targets: Target[]; close: () => void }> {
  const folder = mkdtempSync(join(tmpdir(), 'oddity-fuzz-'));
  const at = (...parts: string[]) => join(folder, ...parts);
  const put = (name: string, bytes: Uint8Array) => {
    writeFileSync(at(name), bytes);
    return at(name);
  };
  const targets: Target[] = [];
  for (const [name, bytes] of Object.entries(seeds.rows)) {
    const isText = /csv$|tsv|data|arff/.test(name);
    const read = async (mutant: Uint8Array) => readTable(await openRows(put(name, mutant)));
    targets.push(bytesTarget(name, bytes, read, isText));
  }
  const { 'a.pth': pth, 'b.safetensors': safetensors, 'c.npz': npz } = seeds.weights;
  targets.push(
    bytesTarget('weights.pth', pth, async (b) => readTorch(b, 'weights.pth')),
    bytesTarget('weights.safetensors', safetensors, async (b) => readSafetensors(b, 'weights.safetensors')),
    bytesTarget('weights.npz', npz, (b) => readNpz(b, 'weights.npz')),
    bytesTarget('images.idx', seeds.idx, (b) => readIdx(b, 'images.idx', 3)),
    bytesTarget('files.tar', seeds.tar(), (b) => readTar(b, 'files.tar')),
    bytesTarget('cifar.bin', new Uint8Array(3073), (b) => readCifarBinary(b, 'cifar.bin')),
    bytesTarget(
      'config.yaml',
      seeds.yaml,
      async (b) => parseConfigFile(new TextDecoder().decode(b), 'config.yaml'),
      true,
    ),
    bytesTarget('picture.bmp', seeds.bmp(), (b) => decodeImage(b, 'picture.bmp')),
  );
  put('a.png', seeds.png());
  targets.push(bytesTarget('list.csv', seeds.list, async (b) => readLayout(put('list.csv', b)), true));
  targets.push(...(await imageTargets()), ...(await runTargets(at)));
  return { targets, close: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Pictures that sharp writes and reads; none where it is not installed. */
async function imageTargets(): Promise<Target[]> {
  const sharp = await import('sharp').then(
    (m) => m.default,
    () => undefined,
  );
  if (!sharp) return [];
  const formats = ['png', 'jpeg', 'tiff', 'webp', 'gif'] as const;
  return Promise.all(
    formats.map(async (format) => {
      const bytes = new Uint8Array(await sharp(seeds.png()).toFormat(format).toBuffer());
      return bytesTarget(`picture.${format}`, bytes, (b) => decodeImage(b, `picture.${format}`));
    }),
  );
}

/** The files of a finished run: each is damaged alone, and all that reads a run reads it. */
async function runTargets(at: (...parts: string[]) => string): Promise<Target[]> {
  const whole = at('whole');
  const [run, runs] = [at('runs', 'damaged'), at('runs')];
  // The plain reference needs no thread and no native library.
  const task = { data: 'synthetic', class: 'texture', device: 'reference', maps: 2, out: whole } as const;
  await train({ ...task, model: 'pca', trainLimit: 40, testLimit: 20 });
  mkdirSync(runs);
  cpSync(whole, run, { recursive: true });
  cpSync(whole, at('runs', 'sound'), { recursive: true });
  const fresh = async (name: string, mutant: Uint8Array, work: (() => Promise<unknown>)[]) => {
    writeFileSync(join(run, name), mutant);
    try {
      for (const one of work) await one();
    } finally {
      cpSync(join(whole, name), join(run, name));
    }
  };
  const readers = {
    list: async () => {
      // One bad run never breaks the list.
      const listed = await listRuns({ folder: runs });
      if (!listed.some((one) => one.run.endsWith('sound'))) throw new Error('the sound run is not listed');
    },
    artefact: () => readArtifact(run),
    threshold: () => threshold({ run, policies: [{ by: 'false-alarm-rate', rate: 0.1 }] }),
    report: () => makeReport({ run, pictures: false }),
    compare: () => compareRuns({ a: whole, b: run }),
    resume: () => train({ ...task, model: 'pca', trainLimit: 40, testLimit: 20, out: run, resume: true }),
    checkpoint: () => readCheckpoint(join(run, 'checkpoint.safetensors')),
    locked: () => isLocked(run),
  };
  const { list, artefact, report, compare, resume, checkpoint, locked } = readers;
  const json = (name: string, work: (() => Promise<unknown>)[]): Target => {
    const bytes = readFileSync(join(whole, name));
    const value = JSON.parse(bytes.toString());
    const mutant = (rng: Rng) =>
      rng.int(4) === 0
        ? mutateBytes(bytes, rng, true)
        : new TextEncoder().encode(JSON.stringify(mutateJson(value, rng)));
    // Each reader on its own: the first refusal must not hide the others.
    return { name, mutant, read: (b) => fresh(name, b, [list, () => firstOf(work)]) };
  };
  const firstOf = async (work: (() => Promise<unknown>)[]) => {
    const failures: unknown[] = [];
    for (const one of work) await one().catch((error: unknown) => failures.push(error));
    const foreign = failures.find((error) => !isSentence(error));
    if (foreign ?? failures[0]) throw foreign ?? failures[0];
  };
  const raw = (name: string, work: (() => Promise<unknown>)[], isText: boolean): Target =>
    bytesTarget(name, readFileSync(join(whole, name)), (b) => fresh(name, b, [() => firstOf(work)]), isText);
  const lock = new TextEncoder().encode(JSON.stringify({ pid: 1, host: 'x', processStart: null, token: 'x' }));
  return [
    json('run.json', [artefact, readers.threshold, report, compare, resume]),
    json('model.json', [artefact, readers.threshold, report]),
    json('metrics.json', [report, compare, resume]),
    raw('predictions.csv', [report, readers.threshold], true),
    raw('checkpoint.safetensors', [checkpoint], false),
    raw('events.jsonl', [list], true),
    raw(
      'model.onnx',
      [async () => readOnnxBackbone({ file: 'x.onnx', bytes: readFileSync(join(run, 'model.onnx')) }, []), artefact],
      false,
    ),
    bytesTarget('lock.json', lock, async (b) => {
      writeFileSync(join(run, 'lock.json'), b);
      await locked().finally(() => rmSync(join(run, 'lock.json')));
    }),
    bytesTarget('inspected.png', seeds.png(), async (b) => {
      mkdirSync(at('parts', 'good'), { recursive: true });
      writeFileSync(at('parts', 'good', 'a.png'), seeds.png(3));
      writeFileSync(at('parts', 'good', 'b.png'), b);
      return inspect({ path: at('parts') });
    }),
  ];
}

/** Words of the language that say nothing to a user. */
const foreignWords =
  /\bundefined\b|RangeError|TypeError|SyntaxError|Cannot (read|convert)|is not (a function|iterable)|Invalid (array|typed array) length|\[object /;

/** True for an error that a user can understand: one of ours, not about ourselves, in plain words. */
export function isSentence(error: unknown): boolean {
  const { name, code, message } = error as { name?: string; code?: string; message?: string };
  const ours = ['ConfigError', 'DataError', 'ShapeError', 'RuntimeUnavailable', 'TrainingDiverged', 'Cancelled'];
  return ours.includes(name ?? '') && typeof code === 'string' && !foreignWords.test(message ?? '');
}

/** Milliseconds that one mutant may take. */
export const MOST_MS = 5000;

/** What a mutant did that it must not do; undefined for all that is well. */
export async function judge(target: Target, seed: number, number: number): Promise<string | undefined> {
  const rng = new Rng(seed).split(target.name).split(number);
  const mutant = target.mutant(rng);
  const begin = performance.now();
  const where = `${target.name}, seed ${seed}, mutant ${number}`;
  try {
    await target.read(mutant);
  } catch (error) {
    if (!isSentence(error))
      return `${where}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  }
  const took = performance.now() - begin;
  return took > MOST_MS ? `${where} took ${Math.round(took)} ms` : undefined;
}
