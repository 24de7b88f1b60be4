/**
 * Fitting. A gradient model runs its phases, K iterations per call of the runtime: every batch, draw and rate is a
 * function of the iteration alone, so K, which follows the clock, changes nothing but the speed, and a run that was cut
 * goes on to the same bytes. Models that learn by statistics get one pass over the data.
 */
import { Cancelled, InternalError, TrainingDiverged } from '../core/errors.ts';
import { type Listener, silent } from '../core/events.ts';
import type { Rng } from '../core/random.ts';
import { sizeOf } from '../core/shape.ts';
import { float32, type Tensors } from '../core/tensor.ts';
import { type AugmentOptions, augment, batchOrder, type Source, type Split } from '../data/index.ts';
import { input } from '../graph/leaf.ts';
import type { Program } from '../graph/program.ts';
import type { AnyModel, FitData, ItemShape, TrainingPhase } from '../models/index.ts';
import { drawn, Trace } from '../nn/scope.ts';
import { type AssembledPhase, assemble, type Feed, initialize } from '../nn/training.ts';
import type { Device, ProfileRow, Runtime, Session } from '../runtime/index.ts';
import { orAbort } from './cancel.ts';
import { watchCollapse } from './collapse.ts';
import { openPlanter } from './plant.ts';
import { bind } from './scoring.ts';

/** A call should take about this long: short enough for progress and cancelling, long enough to be efficient. */
const CALL_MS = { low: 150, aim: 200, high: 250 };
/** Feeds of one call at most. */
const CALL_BYTES = 64 * 2 ** 20;
/** Between checkpoints: at the end of an epoch, or in the middle of a very long one. */
const CHECKPOINT_MS = { epoch: 30_000, middle: 60_000 };

/** Means over one epoch. */
export interface EpochRecord {
  readonly phase: string;
  /** From 1. */
  readonly epoch: number;
  /** Mean of the phase's first loss. */
  readonly trainingLoss: number;
  /** Means of everything that the phase watches, `step.loss` and others. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** Where fitting stands: enough to go on from. */
export interface FitState {
  /** Index of the phase; the number of phases when all are done. */
  readonly phase: number;
  /** Iterations made of this phase. */
  readonly iteration: number;
  /** Parameters, buffers, and while a phase runs its optimiser state and averages. */
  readonly tensors: Tensors;
  readonly history: readonly EpochRecord[];
  /** Sums of the metrics over the epoch so far. */
  readonly sums: readonly number[];
}

export interface FitOptions {
  readonly model: AnyModel;
  // biome-ignore lint/suspicious/noExplicitAny: each model types its own options.
  readonly config: any;
  readonly source: Source;
  /** Item numbers to learn from. */
  readonly train: Uint32Array;
  /** What happens to each image of a batch at random; nothing unless given. Gradient models only. */
  readonly augment?: AugmentOptions;
  /** 1 = anomalous, in the order of `train`; all normal unless given. */
  readonly labels?: Uint8Array;
  readonly runtime: Runtime;
  readonly rng: Rng;
  readonly onEvent: Listener;
  readonly signal?: AbortSignal;
  readonly profile?: boolean;
  /** Tensors of the model's backbone as far as scoring needs them, as `backbone.` and their names. */
  readonly pretrained?: Tensors;
  /** Learnt from other items, to be brought up to date; models with `update` only. */
  readonly former?: Former;
  /** Where to go on. */
  readonly from?: FitState;
  /** Keeps a state; called at the end, now and then before it, and when the run is cancelled. */
  readonly save: (state: FitState) => Promise<void>;
  /** Sees each program before it is compiled. */
  readonly inspect?: (program: Program, device: Device) => Promise<void>;
}

/** What a model has learnt before its training items changed. */
export interface Former {
  readonly tensors: Tensors;
  /** Numbers of the former training items that stay, in order; those of the new ones begin with them. */
  readonly kept: Uint32Array;
  /** Their ids. */
  readonly ids: readonly string[];
}

export interface FitResult {
  readonly tensors: Tensors;
  readonly history: readonly EpochRecord[];
  readonly stepsPerSecond: number | null;
  readonly profile?: readonly ProfileRow[];
}

/** Fits a model. Throws Cancelled, and TrainingDiverged when a loss or a parameter is not finite. */
export async function fitModel(options: FitOptions): Promise<FitResult> {
  const { model, config, source, from, save } = options;
  if (model.learns === 'gradient') return fitByGradient(options, model.phases(config, source.shape));
  if (from && from.phase > 0) return { tensors: from.tensors, history: [], stepsPerSecond: null };
  const learnt = model.learns === 'statistics' ? await learn(options, model) : {};
  const tensors = { ...options.pretrained, ...learnt };
  requireFinite(tensors, `${model.name}: a learnt tensor`);
  await save({ phase: 1, iteration: 0, tensors, history: [], sums: [] });
  return { tensors, history: [], stepsPerSecond: null };
}

function learn({ former, ...options }: FitOptions, model: AnyModel & { learns: 'statistics' }): Promise<Tensors> {
  if (!former) return model.fit(options.config, fitData(options));
  if (!model.update) throw new InternalError(`${model.name} cannot be updated.`);
  const train = options.train.subarray(former.kept.length);
  return model.update(options.config, former.tensors, former.kept, fitData({ ...options, train }));
}

/** What a model learns from: supervised models from all training items, the others from the normal ones. */
export function trainingItems(model: AnyModel, split: Split): { train: Uint32Array; labels: Uint8Array } {
  const { train, trainLabels } = split;
  if (model.learning === 'supervised') return { train, labels: trainLabels };
  const normal = train.filter((_, i) => trainLabels[i] === 0);
  return { train: normal, labels: new Uint8Array(normal.length) };
}

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
function classesOf({ source, train }: Pick<FitOptions, 'source' | 'train'>): number[] {
  return [...new Set(Array.from(train, (item) => source.items[item].class))].sort((a, b) => a - b);
}

/** The training items in order, in blocks, as they are and through graphs. */
export function fitData({
  source,
  train,
  rng,
  runtime,
  pretrained = {},
  onEvent = silent,
  signal,
}: Pick<FitOptions, 'source' | 'train' | 'rng' | 'runtime' | 'pretrained' | 'signal'> & {
  readonly onEvent?: Listener;
}): FitData {
  const values = sizeOf(source.shape);
  async function* blocks(size: number) {
    for (let at = 0; at < train.length; at += size) {
      // Work on a block never waits for anything: let Ctrl-C be heard.
      await new Promise((resolve) => setTimeout(resolve, 0));
      if (signal?.aborted) throw new Cancelled();
      const indices = train.subarray(at, Math.min(train.length, at + size));
      const data = new Float32Array(indices.length * values);
      await source.read(indices, data);
      yield { count: indices.length, data };
    }
  }
  return {
    shape: source.shape,
    count: train.length,
    rng: rng.split('fit'),
    onEvent,
    ...(signal && { signal }),
    blocks,
    compile: (program) => runtime.compile(program, { carry: program.carry }),
    async *through(task, build, size) {
      const trace = new Trace(false, pretrained);
      const x = input('x', ['N', ...source.shape]);
      const outputs = bind(
        task,
        build((group) => trace.group(group), x),
        trace,
        pretrained,
      );
      const session = await runtime.compile({ name: task.replaceAll(' ', '-'), outputs, carry: {} });
      try {
        let done = 0;
        const begin = performance.now();
        for await (const { count, data } of blocks(size)) {
          yield { count, outputs: await session.run({ x: float32(data, [count, ...source.shape]) }, { signal }) };
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

/** A phase with the numbers that follow from the data. */
interface Plan {
  readonly phase: TrainingPhase['phase'];
  readonly batchSize: number;
  readonly anomalyShare?: number;
  readonly balanced?: boolean;
  readonly defects?: TrainingPhase['defects'];
  readonly perEpoch: number;
  readonly total: number;
}

function planOf(
  { phase, epochs, batchSize, anomalyShare, balanced, defects }: TrainingPhase,
  { train, labels, onEvent }: Pick<FitOptions, 'train' | 'labels' | 'onEvent'>,
): Plan {
  const size = Math.min(batchSize, train.length);
  if (size < batchSize) {
    onEvent({
      type: 'warning',
      code: 'batch-size',
      message: `The batch size is lowered from ${batchSize} to ${size}: there are only ${train.length} training items.`,
    });
  }
  const normals = train.length - (labels?.reduce((n, y) => n + y, 0) ?? 0);
  const perEpoch = Math.max(1, balanced ? Math.floor(normals / (size >> 1)) : Math.floor(train.length / size));
  return { phase, batchSize: size, anomalyShare, balanced, defects, perEpoch, total: epochs * perEpoch };
}

/** Counts steps over all phases. */
interface Clock {
  readonly total: number;
  done: number;
  steps: number;
  milliseconds: number;
}

async function fitByGradient(options: FitOptions, phases: readonly TrainingPhase[]): Promise<FitResult> {
  const { from } = options;
  const plans = phases.map((phase) => planOf(phase, options));
  const before = plans.slice(0, from?.phase ?? 0).reduce((n, p) => n + p.total, 0);
  const clock: Clock = {
    total: plans.reduce((n, p) => n + p.total, 0),
    done: before + (from?.iteration ?? 0),
    steps: 0,
    milliseconds: 0,
  };
  let state: FitState = from ?? { phase: 0, iteration: 0, tensors: { ...options.pretrained }, history: [], sums: [] };
  const profiles: ProfileRow[] = [];
  while (state.phase < plans.length) {
    const run = new PhaseRun(options, plans[state.phase], state, clock);
    const { tensors, history } = await run.fit(profiles);
    state = { phase: state.phase + 1, iteration: 0, tensors, history, sums: [] };
    await options.save(state);
  }
  return {
    tensors: state.tensors,
    history: state.history,
    stepsPerSecond: clock.steps > 0 ? (1000 * clock.steps) / clock.milliseconds : null,
    ...(options.profile && { profile: profiles }),
  };
}

/** Makes the inputs of iterations of one phase: a pure function of the iteration. */
export class Feeder {
  private readonly feeds: readonly Feed[];
  /** By slot: positions in `train` of the batch of an iteration. */
  private readonly orders = new Map<number, (iteration: number) => Uint32Array>();
  private readonly classes: readonly number[];
  private readonly plant: ReturnType<typeof openPlanter>;

  constructor(
    assembled: AssembledPhase,
    session: Session,
    private readonly data: Pick<FitOptions, 'source' | 'train' | 'labels' | 'rng' | 'augment'>,
    private readonly plan: Plan,
  ) {
    this.feeds = assembled.feeds.filter((f) => session.inputs.includes(f.name));
    this.classes = classesOf(data);
    this.plant = openPlanter(plan.defects ?? {}, data.source.shape);
    for (const feed of this.feeds) {
      if (feed.kind === 'draw' || feed.kind === 'rate') continue;
      const rng = data.rng.split('batches').split(plan.phase.name).split(feed.slot);
      this.orders.set(feed.slot, positionsOf(data, plan, rng));
    }
  }

  /** Bytes that one iteration needs. */
  get bytes(): number {
    return this.feeds.reduce((n, f) => n + 4 * (f.kind === 'rate' ? 1 : sizeOf(shapeOf(f))), 0);
  }

  /** Feeds of `count` iterations, each with a leading axis of that length. */
  async at(first: number, count: number): Promise<Tensors> {
    const { train, labels, rng, source } = this.data;
    const { phase, batchSize, total } = this.plan;
    const feeds: Tensors = {};
    // What several feeds are made of is made once.
    const read = once((slot) => this.imagesOf(slot, first, count));
    const planted = once(async (slot) => this.plantedOn(await read(slot), slot, first, count));
    for (const feed of this.feeds) {
      const shape = shapeOf(feed);
      const size = sizeOf(shape);
      let data = new Float32Array(feed.kind === 'batch' ? 0 : count * size);
      if (feed.kind === 'batch') {
        data = await read(feed.slot);
      } else if (feed.kind === 'planted' || feed.kind === 'masks') {
        const { images, masks } = await planted(feed.slot);
        data = feed.kind === 'planted' ? images : masks;
      } else if (feed.kind === 'labels') {
        const positionsAt = this.orders.get(feed.slot)!;
        for (let k = 0; k < count && labels; k++) {
          for (const [i, position] of positionsAt(first + k).entries()) data[k * batchSize + i] = labels[position];
        }
      } else if (feed.kind === 'classes') {
        const positionsAt = this.orders.get(feed.slot)!;
        for (let k = 0; k < count; k++) {
          for (const [i, position] of positionsAt(first + k).entries()) {
            const one = this.classes.indexOf(source.items[train[position]].class);
            data[k * size + i * this.classes.length + one] = 1;
          }
        }
      } else if (feed.kind === 'draw') {
        const stream = rng.split('draw').split(phase.name).split(feed.name);
        for (let k = 0; k < count; k++) {
          data.set(drawn(feed.draw, stream.split(first + k)), k * size);
        }
      } else if (feed.kind === 'rate') {
        for (let k = 0; k < count; k++) data[k] = feed.rate(first + k, total);
      }
      feeds[feed.name] = float32(data, [count, ...shape]);
    }
    return feeds;
  }

  /** The batches of a slot over `count` iterations, `[count · N, ...shape]`. */
  private async imagesOf(slot: number, first: number, count: number): Promise<Float32Array<ArrayBuffer>> {
    const { source, train, rng } = this.data;
    const { phase, batchSize } = this.plan;
    const size = batchSize * sizeOf(source.shape);
    const positionsAt = this.orders.get(slot)!;
    const indices = new Uint32Array(count * batchSize);
    for (let k = 0; k < count; k++) {
      const positions = positionsAt(first + k);
      for (let i = 0; i < batchSize; i++) indices[k * batchSize + i] = train[positions[i]];
    }
    const data = new Float32Array(count * size);
    await source.read(indices, data);
    const stream = rng.split('augment').split(phase.name).split(slot);
    for (let k = 0; k < count; k++) this.vary(data.subarray(k * size, (k + 1) * size), stream.split(first + k));
    return data;
  }

  /** The same with synthetic defects, and the masks. */
  private async plantedOn(batches: Float32Array, slot: number, first: number, count: number) {
    const stream = this.data.rng.split('defects').split(this.plan.phase.name).split(slot);
    const size = batches.length / count;
    const [images, masks] = [
      new Float32Array(batches.length),
      new Float32Array(batches.length / this.data.source.shape[0]),
    ];
    for (let k = 0; k < count; k++) {
      const made = await this.plant(batches.subarray(k * size, (k + 1) * size), stream.split(first + k));
      images.set(made.images, k * size);
      masks.set(made.masks, k * made.masks.length);
    }
    return { images, masks };
  }

  /** Puts a random variant of each image of a batch in its place. */
  private vary(batch: Float32Array, rng: Rng): void {
    const { source, augment: options } = this.data;
    if (!options) return;
    const [channels, height, width] = source.shape;
    const size = channels * height * width;
    for (let i = 0; i < this.plan.batchSize; i++) {
      const image = batch.subarray(i * size, (i + 1) * size);
      image.set(augment({ channels, height, width, image }, options, rng.split(i)).image);
    }
  }
}

/** A function of a slot that works each out once. */
function once<T>(make: (slot: number) => Promise<T>): (slot: number) => Promise<T> {
  const known = new Map<number, Promise<T>>();
  return (slot) => {
    const found = known.get(slot) ?? make(slot);
    known.set(slot, found);
    return found;
  };
}

/** The batches of a slot: all items in a seeded order, or where anomalies are too rare each kind in its own. */
function positionsOf(
  data: Pick<FitOptions, 'source' | 'train' | 'labels'>,
  { batchSize, anomalyShare, balanced }: Pick<Plan, 'batchSize' | 'anomalyShare' | 'balanced'>,
  rng: Rng,
): (iteration: number) => Uint32Array {
  const { train, labels } = data;
  const all = Uint32Array.from(train.keys());
  const [normal, anomalous] = [0, 1].map((label) => all.filter((i) => (labels?.[i] ?? 0) === label));
  if (balanced) return balancedPositions(data, normal, anomalous, batchSize, rng);
  const isRare = anomalyShare !== undefined && anomalous.length < anomalyShare * train.length;
  if (!isRare || normal.length === 0 || anomalous.length === 0) {
    const order = batchOrder({ n: train.length, batchSize, rng });
    return (iteration) => order.at(iteration);
  }
  const count = Math.max(1, Math.min(batchSize - 1, Math.round(anomalyShare * batchSize)));
  const orders = [
    {
      members: normal,
      order: batchOrder({ n: normal.length, batchSize: batchSize - count, rng: rng.split('normal') }),
    },
    { members: anomalous, order: batchOrder({ n: anomalous.length, batchSize: count, rng: rng.split('anomalous') }) },
  ];
  return (iteration) =>
    Uint32Array.from(orders.flatMap(({ members, order }) => Array.from(order.at(iteration), (i) => members[i])));
}

/** Half a batch of normal items, then anomalies that take turns by class, each class in an order of its own. */
function balancedPositions(
  { source, train }: Pick<FitOptions, 'source' | 'train'>,
  normal: Uint32Array,
  anomalous: Uint32Array,
  batchSize: number,
  rng: Rng,
): (iteration: number) => Uint32Array {
  if (normal.length === 0 || anomalous.length === 0) {
    throw new InternalError(`balanced batches need both kinds, got ${normal.length} normal, ${anomalous.length} not.`);
  }
  const half = batchSize >> 1;
  const rest = batchSize - half;
  const normals = batchOrder({ n: normal.length, batchSize: half, rng: rng.split('normal') });
  const classOf = (position: number) => source.items[train[position]].class;
  const kinds = [...new Set(Array.from(anomalous, classOf))]
    .sort((a, b) => a - b)
    .map((number) => {
      const members = anomalous.filter((position) => classOf(position) === number);
      return { members, order: batchOrder({ n: members.length, batchSize: 1, rng: rng.split('class').split(number) }) };
    });
  return (iteration) => {
    const turns = Array.from({ length: rest }, (_, i) => iteration * rest + i);
    return Uint32Array.from([
      ...Array.from(normals.at(iteration), (i) => normal[i]),
      ...turns.map((turn) => {
        const { members, order } = kinds[turn % kinds.length];
        return members[order.at(Math.floor(turn / kinds.length))[0]];
      }),
    ]);
  };
}

function shapeOf(feed: Feed): readonly number[] {
  if (feed.kind === 'rate') return [];
  return feed.kind === 'draw' ? feed.draw.shape : feed.shape;
}

/** Compiles a phase and puts its state in place. */
export async function openPhase(
  options: Pick<FitOptions, 'source' | 'train' | 'rng' | 'profile' | 'inspect'>,
  plan: Pick<Plan, 'phase' | 'batchSize'>,
  tensors: Tensors,
  runtime: Runtime,
): Promise<{ assembled: AssembledPhase; session: Session; packed: Tensors }> {
  const classes = classesOf(options).length;
  const assembled = assemble(plan.phase, { shape: [plan.batchSize, ...options.source.shape], classes });
  await options.inspect?.(assembled.program, runtime.device);
  const { carry } = assembled.program;
  const session = await runtime.compile(assembled.program, { carry, profile: options.profile });
  const missing = assembled.specs.filter((s) => !(s.name in tensors));
  const packed = assembled.pack({ ...tensors, ...initialize(missing, options.rng.split('init')) });
  // What a frozen group holds stays as it is; the rest is carried from call to call.
  await session.setState(Object.fromEntries(Object.entries(packed).filter(([name]) => session.inputs.includes(name))));
  return { assembled, session, packed };
}

/** One phase from where the state stands to its end. */
class PhaseRun {
  private iteration: number;
  private history: EpochRecord[];
  private sums: number[];
  /** Time and iteration of the last checkpoint. */
  private saved: number | undefined;
  private savedAt: number | undefined;
  private readonly watch: ReturnType<typeof watchCollapse>;

  constructor(
    private readonly options: FitOptions,
    private readonly plan: Plan,
    private readonly start: FitState,
    private readonly clock: Clock,
  ) {
    this.iteration = start.iteration;
    this.history = [...start.history];
    this.sums = [...start.sums];
    if (start.iteration > 0) this.savedAt = start.iteration;
    this.watch = watchCollapse(plan.total / plan.perEpoch);
    // What an earlier start of the run has told is not told again.
    for (const record of start.history) if (record.phase === plan.phase.name) this.watch(record);
  }

  async fit(profiles: ProfileRow[]): Promise<{ tensors: Tensors; history: EpochRecord[] }> {
    const { options, plan, clock } = this;
    const opening = openPhase(options, plan, this.start.tensors, options.runtime);
    const { assembled, session, packed } = await orAbort(opening, options.signal);
    try {
      const read = async (): Promise<Tensors> => {
        // What the phase does not touch comes from the phases before it.
        const tensors = assembled.unpack({ ...packed, ...(await session.state()) });
        this.requireFiniteState(tensors);
        return { ...this.start.tensors, ...tensors };
      };
      const begin = performance.now();
      const first = this.iteration;
      await this.iterate(new Feeder(assembled, session, options, plan), assembled, session, read);
      clock.milliseconds += performance.now() - begin;
      clock.steps += this.iteration - first;
      const tensors = settle(await read(), assembled);
      if (options.profile) profiles.push(...(await session.profile()));
      return { tensors, history: this.history };
    } finally {
      // Queued behind the call under way; who cancels does not wait for it.
      session.close().catch(() => {});
    }
  }

  /** Runs to the end of the phase; the next feeds are made while a call runs. */
  private async iterate(
    feeder: Feeder,
    assembled: AssembledPhase,
    session: Session,
    read: () => Promise<Tensors>,
  ): Promise<void> {
    const { plan, clock } = this;
    const { onEvent, signal } = this.options;
    const most = Math.max(1, Math.floor(CALL_BYTES / feeder.bytes));
    const begin = { time: performance.now(), done: clock.done };
    let k = 1;
    let count = Math.min(k, plan.total - this.iteration);
    let next = feeder.at(this.iteration, count);
    while (this.iteration < plan.total) {
      await this.stopIfCancelled(read);
      const feeds = await next;
      const called = performance.now();
      const running = session.run(feeds, { fetch: assembled.metrics, transfer: true });
      const made = count;
      count = Math.min(k, plan.total - this.iteration - made);
      if (count > 0) {
        next = feeder.at(this.iteration + made, count);
        next.catch(() => {}); // heard when it is awaited
      }
      const results = await orAbort(running, signal);
      const milliseconds = performance.now() - called;
      if (made === k && (milliseconds < CALL_MS.low || milliseconds > CALL_MS.high)) {
        const wanted = Math.round((CALL_MS.aim * made) / milliseconds);
        k = Math.max(1, Math.min(wanted, 4 * k, most));
      }
      const epochs = this.history.length;
      const last = this.record(results, assembled.metrics, made);
      clock.done += made;
      const rate = (1000 * (clock.done - begin.done)) / (performance.now() - begin.time);
      onEvent({
        type: 'progress',
        task: 'fit',
        done: clock.done,
        total: clock.total,
        unit: 'step',
        rate,
        metrics: last,
      });
      const ended = this.history.length > epochs;
      const since = performance.now() - (this.saved ?? begin.time);
      const due = ended ? this.saved === undefined || since > CHECKPOINT_MS.epoch : since > CHECKPOINT_MS.middle;
      if (due && this.iteration < plan.total) await this.save(read);
    }
    await this.stopIfCancelled(read);
  }

  /** Takes the metrics of `count` iterations in; returns the last ones. */
  private record(results: Tensors, names: readonly string[], count: number): Record<string, number> {
    const { phase, perEpoch } = this.plan;
    for (let k = 0; k < count; k++) {
      const values = names.map((name) => Number(results[name].data[k]));
      const bad = values.findIndex((v) => !Number.isFinite(v));
      if (bad >= 0) throw this.diverged(`${names[bad]} must stay finite, got ${values[bad]}`, this.iteration + 1);
      this.sums = values.map((v, i) => (this.sums[i] ?? 0) + v);
      this.iteration++;
      if (this.iteration % perEpoch !== 0) continue;
      const means = this.sums.map((s) => s / perEpoch);
      const metrics = Object.fromEntries(names.map((name, i) => [name, means[i]]));
      const epoch = this.iteration / perEpoch;
      const record = { phase: phase.name, epoch, trainingLoss: means[0], metrics };
      this.history.push(record);
      this.sums = [];
      for (const [name, value] of Object.entries(metrics))
        this.options.onEvent({ type: 'metric', name, step: epoch, value, phase: phase.name });
      for (const warning of this.watch(record)) this.options.onEvent(warning);
    }
    return Object.fromEntries(names.map((name) => [name, Number(results[name].data[count - 1])]));
  }

  private async save(read: () => Promise<Tensors>): Promise<void> {
    const { iteration, history, sums } = this;
    await this.options.save({ phase: this.start.phase, iteration, tensors: await read(), history: [...history], sums });
    this.saved = performance.now();
    this.savedAt = iteration;
  }

  private async stopIfCancelled(read: () => Promise<Tensors>): Promise<void> {
    if (!this.options.signal?.aborted) return;
    await this.save(read);
    throw new Cancelled(`Cancelled at step ${this.clock.done} of ${this.clock.total}. Go on with --resume.`);
  }

  private requireFiniteState(tensors: Tensors): void {
    const bad = nonFinite(tensors);
    if (bad) throw this.diverged(`the tensor ${bad.name} must stay finite, found ${bad.value}`, this.iteration);
  }

  private diverged(what: string, step: number): TrainingDiverged {
    const { plan, options, savedAt } = this;
    const kept =
      savedAt === undefined
        ? 'Nothing was saved before.'
        : `The checkpoint of step ${savedAt} is kept: nothing after it was saved.`;
    return new TrainingDiverged(
      `${options.model.name}: ${what} in phase "${plan.phase.name}" at step ${step} of ${plan.total}. ${kept} ` +
        'Lower the learning rate, or look for broken training images.',
    );
  }
}

/** The tensors that a finished phase leaves: averages take the place of what they average, optimiser state goes. */
function settle(tensors: Tensors, assembled: AssembledPhase): Tensors {
  const averaged = new Set(assembled.phase.average ? Object.keys(tensors).filter((n) => n.startsWith('ema.')) : []);
  return Object.fromEntries(
    Object.entries(tensors)
      .filter(([name]) => !name.startsWith('state/') && !averaged.has(name))
      .map(([name, t]) => [name, averaged.has(`ema.${name}`) ? tensors[`ema.${name}`] : t]),
  );
}

/** Parameters as a scoring graph wants them, also from the middle of a phase. */
export function trainedTensors(tensors: Tensors): Tensors {
  return Object.fromEntries(
    Object.entries(tensors)
      .filter(([name]) => !name.startsWith('state/') && !name.startsWith('ema.'))
      .map(([name, t]) => [name, tensors[`ema.${name}`] ?? t]),
  );
}

function nonFinite(tensors: Tensors): { name: string; value: number } | undefined {
  for (const [name, { dtype, data }] of Object.entries(tensors)) {
    if (dtype !== 'float32' && dtype !== 'float64') continue;
    const values = data as Float32Array;
    for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return { name, value: values[i] };
  }
  return undefined;
}

function requireFinite(tensors: Tensors, what: string): void {
  const bad = nonFinite(tensors);
  if (bad) throw new TrainingDiverged(`${what} must be finite, found ${bad.value} in ${bad.name}. Look at the images.`);
}

/** A training step on a device, for measuring: the first call on a runtime also compiles. */
export function stepTrial(
  data: Pick<FitOptions, 'source' | 'train' | 'labels' | 'rng' | 'augment' | 'signal'>,
  phases: readonly TrainingPhase[],
): (runtime: Runtime) => Promise<void> {
  const plan = planOf(phases[0], { train: data.train, onEvent: () => {} });
  const open = new WeakMap<Runtime, ReturnType<typeof openPhase>>();
  return async (runtime) => {
    const opening = open.get(runtime) ?? openPhase(data, plan, {}, runtime);
    open.set(runtime, opening);
    const { assembled, session } = await orAbort(opening, data.signal);
    const feeds = await new Feeder(assembled, session, data, plan).at(0, 1);
    await session.run(feeds, { fetch: assembled.metrics, signal: data.signal });
  };
}
