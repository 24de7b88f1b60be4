/** Feeds and runs an assembled phase, for tests: every input of an iteration comes from a stream named after it. */
import { Rng } from '../../dist/core/random.js';
import { allocate, type Tensor, type Tensors } from '../../dist/core/tensor.js';
import type { AssembledPhase, Feed } from '../../dist/nn/index.js';
import type { Runtime } from '../../dist/runtime/index.js';

const shapeOf = (feed: Feed): readonly number[] =>
  feed.kind === 'rate' ? [] : feed.kind === 'draw' ? feed.draw.shape : feed.shape;

/** The values of one feed at one iteration. */
export type Source = (feed: Feed, iteration: number) => Float32Array | undefined;

/** Rates by schedule; batches, labels and draws random unless `source` has something better. */
export function valuesOf(feed: Feed, iteration: number, total: number, source: Source = () => undefined): Float32Array {
  const given = source(feed, iteration);
  if (given) return given;
  if (feed.kind === 'rate') return Float32Array.of(feed.rate(iteration, total));
  const rng = new Rng(5).split(feed.name).split(iteration);
  const size = shapeOf(feed).reduce((n, d) => n * d, 1);
  if (feed.kind === 'labels') return Float32Array.from({ length: size }, () => rng.int(2));
  return feed.kind === 'draw' && feed.draw.kind === 'uniform' ? rng.uniforms(size) : rng.normals(size);
}

/** Feeds of `count` iterations from `start` on, stacked. */
export function feedsOf(phase: AssembledPhase, start: number, count: number, total: number, source?: Source): Tensors {
  return Object.fromEntries(
    phase.feeds.map((feed): [string, Tensor] => {
      const parts = Array.from({ length: count }, (_, k) => valuesOf(feed, start + k, total, source));
      const data = allocate('float32', parts.length * parts[0].length) as Float32Array;
      parts.forEach((part, k) => {
        data.set(part, k * part.length);
      });
      return [feed.name, { dtype: 'float32', shape: [count, ...shapeOf(feed)], data }];
    }),
  );
}

export interface Trained {
  /** Named tensors after the last call. */
  tensors: Tensors;
  /** Metric → its value at every iteration. */
  metrics: Record<string, number[]>;
}

/** Trains in calls of the given numbers of iterations. */
export async function train(
  runtime: Runtime,
  phase: AssembledPhase,
  tensors: Tensors,
  calls: readonly number[],
  options: { start?: number; total?: number; source?: Source } = {},
): Promise<Trained> {
  const { start = 0, source } = options;
  const total = options.total ?? start + calls.reduce((a, b) => a + b, 0);
  const session = await runtime.compile(phase.program);
  try {
    const packed = phase.pack(tensors);
    await session.setState(
      Object.fromEntries(Object.entries(packed).filter(([name]) => session.inputs.includes(name))),
    );
    const metrics: Record<string, number[]> = Object.fromEntries(phase.metrics.map((name) => [name, []]));
    let at = start;
    for (const count of calls) {
      const feeds = feedsOf(phase, at, count, total, source);
      const used = Object.fromEntries(Object.entries(feeds).filter(([name]) => session.inputs.includes(name)));
      const results = await session.run(used);
      for (const name of phase.metrics) metrics[name].push(...Array.from(results[name].data, Number));
      at += count;
    }
    return { tensors: { ...tensors, ...phase.unpack(await session.state()) }, metrics };
  } finally {
    await session.close();
  }
}
