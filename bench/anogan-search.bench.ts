/**
 * AnoGAN's search of 500 steps for 1,000 MNIST images in batches, against the same search one image at a time in the
 * same run: fewer images there, in turns with the batches, and both stated per image. The weights are untrained: the
 * work is the same. The networks are those that were published for MNIST: alone, each step of theirs reads 40 MB of
 * weights for one image; small networks, as the default, stay in the cache and gain less.
 * `npm run bench -- anogan-search [--json] [--save] [--images n] [--batch n] [--alone n] [--steps n] [--preset name|none]`.
 */
import { Rng } from '../src/core/random.ts';
import { float32 } from '../src/core/tensor.ts';
import { dataRoot, findDataset } from '../src/data/index.ts';
import { scoringProgram } from '../src/engine/scoring/graph.ts';
import { input } from '../src/graph/index.ts';
import { anogan, type ImageShape } from '../src/models/index.ts';
import { initialize, Trace } from '../src/nn/index.ts';
import { resolveConfig } from '../src/runs/index.ts';
import { openRuntime } from '../src/runtime/index.ts';
import { option, saveRows } from './measure.ts';

const shape: ImageShape = [1, 28, 28];
const searchSteps = Number(option('steps') || 500);
const preset = option('preset') || 'mnist';
const total = Number(option('images') || 1000);
const batch = Number(option('batch') || 250);
/** Images searched alone, beside each batch. */
const alone = Number(option('alone') || 3);
const config = resolveConfig(anogan, { preset: preset === 'none' ? undefined : preset, config: { searchSteps } });
const trace = new Trace(false);
anogan.score(config, (group) => trace.group(group), input('image', ['N', ...shape]));
const specs = [...trace.parameters.values(), ...trace.buffers.values()].map((entry) => entry.spec);
const source = await findDataset('mnist').load({ root: dataRoot(), onEvent: () => {}, download: false });
const runtime = await openRuntime('cpu');
const session = await runtime.compile(scoringProgram(anogan, config, shape, initialize(specs, new Rng(1))), {
  carry: {},
});

/** Scores of images from number `at`, and the seconds that they took. */
async function search(at: number, count: number): Promise<{ seconds: number; scores: Float32Array }> {
  const pixels = new Float32Array(count * 28 * 28);
  await source.read(
    Array.from({ length: count }, (_, i) => at + i),
    pixels,
  );
  const begin = performance.now();
  const { score } = await session.run({ image: float32(pixels, [count, ...shape]) }, { fetch: ['score'] });
  return { seconds: (performance.now() - begin) / 1000, scores: score.data as Float32Array };
}

await search(0, 1);
const spent = { together: 0, alone: 0 };
/** Largest difference between an image's score in a batch and alone, relative to the score. */
let difference = 0;
for (let at = 0; at < total; at += batch) {
  const { seconds, scores } = await search(at, Math.min(batch, total - at));
  spent.together += seconds;
  for (let i = 0; i < alone; i++) {
    const one = await search(at + i, 1);
    spent.alone += one.seconds;
    difference = Math.max(difference, Math.abs(one.scores[0] - scores[i]) / Math.abs(scores[i]));
  }
}
await runtime.close();
const imagesAlone = alone * Math.ceil(total / batch);
const perImage = { together: (1000 * spent.together) / total, alone: (1000 * spent.alone) / imagesAlone };
const row = {
  name: `anogan search, preset ${preset}, ${searchSteps} steps, ${total} images`,
  batch,
  secondsTogether: Number(spent.together.toFixed(2)),
  millisecondsPerImageTogether: Number(perImage.together.toFixed(2)),
  imagesAlone,
  millisecondsPerImageAlone: Number(perImage.alone.toFixed(2)),
  timesFaster: Number((perImage.alone / perImage.together).toFixed(2)),
  largestRelativeDifference: Number(difference.toExponential(1)),
};
console.log(JSON.stringify(option('json') === undefined ? row : { rows: [row] }));
await saveRows('anogan-search', [row]);
