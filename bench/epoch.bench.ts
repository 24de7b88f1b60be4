/**
 * One epoch over all 60,000 training images of MNIST with the autoencoder of seed 000 at batch 128, through the engine's
 * own data path: steps per second against the same step on ready-made batches, interleaved, and the largest resident
 * memory. `npm run bench -- epoch [--json]`. Needs MNIST (ODDITY_DATA).
 */
import { Rng } from '../src/core/random.ts';
import { float32, type Tensors } from '../src/core/tensor.ts';
import { dataRoot, findDataset } from '../src/data/index.ts';
import { fitModel } from '../src/engine/fitting/fit.ts';
import { openPhase } from '../src/engine/fitting/phase-run.ts';
import { autoencoder } from '../src/models/index.ts';
import { resolveConfig } from '../src/runs/index.ts';
import { openRuntime } from '../src/runtime/index.ts';
import { median, option, saveRows } from './measure.ts';

const batchSize = 128;
const source = await findDataset('mnist').load({ root: dataRoot(), download: false });
const train = Uint32Array.from(source.items.flatMap((item, i) => (item.part === 'train' ? [i] : [])));
const config = resolveConfig(autoencoder, { preset: 'seed-000', config: { epochs: 1, batchSize } });
const runtime = await openRuntime('cpu');
const rng = new Rng(1);
const [phase] = autoencoder.learns === 'gradient' ? autoencoder.phases(config, source.shape) : [];

/** Seconds per step on ready batches, eight steps a call. */
const ready = await openPhase({ source, train, rng }, { phase: phase.phase, batchSize }, {}, runtime);
async function bare(calls: number): Promise<number> {
  const feeds: Tensors = {};
  for (const feed of ready.assembled.feeds) {
    if (feed.kind === 'rate') feeds[feed.name] = float32(new Float32Array(8).fill(1e-3));
    if (feed.kind === 'batch') feeds[feed.name] = float32(new Rng(2).uniforms(8 * batchSize * 784), [8, ...feed.shape]);
  }
  const begin = performance.now();
  for (let i = 0; i < calls; i++) await ready.session.run(feeds);
  return (performance.now() - begin) / 1000 / calls / 8;
}

await bare(4);
const before: number[] = [];
const epochs: number[] = [];
for (let round = 0; round < 3; round++) {
  before.push(await bare(8));
  const { stepsPerSecond } = await fitModel({
    model: autoencoder,
    config,
    source,
    train,
    runtime,
    rng,
    onEvent: () => {},
    save: async () => {},
  });
  epochs.push(1 / stepsPerSecond!);
  before.push(await bare(8));
}
await runtime.close();
const row = {
  name: 'seed-000, MNIST 60,000 images, batch 128',
  stepsPerSecond: Number((1 / median(epochs)).toFixed(2)),
  readyStepsPerSecond: Number((1 / median(before)).toFixed(2)),
  shareOfReady: Number((median(before) / median(epochs)).toFixed(3)),
  epochSeconds: Number((median(epochs) * Math.floor(train.length / batchSize)).toFixed(2)),
  peakResidentMiB: Math.round(process.resourceUsage().maxRSS / 1024),
};
console.log(option('json') === undefined ? row : JSON.stringify(row));
await saveRows('epoch', [row]);
