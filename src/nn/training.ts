/**
 * Training programs. `assemble` turns a phase into one program that makes a whole iteration: all steps in order,
 * gradients, optimiser updates, buffers and averages, over flat state vectors.
 */
import { InternalError } from '../core/errors.ts';
import type { Rng } from '../core/random.ts';
import { sizeOf } from '../core/shape.ts';
import { float32, type Tensors } from '../core/tensor.ts';
import { gradients } from '../graph/grad.ts';
import { input } from '../graph/leaf.ts';
import * as g from '../graph/ops/index.ts';
import type { Program } from '../graph/program.ts';
import { substitute } from '../graph/substitute.ts';
import type { Value } from '../graph/value.ts';
import { clipByNorm, gradientNorm } from './optimizers.ts';
import { type Phase, partsOf, type Step, type Watch } from './phase.ts';
import { constant } from './schedules.ts';
import { type Draw, type Spec, Trace } from './scope.ts';
import { spread } from './spread.ts';
import { declare, joinPack, type Pack, packsOf, packTensors, type State, splitPack, unpackTensors } from './state.ts';

/** An input that gets one entry per iteration. */
export type Feed =
  | {
      readonly name: string;
      readonly kind: 'batch' | 'labels' | 'classes' | 'planted' | 'masks';
      readonly slot: number;
      readonly shape: readonly number[];
    }
  | { readonly name: string; readonly kind: 'draw'; readonly draw: Draw }
  | { readonly name: string; readonly kind: 'rate'; readonly rate: (iteration: number, total: number) => number };

/** A phase, ready to be compiled, with what is needed to feed it and to read its state. */
export interface AssembledPhase {
  readonly phase: Phase;
  readonly program: Program;
  readonly feeds: readonly Feed[];
  /** Number of different batches that an iteration draws. */
  readonly batches: number;
  /** Scalars that come back per iteration, losses first: what the steps watch, and the norm of each step's gradient. */
  readonly metrics: readonly string[];
  /** Which of them are spreads of what a step watches. */
  readonly watched: readonly Watched[];
  /** Every parameter and buffer that the phase uses. */
  readonly specs: readonly Spec[];
  /** Those parameters that one of its steps moves. */
  readonly trained: readonly Spec[];
  /** The state vectors from named tensors; optimiser state starts fresh where it is not among them. */
  pack(tensors: Tensors): Tensors;
  /** Named tensors from the state vectors: parameters, buffers, averages (`ema.` + name) and optimiser state. */
  unpack(state: Tensors): Tensors;
}

/** The metric that is the spread of what a step watches. */
export interface Watched {
  readonly metric: string;
  readonly kind: keyof Watch;
}

/** Makes the first values of parameters and buffers, each from a stream named after it. */
export function initialize(specs: readonly Spec[], rng: Rng): Tensors {
  return Object.fromEntries(specs.map((s) => [s.name, float32(s.init(s.shape, rng.split(s.name), s.fan), s.shape)]));
}

/** What the batches of a phase are. */
export interface BatchType {
  /** `[N, ...]` with N fixed. */
  readonly shape: readonly number[];
  /** Different classes among the training items; 1 by default. */
  readonly classes?: number;
}

/** Turns a phase into a program. */
export function assemble(phase: Phase, batch: BatchType): AssembledPhase {
  const feeds: Feed[] = [];
  const runs = traceSteps(phase, batch, feeds);
  const layout = layOut(phase, runs);
  const state: State = new Map();
  for (const pack of layout.packs) declare(state, pack.name, pack.size, { start: 0, holds: { pack, prefix: '' } });
  const watched: Record<string, Value> = Object.assign({}, ...runs.map((run) => chain(run, layout, state, feeds)));
  if (phase.average) averageParameters(phase.average, layout, state, feeds);
  return {
    phase,
    program: programOf(phase, watched, state, feeds),
    feeds,
    batches: Math.max(1, ...phase.steps.map((s) => s.repeats ?? 1)),
    metrics: Object.keys(watched).sort((a, b) => Number(b.endsWith('.loss')) - Number(a.endsWith('.loss'))),
    watched: runs.flatMap(({ step, watch }) =>
      kindsOf(watch).map((kind) => ({ metric: `${step.name}.${spreadName(kind)}`, kind })),
    ),
    specs: [...layout.parameters, ...layout.buffers],
    trained: layout.parameters.filter(({ name }) => phase.steps.some((s) => s.updates.includes(groupOf(name)))),
    pack: (tensors) => packTensors(state, tensors),
    unpack: (values) => unpackTensors(state, values),
  };
}

const groupOf = (name: string): string => name.slice(0, name.indexOf('.'));

/** A step at one of its repeats, traced: what it computes and which parameters it asks for. */
interface Run {
  readonly step: Step;
  readonly repeat: number;
  readonly trace: Trace;
  readonly loss: Value;
  readonly metrics: Readonly<Record<string, Value>>;
  readonly watch: Watch;
}

const spreadName = (kind: keyof Watch) => `${kind}-spread`;
const kindsOf = (watch: Watch) => Object.keys(watch) as (keyof Watch)[];

/** Traces every step, in the order in which they run. Adds what they read of a batch to the feeds. */
function traceSteps(phase: Phase, batch: BatchType, feeds: Feed[]): Run[] {
  const [count, , ...sides] = batch.shape;
  const shapes = {
    batch: batch.shape,
    labels: [count],
    classes: [count, batch.classes ?? 1],
    planted: batch.shape,
    masks: [count, 1, ...sides],
  };
  const slots = new Map<string, Value>();
  const slot = (kind: keyof typeof shapes, index: number): Value => {
    const name = `${kind}/${index}`;
    const known = slots.get(name);
    if (known) return known;
    const shape = shapes[kind];
    const value = input(name, shape);
    slots.set(name, value);
    feeds.push({ name, kind, slot: index, shape });
    return value;
  };
  const traceOne = (step: Step, repeat: number): Run => {
    const trace = new Trace(true);
    const result = step.loss({
      net: (group) => trace.group(group),
      get x() {
        return slot('batch', repeat);
      },
      get labels() {
        return slot('labels', repeat);
      },
      get classes() {
        return slot('classes', repeat);
      },
      get planted() {
        return { x: slot('planted', repeat), mask: slot('masks', repeat) };
      },
      draw: (name, draw) => trace.group('step').draw(name, draw),
    });
    const { loss, metrics, watch } = partsOf(result);
    const spreads = Object.fromEntries(kindsOf(watch).map((kind) => [spreadName(kind), spread(watch[kind]!)]));
    return { step, repeat, trace, loss, metrics: { ...metrics, ...spreads }, watch };
  };
  return phase.steps.flatMap((step) =>
    Array.from({ length: step.repeats ?? 1 }, (_, repeat) => traceOne(step, repeat)),
  );
}

/** Which tensors a phase has, and the vectors that they lie in. */
interface Layout {
  readonly parameters: readonly Spec[];
  readonly buffers: readonly Spec[];
  readonly groups: ReadonlyMap<string, readonly Pack[]>;
  readonly bufferPacks: readonly Pack[];
  /** Those of all groups, then those of buffers. */
  readonly packs: readonly Pack[];
}

/** Lays the state out: vectors for the parameters of each group, and for all buffers. */
function layOut(phase: Phase, runs: readonly Run[]): Layout {
  const parameters = new Map<string, Spec>();
  const buffers = new Map<string, Spec>();
  for (const { trace } of runs) {
    for (const [name, { spec }] of trace.parameters) if (!parameters.has(name)) parameters.set(name, spec);
    for (const [name, { spec }] of trace.buffers) if (!buffers.has(name)) buffers.set(name, spec);
  }
  const specs = new Map<string, Spec[]>();
  for (const spec of parameters.values()) {
    const group = groupOf(spec.name);
    specs.set(group, [...(specs.get(group) ?? []), spec]);
  }
  const groups = new Map([...specs].map(([group, list]) => [group, packsOf(group, list)]));
  for (const step of phase.steps) {
    for (const group of step.updates) {
      if (!groups.has(group))
        throw new InternalError(`step ${step.name} updates the group ${group}, which has no parameters.`);
    }
  }
  const bufferPacks = packsOf('buffers', [...buffers.values()]);
  return {
    parameters: [...parameters.values()],
    buffers: [...buffers.values()],
    groups,
    bufferPacks,
    packs: [...[...groups.values()].flat(), ...bufferPacks],
  };
}

/** Lets a step read the state that the one before it left, and moves the state. Returns the scalars to watch. */
function chain(run: Run, layout: Layout, state: State, feeds: Feed[]): Record<string, Value> {
  const { step, trace, loss, metrics } = run;
  const current = new Map(layout.packs.flatMap((pack) => [...splitPack(pack, state.get(pack.name)!.value)]));
  const replacements = replacementsOf(run, current, feeds);
  const trained = [...trace.parameters].filter(([name]) => step.updates.includes(groupOf(name)));
  const derivatives = gradients(
    loss,
    trained.map(([, { value }]) => value),
  );
  const [gradientValues, nextBuffers, [lossValue], metricValues] = substituteLists(
    [derivatives, [...trace.buffers.values()].map(({ next }) => next), [loss], Object.values(metrics)],
    replacements,
  );
  const gradientOf = new Map(trained.map(([name], i) => [name, gradientValues[i]]));
  const norm = moveParameters(run, { layout, state, feeds, current, gradientOf });
  const next = new Map([...trace.buffers.keys()].map((name, i) => [name, nextBuffers[i]]));
  if (step.ownStatistics) for (const name of next.keys()) if (!step.updates.includes(groupOf(name))) next.delete(name);
  moveBuffers(next, layout, state, current);
  return {
    [`${step.name}.loss`]: lossValue,
    ...Object.fromEntries(Object.keys(metrics).map((name, i) => [`${step.name}.${name}`, metricValues[i]])),
    ...(norm && { [`${step.name}.gradient-norm`]: norm }), // before it is clipped
  };
}

/** What stands in for the inputs that a trace made up: present state, and random draws as new feeds. */
function replacementsOf(
  { step, repeat, trace }: Run,
  current: ReadonlyMap<string, Value>,
  feeds: Feed[],
): Map<Value, Value> {
  const replacements = new Map<Value, Value>();
  for (const [name, { value }] of [...trace.parameters, ...trace.buffers]) replacements.set(value, current.get(name)!);
  for (const [name, { draw, value }] of trace.draws) {
    const full = `draw/${step.name}/${repeat}/${name}`;
    replacements.set(value, input(full, draw.shape));
    feeds.push({ name: full, kind: 'draw', draw });
  }
  return replacements;
}

/** Substitutes in several lists at once, so that what they have in common is written once. */
function substituteLists(lists: readonly (readonly Value[])[], replacements: ReadonlyMap<Value, Value>): Value[][] {
  const all = substitute(lists.flat(), replacements);
  let at = 0;
  return lists.map(({ length }) => {
    at += length;
    return all.slice(at - length, at);
  });
}

interface Move {
  readonly layout: Layout;
  readonly state: State;
  readonly feeds: Feed[];
  readonly current: ReadonlyMap<string, Value>;
  readonly gradientOf: ReadonlyMap<string, Value>;
}

/** Updates the groups of a step. Returns the norm of the whole gradient; none where a step only moves buffers. */
function moveParameters({ step, repeat }: Run, { layout, state, feeds, current, gradientOf }: Move): Value | undefined {
  const packs = step.updates.flatMap((group) => layout.groups.get(group)!);
  const zero = (name: string) => g.broadcastTo(g.mul(g.reduceSum(current.get(name)!), 0), current.get(name)!.shape);
  let flat = packs.map((pack) => joinPack(pack, (name) => gradientOf.get(name) ?? zero(name)));
  const norm = flat.length > 0 ? gradientNorm(flat) : undefined;
  if (step.clipNorm !== undefined && norm) flat = clipByNorm(flat, step.clipNorm, norm);

  const rateName = `rate/${step.name}/${repeat}`;
  const rate = input(rateName, []);
  const { optimizer, schedule = constant } = step;
  feeds.push({
    name: rateName,
    kind: 'rate',
    rate: (iteration, total) => optimizer.learningRate * schedule(iteration, total),
  });
  packs.forEach((pack, i) => {
    const specs = Object.entries(optimizer.init);
    const key = (name: string) => `optimizer/${step.continues ?? step.name}/${pack.name}/${name}`;
    const before = Object.fromEntries(
      specs.map(([name, { perParameter, initial }]) => [
        name,
        declare(state, key(name), perParameter ? pack.size : null, { start: initial }),
      ]),
    );
    const sizes = pack.specs.map(({ shape }) => sizeOf(shape));
    const update = optimizer.update(state.get(pack.name)!.value, flat[i], before, rate, sizes);
    state.get(pack.name)!.value = update.parameters;
    for (const [name] of specs) state.get(key(name))!.value = update.state[name];
  });
  return norm;
}

/** Writes the vectors of buffers of which a step changes one. */
function moveBuffers(
  next: ReadonlyMap<string, Value>,
  layout: Layout,
  state: State,
  current: ReadonlyMap<string, Value>,
): void {
  for (const pack of layout.bufferPacks) {
    if (!pack.specs.some((s) => next.has(s.name))) continue;
    state.get(pack.name)!.value = joinPack(pack, (name) => next.get(name) ?? current.get(name)!);
  }
}

/** Averages of the parameters as they are after the iteration. */
function averageParameters(
  { groups, decay }: NonNullable<Phase['average']>,
  layout: Layout,
  state: State,
  feeds: Feed[],
): void {
  const byIteration = typeof decay === 'function';
  if (byIteration) feeds.push({ name: 'rate/average', kind: 'rate', rate: decay });
  const share = byIteration ? input('rate/average', []) : decay;
  const rest = typeof share === 'number' ? 1 - share : g.sub(1, share);
  for (const pack of groups.flatMap((group) => layout.groups.get(group) ?? [])) {
    const name = `ema/${pack.name}`;
    const before = declare(state, name, pack.size, { start: Number.NaN, holds: { pack, prefix: 'ema.' } });
    state.get(name)!.value = g.add(g.mul(before, share), g.mul(state.get(pack.name)!.value, rest));
  }
}

/** The program: what is watched comes back, and state that was written passes to the next iteration. */
function programOf(
  phase: Phase,
  watched: Readonly<Record<string, Value>>,
  state: State,
  feeds: readonly Feed[],
): Program {
  const outputs: Record<string, Value> = { ...watched };
  const carry: Record<string, string> = {};
  for (const [name, { value, first }] of state) {
    if (value === first) continue; // a frozen group: read, never written
    outputs[`next/${name}`] = value;
    carry[`next/${name}`] = `state/${name}`;
  }
  return { name: `train-${phase.name}`, outputs, carry, loop: { scanned: feeds.map((f) => f.name) } };
}
