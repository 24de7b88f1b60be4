/**
 * Trains the backbone in the box, `weights/oddity.safetensors`, by distilling pretrained features with our own engine.
 * Every image, target and rate is a function of the seed and the step, and a cut run goes on from its checkpoint. The rate
 * is constant until the last fifth, where it falls to 0: `stable.safetensors` is the last checkpoint before that, from which
 * a run with more passes goes on at another sitting.
 *
 *     npm run distil -- --photos folder [--out runs/distil] [--images n] [--passes n] [--batch n] [--threads n]
 *
 * The log lies in the folder as `log.csv`: step, minutes, and the mean loss since the line before, of the three heads.
 */
import { appendFile, mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { oddity } from '../../src/backbones/index.ts';
import { Rng } from '../../src/core/random.ts';
import { dataRoot, readSafetensors, sha256, writeSafetensors } from '../../src/data/index.ts';
import { fitModel } from '../../src/engine/fitting/fit.ts';
import type { AnyModel } from '../../src/models/index.ts';
import { readCheckpoint, writeCheckpoint } from '../../src/runs/checkpoint.ts';
import { writeAtomic } from '../../src/runs/files.ts';
import { openRuntime } from '../../src/runtime/index.ts';
import { openSupplies } from './images.ts';
import { openItems } from './items.ts';
import { beginning, cooledFrom, distillation, learnt, targetPlanes } from './student.ts';
import { findProjections, heads, openTargets } from './targets.ts';

const { values: options } = parseArgs({
  options: {
    photos: { type: 'string' },
    out: { type: 'string', default: 'runs/distil' },
    images: { type: 'string', default: '4000' },
    passes: { type: 'string', default: '5' },
    batch: { type: 'string', default: '8' },
    side: { type: 'string', default: '256' },
    seed: { type: 'string', default: '1' },
    rate: { type: 'string', default: '5e-4' },
    threads: { type: 'string', default: '1' },
    teachers: { type: 'string', default: 'resnet50_v2,squeezenet1_1' },
  },
});
const [images, passes, batch, side, seed, learningRate, threads] = [
  options.images,
  options.passes,
  options.batch,
  options.side,
  options.seed,
  options.rate,
  options.threads,
].map(Number);
if (options.photos === undefined) {
  console.error('--photos must name the folder into which the packages of scripts/distil/data.csv were unpacked.');
  process.exit(2);
}
const steps = passes * Math.floor(images / batch);
const teachers = options.teachers.split(',');
const out = options.out;
/** Steps between two lines of the log. */
const LINE = 20;

await mkdir(out, { recursive: true });
const rng = new Rng(seed);
const root = dataRoot();
const supplyOf = await openSupplies(root, options.photos, side);
const runtime = await openRuntime('cpu', { threads });
const teaching = await openRuntime('cpu', { threads });

const projectionFile = join(out, 'projections.safetensors');
const isThere = await stat(projectionFile).catch(() => undefined);
if (!isThere) {
  const supply = supplyOf(rng.split('components'));
  const found = await findProjections(teaching, teachers, { root, supply, side, rng: rng.split('places') });
  await writeAtomic(projectionFile, writeSafetensors(found));
}
const { tensors: projections } = readSafetensors(await readFile(projectionFile), projectionFile);
const targets = await openTargets(teaching, teachers, root, projections, [batch, side]);

const { source, close } = await openItems({
  supply: supplyOf(rng.split('images')),
  targets,
  batch,
  images,
  side,
  planes: targetPlanes(side),
  file: join(out, 'items.bin'),
  hash: `seed ${seed}`,
});
const model = {
  name: 'oddity-backbone',
  learns: 'gradient',
  phases: () => [{ epochs: passes, batchSize: batch, phase: distillation({ learningRate, weightDecay: 1e-3 }) }],
} as unknown as AnyModel;
const origin = {
  model,
  config: { teachers, images, passes, batch, learningRate, steps },
  shape: source.shape,
  seed,
  dataHash: source.hash,
  splitHash: '',
};

// While the rate is constant the end does not matter, so that a later sitting may move it; once it falls, it does.
const [stableFile, coolingFile] = ['stable', 'cooling'].map((name) => join(out, `${name}.safetensors`));
const [stable, cooling] = [await readCheckpoint(stableFile), await readCheckpoint(coolingFile)];
const from = (cooling?.config.steps === steps ? cooling : stable)?.state;
if (from) console.log(`goes on from step ${from.iteration}`);

const guesses = Object.entries(projections).filter(([name]) => name.startsWith('begin.'));
const pretrained = await beginning(root, Object.fromEntries(guesses.map(([name, t]) => [name.slice(6), t])));

const begin = performance.now();
let line = { step: from?.iteration ?? 0, count: 0, sums: heads.map(() => 0) };
const { tensors } = await fitModel({
  model,
  config: {},
  source,
  train: Uint32Array.from(source.items.keys()),
  runtime,
  rng: rng.split('fit'),
  from,
  pretrained,
  save: (state) =>
    writeCheckpoint(
      state.phase === 0 && state.iteration <= cooledFrom(steps) ? stableFile : coolingFile,
      origin,
      state,
    ),
  onEvent(event) {
    if (event.type !== 'progress') return;
    const { done, metrics } = event;
    line.count++;
    line.sums = line.sums.map((s, i) => s + metrics![`distil.${heads[i]}`]);
    if (done < line.step + LINE && done < steps) return;
    const minutes = (performance.now() - begin) / 60_000;
    const text = [done, minutes.toFixed(2), ...line.sums.map((s) => (s / line.count).toFixed(4))].join(',');
    console.log(text);
    appendFile(join(out, 'log.csv'), `${text}\n`).catch(() => {});
    line = { step: done, count: 0, sums: heads.map(() => 0) };
  },
});
const bytes = writeSafetensors(
  learnt(tensors),
  { name: oddity.name, teachers: options.teachers, seed: options.seed },
  { half: true },
);
const file = join(out, 'oddity.safetensors');
await writeAtomic(file, bytes);
console.log(`${file}: ${bytes.length} bytes, sha256 ${await sha256(bytes)}`);
await Promise.all([close(), runtime.close(), teaching.close()]);
