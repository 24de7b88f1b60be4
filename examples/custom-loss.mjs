// The graph language alone: a loss of one's own, its gradient, and gradient descent inside one ONNX graph.
// A line is fitted to points of which some are wrong; the loss of Geman and McClure, r² / (1 + r²), forgives them.
// Run: node examples/custom-loss.mjs
import * as g from 'oddity/graph';
import { openRuntime } from 'oddity/runtime';

const n = 64;
const steps = 1000;
const xs = Float32Array.from({ length: n }, (_, i) => i / n);
const ys = xs.map((x, i) => (i % 8 === 0 ? 5 : 2 * x - 1)); // y = 2x − 1, but every eighth point lies

const x = g.input('x', [n]);
const y = g.input('y', [n]);
const line = g.input('line', [2]); // slope and offset: what is learnt
const slope = g.slice(line, { 0: [0, 1] });
const offset = g.slice(line, { 0: [1, 2] });
const squared = g.square(g.sub(g.add(g.mul(slope, x), offset), y));
const loss = g.reduceMean(g.div(squared, g.add(squared, 1)));
const [gradient] = g.gradients(loss, [line]);
const next = g.sub(line, g.mul(gradient, 0.3));

// `carry` hands the new line to the next run: only the loss comes back.
const runtime = await openRuntime('auto');
const program = { name: 'fit-line', outputs: { next, loss }, carry: { next: 'line' } };
const session = await runtime.compile(program, { carry: program.carry });
await session.setState({ line: { dtype: 'float32', shape: [2], data: Float32Array.of(0, 0) } });
for (let step = 0; step < steps; step++) {
  const points = { x: tensor(xs), y: tensor(ys) };
  const result = await session.run(points);
  if (step % 250 === 0) console.log('step', step, 'loss', result.loss.data[0]);
}
const { line: fitted } = await session.state();
console.log('y =', fitted.data[0], '· x +', fitted.data[1], '(true: 2 and −1)');
await runtime.close();

/** @param {Float32Array} data */
function tensor(data) {
  return { dtype: /** @type {const} */ ('float32'), shape: [data.length], data };
}
