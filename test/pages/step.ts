/** What the page and Node both do: two training steps of a small network and one scoring. */
import { Rng } from '../../dist/core/random.js';
import { float32, type Tensors } from '../../dist/core/tensor.js';
import * as g from '../../dist/graph/index.js';
import * as nn from '../../dist/nn/index.js';
import type { Runtime } from '../../dist/runtime/runtime.js';

const batch: number[] = [4, 2, 8, 8];

function network(scope: nn.Scope, x: g.Value): g.Value {
  const h = g.relu(
    nn.batchNorm(scope.at('norm'), nn.conv(scope.at('down'), x, { filters: 4, kernel: 4, stride: 2, padding: 1 })),
  );
  return g.sigmoid(nn.convTranspose(scope.at('up'), h, { filters: 2, kernel: 4, stride: 2, padding: 1 }));
}

/** Runs three times with an input that never changes and one that is carried, and gives the outputs and the state. */
export async function runThrice(runtime: Runtime): Promise<number[]> {
  const [x, scale, sum] = [g.input('x', [2]), g.input('scale', [2]), g.input('sum', [2])];
  const y = g.mul(x, scale);
  const program = { name: 'thrice', outputs: { y, next: g.add(sum, y) }, carry: { next: 'sum' } };
  const session = await runtime.compile(program);
  await session.setState({ scale: float32([2, 3]), sum: float32([0, 0]) });
  const found: number[] = [];
  for (const v of [1, 2, 3]) found.push(...Array.from((await session.run({ x: float32([v, v]) })).y.data, Number));
  const state = await session.state();
  await session.close();
  return [...found, ...Array.from(state.scale.data, Number), ...Array.from(state.sum.data, Number)];
}

/** Trains on a runtime; the losses and the largest weight say whether two runtimes did the same. */
export async function trainAndScore(runtime: Runtime): Promise<{ losses: number[]; scores: number[] }> {
  const phase = nn.assemble(
    {
      name: 'fit',
      steps: [
        {
          name: 'fit',
          updates: ['net'],
          optimizer: nn.adam({ learningRate: 0.01 }),
          loss: ({ net, x }) => nn.l2(network(net('net'), x), x),
        },
      ],
    },
    { shape: batch },
  );
  const session = await runtime.compile(phase.program);
  await session.setState(phase.pack(nn.initialize(phase.specs, new Rng(1))));
  const steps = 3;
  const feeds: Tensors = {};
  for (const feed of phase.feeds) {
    if (feed.kind === 'rate') feeds[feed.name] = float32(new Float32Array(steps).fill(0.01));
    else feeds[feed.name] = float32(new Rng(2).uniforms(steps * 512), [steps, ...batch]);
  }
  const { 'fit.loss': loss } = await session.run(feeds);
  const tensors = phase.unpack(await session.state());
  await session.close();

  const trace = new nn.Trace(false);
  const x = g.input('x', ['N', 2, 8, 8]);
  const error = g.reduceMean(g.square(g.sub(network(trace.group('net'), x), x)), { axes: [1, 2, 3] });
  const learnt = new Map(
    [...trace.parameters, ...trace.buffers].map(([name, { value }]) => [value, g.constant(tensors[name])]),
  );
  const scorer = await runtime.compile({
    name: 'score',
    outputs: { score: g.substitute([error], learnt)[0] },
    carry: {},
  });
  const { score } = await scorer.run({ x: float32(new Rng(3).uniforms(512), batch) });
  await scorer.close();
  return { losses: Array.from(loss.data, Number), scores: Array.from(score.data, Number) };
}
