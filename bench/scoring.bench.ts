/**
 * Scoring with the exported default autoencoder at 3 × 128 × 128, batch 1 and 32, against the same network in PyTorch
 * eager, interleaved. `npm run bench -- scoring [--json] [--rounds n]`. Needs python3-torch for the ratios.
 */
import { Rng } from '../src/core/random.ts';
import { float32 } from '../src/core/tensor.ts';
import { scoringProgram } from '../src/engine/scoring/graph.ts';
import { emitProgram, encodeModel, input } from '../src/graph/index.ts';
import { autoencoder, type ImageShape } from '../src/models/index.ts';
import { initialize, Trace } from '../src/nn/index.ts';
import { resolveConfig } from '../src/runs/index.ts';
import { openRuntime } from '../src/runtime/index.ts';
import { median, option, pytorch, saveRows } from './measure.ts';

const shape: ImageShape = [3, 128, 128];
const rounds = Number(option('rounds') || 9);
// The network and the squared error that bench/pytorch/scoring.py spells out.
const config = resolveConfig(autoencoder, { config: { network: 'strided', width: 32, code: 32, loss: 'l2' } });
const trace = new Trace(false);
autoencoder.score(config, (group) => trace.group(group), input('image', ['N', ...shape]));
const specs = [...trace.parameters.values(), ...trace.buffers.values()].map((entry) => entry.spec);
const tensors = initialize(specs, new Rng(1));
const { model } = encodeModel(emitProgram(scoringProgram(autoencoder, config, shape, tensors), 'cpu'));

const runtime = await openRuntime('cpu');
const session = await runtime.open(model);
const torch = (
  await Promise.all([1, 2].map((threads) => pytorch('scoring.py', { batch: 1, runs: 1 }, threads)))
).filter((t) => t !== undefined);
if (torch.length === 0) console.error('PyTorch is absent (Debian: python3-torch, libopenblas0-pthread): no ratios.');

const rows: Record<string, unknown>[] = [];
for (const batch of [1, 32]) {
  const image = float32(new Rng(2).uniforms(batch * 3 * 128 * 128), [batch, ...shape]);
  const runs = batch === 1 ? 60 : 6;
  const mine = async () => {
    const begin = performance.now();
    for (let i = 0; i < runs; i++) await session.run({ image });
    return (performance.now() - begin) / 1000;
  };
  await mine();
  for (const ask of torch) await ask({ batch, runs });
  const own: number[] = [];
  const ratios: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    own.push((await mine()) / runs);
    const others: number[] = [];
    for (const ask of torch) others.push((await ask({ batch, runs })).seconds / runs);
    if (others.length === 0) continue;
    theirs.push(Math.min(...others));
    ratios.push(Math.min(...others) / own.at(-1)!);
  }
  rows.push({
    name: `autoencoder 3x128x128 batch ${batch}`,
    millisecondsPerImage: Number(((median(own) * 1000) / batch).toFixed(3)),
    pytorchMillisecondsPerImage: theirs.length > 0 ? Number(((median(theirs) * 1000) / batch).toFixed(3)) : null,
    ratioToPyTorch: ratios.length > 0 ? Number(median(ratios).toFixed(3)) : null,
  });
}
for (const ask of torch) ask.end();
await runtime.close();
console.log(
  option('json') === undefined ? rows.map((r) => JSON.stringify(r)).join('\n') : JSON.stringify({ rounds, rows }),
);
await saveRows('scoring', rows);
