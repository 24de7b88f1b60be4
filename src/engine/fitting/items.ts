/** The training items as models read them: in blocks, through graphs, and by their classes. */
import { Cancelled } from '../../core/errors.ts';
import { type Listener, silent } from '../../core/events.ts';
import { sizeOf } from '../../core/shape.ts';
import { float32 } from '../../core/tensor.ts';
import { input } from '../../graph/leaf.ts';
import type { Value } from '../../graph/value.ts';
import type { AnyModel, FitData, ItemShape, TrainingPhase } from '../../models/index.ts';
import { Trace } from '../../nn/scope.ts';
import { assemble } from '../../nn/training.ts';
import { bind } from '../scoring/graph.ts';
import type { FitOptions } from './contract.ts';

/** Whether a step of the phases is fed the classes of its batch. */
export function readsClasses(phases: readonly TrainingPhase[], shape: ItemShape): boolean {
  const assembled = phases.map(({ phase, batchSize }) => assemble(phase, { shape: [batchSize, ...shape], classes: 2 }));
  return assembled.some(({ feeds }) => feeds.some((feed) => feed.kind === 'classes'));
}

/** How many numbers gradient training of items or tiles of a shape moves; 0 for a model that learns in another way. */
export function countParameters(
  model: AnyModel,
  config: unknown,
  { source, train, shape }: Pick<FitOptions, 'source' | 'train'> & { readonly shape: ItemShape },
): number {
  if (model.learns !== 'gradient') return 0;
  const classes = classesOf({ source, train }).length;
  const specs = model
    .phases(config, shape)
    .flatMap(({ phase, batchSize }) => assemble(phase, { shape: [batchSize, ...shape], classes }).trained);
  const sizes = new Map(specs.map(({ name, shape }) => [name, sizeOf(shape)]));
  return [...sizes.values()].reduce((n, size) => n + size, 0);
}

/** The classes of the training items, ascending. */
export function classesOf({ source, train }: Pick<FitOptions, 'source' | 'train'>): number[] {
  return [...new Set(Array.from(train, (item) => source.items[item].class))].sort((a, b) => a - b);
}

/** The training items in order, in blocks, as they are and through graphs. */
export function fitData({
  source,
  train,
  rng,
  runtime,
  pretrained = {},
  features,
  onEvent = silent,
  signal,
}: Pick<FitOptions, 'source' | 'train' | 'rng' | 'runtime' | 'pretrained' | 'features' | 'signal'> & {
  readonly onEvent?: Listener;
}): FitData {
  const values = sizeOf(source.shape);
  async function* members(size: number) {
    for (let at = 0; at < train.length; at += size) {
      // Work on a block never waits for anything: let Ctrl-C be heard.
      await new Promise((resolve) => setTimeout(resolve, 0));
      if (signal?.aborted) throw new Cancelled();
      yield train.subarray(at, Math.min(train.length, at + size));
    }
  }
  const read = async (items: Uint32Array) => {
    const data = new Float32Array(items.length * values);
    await source.read(items, data);
    return data;
  };
  return {
    shape: source.shape,
    count: train.length,
    rng: rng.split('fit'),
    onEvent,
    ...(signal && { signal }),
    async *blocks(size) {
      for await (const items of members(size)) yield { count: items.length, data: await read(items) };
    },
    compile: (program) => runtime.compile(program, { carry: program.carry }),
    async *through(task, build, size) {
      const graph = (x: Value) => {
        const trace = new Trace(false, pretrained);
        const outputs = build((group) => trace.group(group), x);
        return bind(task, outputs, trace, pretrained);
      };
      const { outputs, feed } = features?.over(source, graph) ?? {
        outputs: graph(input('x', ['N', ...source.shape])),
        feed: async (items: Uint32Array) => ({ x: float32(await read(items), [items.length, ...source.shape]) }),
      };
      const session = await runtime.compile({ name: task.replaceAll(' ', '-'), outputs, carry: {} });
      try {
        let done = 0;
        const begin = performance.now();
        for await (const items of members(size)) {
          const count = items.length;
          yield { count, outputs: await session.run(await feed(items), { signal, transfer: true }) };
          done += count;
          const rate = (1000 * done) / (performance.now() - begin);
          onEvent({ type: 'progress', task, done, total: train.length, unit: 'items', rate });
        }
      } finally {
        session.close().catch(() => {}); // who cancels does not wait
      }
    },
  };
}
