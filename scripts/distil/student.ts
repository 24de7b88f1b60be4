/** The backbone while it learns: what it begins as, what a step is, and its tensors at the end. */
import {
  findBackbone,
  imagenet,
  oddity,
  oddityNetwork,
  oddityTaps,
  prepare,
  tensorsOf,
} from '../../src/backbones/index.ts';
import { loadWeights } from '../../src/backbones/load.ts';
import { sizeOf } from '../../src/core/shape.ts';
import type { Tensors } from '../../src/core/tensor.ts';
import * as g from '../../src/graph/ops/index.ts';
import type { Value } from '../../src/graph/value.ts';
import * as nn from '../../src/nn/index.ts';
import { heads } from './targets.ts';

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

/** Steps over which the rate rises, and the share of the last ones over which it falls to 0. */
const WARM_UP = 100;
const COOLED = 0.2;

/** The step behind which the rate falls. */
export const cooledFrom = (total: number): number => Math.floor((1 - COOLED) * total);

/** Until it falls, the rate at a step does not depend on how many there will be. */
export const stableThenCooled: nn.Schedule = (iteration, total) =>
  Math.min(1, (iteration + 1) / WARM_UP, Math.max(0, total - iteration) / Math.max(1, total - cooledFrom(total)));

/** The one phase of distillation: the mean squared errors of the three heads. */
export function distillation({ learningRate, weightDecay }: { learningRate: number; weightDecay: number }): nn.Phase {
  return {
    name: 'distil',
    steps: [
      {
        name: 'distil',
        updates: ['student'],
        optimizer: nn.adamW({ learningRate, weightDecay }),
        schedule: stableThenCooled,
        clipNorm: 5,
        loss({ net, x }) {
          const { image, targets } = unpackItems(x);
          const found = [...oddityNetwork(net('student'), prepare(imagenet, image))];
          const losses = found.map(([, head], i) => nn.l2(head(), targets[i]));
          return {
            loss: losses.reduce((a, b) => g.add(a, b)),
            metrics: Object.fromEntries(heads.map((head, i) => [head, losses[i]])),
          };
        },
      },
    ],
  };
}

/** The trunk begins as SqueezeNet 1.1, the heads as the best linear guesses from its features. */
export async function beginning(root: string, guesses: Tensors): Promise<Tensors> {
  const trunk = await loadWeights(findBackbone('squeezenet1_1'), { root });
  return Object.fromEntries(
    [...tensorsOf(oddity).keys()].map((name) => {
      const of = name.replace(/^stem\./, 'features.0.').replace(/^fire/, 'features.');
      return [`student.${name}`, trunk[of] ?? guesses[name]];
    }),
  );
}

/** The tensors of the backbone from those of the student. */
export const learnt = (tensors: Tensors): Tensors =>
  Object.fromEntries([...tensorsOf(oddity).keys()].map((name) => [name, tensors[`student.${name}`]]));
