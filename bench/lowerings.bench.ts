/**
 * Is the chosen lowering of a convolution and of its gradients the best, or within 10 % of it? Every form that exists
 * is timed over a grid of 20 shapes, interleaved, with medians. `npm run bench -- lowerings [--json] [--rounds n]`.
 */
import { float32 } from '../src/core/tensor.ts';
import * as g from '../src/graph/index.ts';
import {
  possibleConvForms,
  possibleInputGradientForms,
  possibleWeightGradientForms,
} from '../src/graph/ops/conv/choice.ts';
import { openRuntime, type Session } from '../src/runtime/index.ts';
import { median, option, saveRows } from './measure.ts';

/** batch, channels, size, filters, kernel, stride, padding */
type Case = readonly [number, number, number, number, number, number, number];

const grid: readonly Case[] = [
  [64, 3, 32, 32, 4, 2, 1],
  [64, 32, 16, 64, 4, 2, 1],
  [64, 64, 8, 128, 4, 2, 1],
  [64, 64, 16, 128, 4, 2, 1],
  [64, 128, 8, 256, 4, 2, 1],
  [16, 3, 128, 32, 4, 2, 1],
  [16, 32, 64, 64, 4, 2, 1],
  [16, 64, 32, 128, 4, 2, 1],
  [32, 64, 32, 64, 3, 1, 1],
  [16, 128, 32, 128, 3, 1, 1],
  [8, 32, 64, 32, 3, 1, 1],
  [8, 64, 16, 64, 3, 1, 1],
  [8, 128, 8, 128, 3, 1, 1],
  [128, 1, 28, 16, 3, 2, 1],
  [128, 16, 14, 32, 3, 2, 1],
  [128, 32, 7, 64, 7, 1, 0],
  [32, 64, 16, 128, 1, 1, 0],
  [64, 8, 28, 4, 5, 1, 2],
  [64, 1, 28, 8, 5, 1, 2],
  [4, 32, 128, 32, 4, 2, 1],
];

const rounds = Number(option('rounds') ?? 15);
const repeats = 4;
const runtime = await openRuntime('cpu');
const rows: Record<string, unknown>[] = [];
let worst = 1;

for (const [n, c, size, k, kernel, stride, padding] of grid) {
  const options = { stride, padding };
  const attributes = g.convolution(2, options);
  const out = Math.floor((size + 2 * padding - kernel) / stride) + 1;
  const [x, w, dy] = [
    g.input('x', [n, c, size, size]),
    g.input('w', [k, c, kernel, kernel]),
    g.input('dy', [n, k, out, out]),
  ];
  const step = g.input('step', []);
  const cases: [string, g.Value, (target: { device: string; blockSize: number }) => string[]][] = [
    ['conv', g.conv(x, w, options), (t) => possibleConvForms(x.shape, w.shape, attributes, t)],
    [
      'convInputGradient',
      g.convInputGradient(dy, w, [size, size], attributes),
      (t) => possibleInputGradientForms(x.shape, dy.shape, w.shape, attributes, t),
    ],
    [
      'convWeightGradient',
      g.convWeightGradient(x, dy, w.shape, attributes),
      (t) => possibleWeightGradientForms(x.shape, dy.shape, { ...attributes, kernel: [kernel, kernel] }, t),
    ],
  ];
  for (const [name, value, forms] of cases) {
    // The sum keeps the result inside; the loop makes the cost of a call small beside the work.
    const program: g.Program = {
      name,
      outputs: { sum: g.add(g.reduceSum(value), step) },
      carry: {},
      loop: { scanned: ['step'] },
    };
    const inputs = g.inputsOf(Object.values(program.outputs));
    const state = Object.fromEntries(
      [...inputs]
        .filter(([name]) => name !== 'step')
        .map(([name, v]) => {
          const shape = v.shape as number[];
          const length = shape.reduce((a, b) => a * b, 1);
          return [
            name,
            float32(
              Float32Array.from({ length }, (_, i) => Math.sin(i * 12.9898) * 0.5),
              shape,
            ),
          ];
        }),
    );
    const sessions = new Map<string, Session>();
    let chosen = '';
    let known: string[] = [];
    const first = await runtime.compile(program, {
      lowering: (node, target) => {
        if (node.op.name !== name) return undefined;
        known = forms(target);
        chosen = node.op.choose!(node, target);
        return chosen;
      },
    });
    sessions.set(chosen, first);
    for (const form of known) {
      if (form === chosen) continue;
      sessions.set(
        form,
        await runtime.compile(program, { lowering: (node) => (node.op.name === name ? form : undefined) }),
      );
    }
    const times = new Map<string, number[]>(known.map((form) => [form, []]));
    for (const session of sessions.values()) await session.setState(state);
    for (let round = 0; round < rounds + 2; round++) {
      for (const [form, session] of sessions) {
        const begin = performance.now();
        await session.run({ step: float32(new Float32Array(repeats)) });
        if (round >= 2) times.get(form)!.push((performance.now() - begin) / repeats);
      }
    }
    for (const session of sessions.values()) await session.close();
    const medians = Object.fromEntries([...times].map(([form, t]) => [form, Number(median(t).toFixed(3))]));
    const best = Object.keys(medians).reduce((a, b) => (medians[b] < medians[a] ? b : a));
    const ratio = medians[chosen] / medians[best];
    worst = Math.max(worst, ratio);
    const gflop = (2 * n * k * c * kernel * kernel * out * out) / 1e9;
    const shape = `${n}x${c}x${size}x${size} -> ${k} k${kernel} s${stride}`;
    rows.push({
      op: name,
      shape,
      chosen,
      best,
      ratio: Number(ratio.toFixed(3)),
      gflops: Number(((gflop / medians[chosen]) * 1e3).toFixed(1)),
      milliseconds: medians,
    });
    if (option('json') === undefined) {
      const list = Object.entries(medians)
        .sort((a, b) => a[1] - b[1])
        .map(([form, ms]) => `${form} ${ms}`)
        .join('  ');
      console.log(
        `${ratio > 1.1 ? '!' : ' '} ${name.padEnd(19)} ${shape.padEnd(34)} ${chosen.padEnd(10)} ×${ratio.toFixed(2)}   ${list}`,
      );
    }
  }
}
await runtime.close();
const summary = {
  rows: rows.length,
  withinTenPercent: rows.filter((r) => (r.ratio as number) <= 1.1).length,
  worst: Number(worst.toFixed(3)),
};
console.log(
  option('json') === undefined
    ? `${summary.withinTenPercent} of ${summary.rows} within 10 %, worst ×${summary.worst}`
    : JSON.stringify({ ...summary, rows }),
);
await saveRows(
  'lowerings',
  rows.map((r) => ({ ...r, milliseconds: JSON.stringify(r.milliseconds) })),
);
