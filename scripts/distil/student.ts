/** The backbone while it learns: batch norms behind its convolutions, and how they are folded into them. */
import { imagenet, normed, oddity, oddityNetwork, oddityTaps, prepare, tensorsOf } from '../../src/backbones/index.ts';
import { sizeOf } from '../../src/core/shape.ts';
import { float32, type Tensors } from '../../src/core/tensor.ts';
import * as g from '../../src/graph/ops/index.ts';
import type { Value } from '../../src/graph/value.ts';
import * as nn from '../../src/nn/index.ts';
import { heads } from './targets.ts';

/** What `batchNorm` adds to variances. */
const EPS = 1e-5;

/** Planes that the targets of an image fill behind its three colours. */
export function targetPlanes(side: number): number {
  const values = heads.reduce((n, head) => n + oddityTaps[head].channels * (side / oddityTaps[head].stride) ** 2, 0);
  return Math.ceil(values / side ** 2);
}

/** An item is an image and, behind it, its targets: `[N, 3 + planes, side, side]`. */
function unpackItems(x: Value): { image: Value; targets: Value[] } {
  const [count, channels, side] = x.shape as number[];
  const image = g.slice(x, { 1: [0, 3] });
  const rest = g.reshape(g.slice(x, { 1: [3, channels] }), [count, (channels - 3) * side * side]);
  let at = 0;
  const targets = heads.map((head) => {
    const grid = side / oddityTaps[head].stride;
    const shape = [count, oddityTaps[head].channels, grid, grid];
    const size = sizeOf(shape.slice(1));
    at += size;
    return g.reshape(g.slice(rest, { 1: [at - size, at] }), shape);
  });
  return { image, targets };
}

/** The one phase of distillation: the mean squared error of both heads. */
export function distillation({ learningRate, weightDecay }: { learningRate: number; weightDecay: number }): nn.Phase {
  return {
    name: 'distil',
    steps: [
      {
        name: 'distil',
        updates: ['student'],
        optimizer: nn.adamW({ learningRate, weightDecay }),
        schedule: nn.warmUp(0.03, nn.cosineDecay()),
        clipNorm: 5,
        loss({ net, x }) {
          const { image, targets } = unpackItems(x);
          const found = [...oddityNetwork(net('student'), prepare(imagenet, image), normed)];
          const losses = found.map(([, value], i) => nn.l2(value, targets[i]));
          return {
            loss: losses.reduce((a, b) => g.add(a, b)),
            metrics: Object.fromEntries(heads.map((head, i) => [head, losses[i]])),
          };
        },
      },
    ],
  };
}

/** The tensors of the backbone from those of the student: w' = w γ / √(σ² + ε), b' = β − μ γ / √(σ² + ε). */
export function folded(tensors: Tensors): Tensors {
  const of = (name: string) => tensors[`student.${name}`]?.data as Float32Array | undefined;
  return Object.fromEntries(
    [...tensorsOf(oddity)].map(([name, shape]) => {
      const [place, part] = [name.slice(0, name.lastIndexOf('.')), name.slice(name.lastIndexOf('.') + 1)];
      const gamma = of(`${place}.norm.weight`);
      if (!gamma) return [name, float32(of(name)!, shape)];
      const [beta, mean, variance] = ['bias', 'running_mean', 'running_var'].map((key) => of(`${place}.norm.${key}`)!);
      const factor = gamma.map((v, i) => v / Math.sqrt(variance[i] + EPS));
      if (part === 'bias')
        return [
          name,
          float32(
            beta.map((v, i) => v - mean[i] * factor[i]),
            shape,
          ),
        ];
      const weight = of(name)!;
      const perFilter = weight.length / factor.length;
      return [
        name,
        float32(
          weight.map((v, i) => v * factor[Math.floor(i / perFilter)]),
          shape,
        ),
      ];
    }),
  );
}
