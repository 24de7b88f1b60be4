/**
 * Trains the backbone in the box, `weights/oddity.safetensors`, by distilling pretrained features with our own engine.
 * Every image, target and rate is a function of the seed and the step, and a cut run goes on from its checkpoint.
 *
 *     npm run distil -- --out runs/distil [--images n] [--passes n] [--batch n] [--threads n] [--teachers a,b]
 *
 * The log lies in the folder as `log.csv`: step, minutes, and the mean loss since the line before, of both heads.
 */
import { appendFile, mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { oddity } from '../../src/backbones/index.ts';
import { Rng } from '../../src/core/random.ts';
import { float32 } from '../../src/core/tensor.ts';
import { dataRoot, readSafetensors, type Source, sha256, writeSafetensors } from '../../src/data/index.ts';
import { fitModel } from '../../src/engine/fitting/fit.ts';
import type { AnyModel } from '../../src/models/index.ts';
import { readCheckpoint, writeCheckpoint } from '../../src/runs/checkpoint.ts';
import { writeAtomic } from '../../src/runs/files.ts';
import { openRuntime, type Session } from '../../src/runtime/index.ts';
import { openSupply, type Supply } from './images.ts';
import { distillation, folded, targetPlanes } from './student.ts';
import { findProjections, heads, openTargets } from './targets.ts';

const { values: options } = parseArgs({
  options: {
    out: { type: 'string', default: 'runs/distil' },
    images: { type: 'string', default: '6400' },
    passes: { type: 'string', default: '6' },
    batch: { type: 'string', default: '16' },
    side: { type: 'string', default: '128' },
    seed: { type: 'string', default: '1' },
    rate: { type: 'string', default: '2e-3' },
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
const steps = passes * Math.floor(images / batch);
const teachers = options.teachers.split(',');
const out = options.out;
/** Steps between two lines of the log. */
const LINE = 20;

/** An image as bytes and its targets. */
interface Item {
  readonly pixels: Uint8Array;
  readonly targets: Float32Array;
}

/** Images with their targets; each is made when it is first asked for and kept for the passes to come. */
function itemsOf(supply: Supply, targets: Session, planes: number): Source {
  const area = side * side;
  const size = (3 + planes) * area;
  const kept: Item[] = [];

  /** Makes what is not there yet, a batch at a time. */
  async function make(numbers: readonly number[]): Promise<void> {
    for (let at = 0; at < numbers.length; at += batch) {
      const some = numbers.slice(at, at + batch);
      const data = new Float32Array(batch * 3 * area);
      const pixels = some.map((number, i) => {
        const image = supply(number);
        const bytes = new Uint8Array(image.length);
        for (let p = 0; p < image.length; p++) {
          bytes[p] = 255 * image[p] + 0.5;
          data[i * image.length + p] = bytes[p] / 255;
        }
        return bytes;
      });
      const found = await targets.run({ image: float32(data, [batch, 3, side, side]) });
      some.forEach((number, i) => {
        const parts = heads.map((head) => {
          const values = found[head].data as Float32Array;
          return values.slice((i * values.length) / batch, ((i + 1) * values.length) / batch);
        });
        const joined = new Float32Array(parts.reduce((n, part) => n + part.length, 0));
        parts.reduce((to, part) => {
          joined.set(part, to);
          return to + part.length;
        }, 0);
        kept[number] = { pixels: pixels[i], targets: joined };
      });
    }
  }

  return {
    name: 'distillation',
    kind: 'image',
    title: 'Images with features as targets',
    licence: 'see weights/README.md',
    shape: [3 + planes, side, side],
    classes: ['any'],
    items: Array.from({ length: images }, (_, i) => ({ id: `made/${i}`, class: 0, part: 'train' as const })),
    hash: `seed ${seed}`,
    async read(indices, into) {
      await make(Array.from(indices).filter((number) => !kept[number]));
      for (let i = 0; i < indices.length; i++) {
        const item = kept[indices[i]];
        for (let p = 0; p < 3 * area; p++) into[i * size + p] = item.pixels[p] / 255;
        into.set(item.targets, i * size + 3 * area);
      }
    },
  };
}

await mkdir(out, { recursive: true });
const rng = new Rng(seed);
const root = dataRoot();
const supply = await openSupply(root, side, rng.split('images'));
const runtime = await openRuntime('cpu', { threads });
const teaching = await openRuntime('cpu', { threads });

const projectionFile = join(out, 'projections.safetensors');
const isThere = await stat(projectionFile).catch(() => undefined);
if (!isThere) {
  const fitted = await openSupply(root, side, rng.split('components'));
  const found = await findProjections(teaching, teachers, { root, supply: fitted, side, rng: rng.split('places') });
  await writeAtomic(projectionFile, writeSafetensors(found));
}
const { tensors: projections } = readSafetensors(await readFile(projectionFile), projectionFile);
const targets = await openTargets(teaching, teachers, root, projections, [batch, side]);

const source = itemsOf(supply, targets, targetPlanes(side));
const model = {
  name: 'oddity-backbone',
  learns: 'gradient',
  phases: () => [{ epochs: passes, batchSize: batch, phase: distillation({ learningRate, weightDecay: 0.01 }) }],
} as unknown as AnyModel;
const origin = {
  model,
  config: { teachers, images, passes, batch, learningRate },
  shape: source.shape,
  seed,
  dataHash: source.hash,
  splitHash: '',
};
const checkpoint = join(out, 'checkpoint.safetensors');
const from = (await readCheckpoint(checkpoint))?.state;

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
  save: (state) => writeCheckpoint(checkpoint, origin, state),
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
  folded(tensors),
  { name: oddity.name, teachers: options.teachers, seed: options.seed },
  { half: true },
);
const file = join(out, 'oddity.safetensors');
await writeAtomic(file, bytes);
console.log(`${file}: ${bytes.length} bytes, sha256 ${await sha256(bytes)}`);
await Promise.all([runtime.close(), teaching.close()]);
