/**
 * Training programs. A model says, as data, its phases and their steps: the loss, the parameter groups that it updates,
 * the optimiser, how often it repeats. `assemble` turns a phase into one program that makes a whole iteration: all
 * steps in order, gradients, optimiser updates, buffers and averages, over flat state vectors.
 */
import { ConfigError, InternalError } from '../core/errors.ts';
import type { Rng } from '../core/random.ts';
import { sizeOf } from '../core/shape.ts';
import { float32, type Tensor, type Tensors } from '../core/tensor.ts';
import { gradients } from '../graph/grad.ts';
import { input } from '../graph/leaf.ts';
import * as g from '../graph/ops/index.ts';
import type { Program } from '../graph/program.ts';
import { substitute } from '../graph/substitute.ts';
import type { Value } from '../graph/value.ts';
import { clipByNorm, gradientNorm, type Optimizer } from './optimizers.ts';
import { type Schedule, steady } from './schedules.ts';
import { type Draw, type Scope, type Spec, Trace } from './scope.ts';

/** What a loss is built from. */
export interface StepContext {
  /** A parameter group as a scope in training mode. */
  net(group: string): Scope;
  /** The images (or rows) of the batch. */
  readonly x: Value;
  /** Labels of the batch as float32 `[N]`, 1 = anomalous; for supervised steps only. */
  readonly labels: Value;
  /** Class of each item of the batch as float32 `[N, K]`, one 1 per row, over the K classes of the training items. */
  readonly classes: Value;
  /** The images of the batch, a share of them with a synthetic defect, and masks `[N, 1, H, W]`, 1 = defect. */
  readonly planted?: { readonly x: Value; readonly mask: Value };
  /** Fresh random numbers for this step. */
  draw(name: string, draw: Draw): Value;
}

/** A loss, or a loss with scalars to watch. */
export type StepResult = Value | { loss: Value; metrics: Readonly<Record<string, Value>> };

/** One optimiser step of an iteration. */
export interface Step {
  readonly name: string;
  /** Groups whose parameters move. */
  readonly updates: readonly string[];
  readonly optimizer: Optimizer;
  /**
   * Name of an earlier step whose optimiser state this one goes on with, where one optimiser makes both. Adam adapts to
   * the size of gradients, so a weight on one of two losses counts only then.
   */
  readonly continues?: string;
  readonly schedule?: Schedule;
  /** How often the step runs per iteration, each time on a new batch and new draws; 1 by default. */
  readonly repeats?: number;
  /** Largest norm of the whole gradient. */
  readonly clipNorm?: number;
  loss(context: StepContext): StepResult;
}

/** Share of the old average that an iteration keeps, [0, 1]. */
export type AverageDecay = (iteration: number) => number;

/**
 * A decay that grows to `decay` as (1 + t) / (10 + t), as TensorFlow's moving average does: the first weights, which know
 * nothing, are forgotten in any training of some dozens of steps.
 */
export const rampedAverage =
  (decay: number): AverageDecay =>
  (iteration) =>
    Math.min(decay, (1 + iteration) / (10 + iteration));

/** Steps that are iterated together. */
export interface Phase {
  readonly name: string;
  readonly steps: readonly Step[];
  /**
   * Keep an exponential moving average of these groups; it is what the trained model uses. The decay is a number, or
   * one per iteration (from 0) such as `rampedAverage`.
   */
  readonly average?: { readonly groups: readonly string[]; readonly decay: number | AverageDecay };
}

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

/** Tensors laid end to end in one vector. */
interface Pack {
  readonly name: string;
  readonly specs: readonly Spec[];
  readonly size: number;
}

/** A phase, ready to be compiled, with what is needed to feed it and to read its state. */
export interface AssembledPhase {
  readonly phase: Phase;
  readonly program: Program;
  readonly feeds: readonly Feed[];
  /** Number of different batches that an iteration draws. */
  readonly batches: number;
  /** Scalars that come back per iteration, losses first: what the steps watch, and the norm of each step's gradient. */
  readonly metrics: readonly string[];
  /** Every parameter and buffer that the phase uses. */
  readonly specs: readonly Spec[];
  /** Those parameters that one of its steps moves. */
  readonly trained: readonly Spec[];
  /** The state vectors from named tensors; optimiser state starts fresh where it is not among them. */
  pack(tensors: Tensors): Tensors;
  /** Named tensors from the state vectors: parameters, buffers, averages (`ema.` + name) and optimiser state. */
  unpack(state: Tensors): Tensors;
}

/** Tensors larger than this have a vector of their own: joining them would copy them at every step. */
const largeTensor = 1 << 20;

function packsOf(prefix: string, specs: readonly Spec[]): Pack[] {
  const small = specs.filter((s) => sizeOf(s.shape) < largeTensor);
  const large = specs.filter((s) => sizeOf(s.shape) >= largeTensor);
  const groups = [...(small.length > 0 ? [small] : []), ...large.map((s) => [s])];
  return groups.map((list, i) => ({
    name: `${prefix}/${i}`,
    specs: list,
    size: list.reduce((n, s) => n + sizeOf(s.shape), 0),
  }));
}

const groupOf = (name: string): string => name.slice(0, name.indexOf('.'));

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
  const slots = new Map<string, Value>();
  const [count, , ...sides] = batch.shape;
  const shapes = {
    batch: batch.shape,
    labels: [count],
    classes: [count, batch.classes ?? 1],
    planted: batch.shape,
    masks: [count, 1, ...sides],
  };
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

  // 1. Trace every step: what it computes and which parameters it asks for.
  const runs = phase.steps.flatMap((step) =>
    Array.from({ length: step.repeats ?? 1 }, (_, repeat) => {
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
      const { loss, metrics } = 'loss' in result ? result : { loss: result, metrics: {} };
      return { step, repeat, trace, loss, metrics };
    }),
  );

  // 2. Lay the state out: one vector per group for parameters, one for buffers.
  const parameterSpecs = new Map<string, Spec>();
  const bufferSpecs = new Map<string, Spec>();
  for (const { trace } of runs) {
    for (const [name, { spec }] of trace.parameters) if (!parameterSpecs.has(name)) parameterSpecs.set(name, spec);
    for (const [name, { spec }] of trace.buffers) if (!bufferSpecs.has(name)) bufferSpecs.set(name, spec);
  }
  const byGroup = groupSpecs;
  const packs = new Map<string, Pack[]>();
  for (const [group, specs] of byGroup(parameterSpecs.values())) packs.set(group, packsOf(group, specs));
  const bufferPacks = packsOf('buffers', [...bufferSpecs.values()]);
  const allPacks = [...[...packs.values()].flat(), ...bufferPacks];
  for (const step of phase.steps) {
    for (const group of step.updates) {
      if (!packs.has(group))
        throw new InternalError(`step ${step.name} updates the group ${group}, which has no parameters.`);
    }
  }

  // 3. Chain the steps: each reads the state that the one before left.
  const state = new Map<string, { size: number; start: number; value: Value; first: Value }>();
  const declare = (name: string, size: number | null, start: number): Value => {
    const known = state.get(name);
    if (known) return known.value;
    const value = input(`state/${name}`, size === null ? [] : [size]);
    state.set(name, { size: size ?? 1, start, value, first: value });
    return value;
  };
  const set = (name: string, value: Value) => {
    state.get(name)!.value = value;
  };
  for (const pack of allPacks) declare(pack.name, pack.size, 0);
  const unpackValues = (pack: Pack): Map<string, Value> => {
    const parts = g.split(
      state.get(pack.name)!.value,
      pack.specs.map((s) => sizeOf(s.shape)),
    );
    return new Map(pack.specs.map((s, i) => [s.name, g.reshape(parts[i], s.shape)]));
  };
  const join = (pack: Pack, of: (name: string) => Value) =>
    g.concat(
      pack.specs.map((s) => g.reshape(of(s.name), [sizeOf(s.shape)])),
      0,
    );

  const outputs: Record<string, Value> = {};
  for (const { step, repeat, trace, loss, metrics } of runs) {
    const current = new Map<string, Value>();
    for (const pack of allPacks) for (const [name, value] of unpackValues(pack)) current.set(name, value);
    const replacements = new Map<Value, Value>();
    for (const [name, { value }] of trace.parameters) replacements.set(value, current.get(name)!);
    for (const [name, { value }] of trace.buffers) replacements.set(value, current.get(name)!);
    for (const [name, { draw, value }] of trace.draws) {
      const fed = input(`draw/${step.name}/${repeat}/${name}`, draw.shape);
      feeds.push({ name: `draw/${step.name}/${repeat}/${name}`, kind: 'draw', draw });
      replacements.set(value, fed);
    }
    const trained = [...trace.parameters].filter(([name]) => step.updates.includes(groupOf(name)));
    const slopes = gradients(
      loss,
      trained.map(([, { value }]) => value),
    );
    const bufferNames = [...trace.buffers.keys()];
    const metricNames = Object.keys(metrics);
    const results = substitute(
      [...slopes, ...bufferNames.map((n) => trace.buffers.get(n)!.next), loss, ...metricNames.map((n) => metrics[n])],
      replacements,
    );
    const slopeOf = new Map(trained.map(([name], i) => [name, results[i]]));
    const stepPacks = step.updates.flatMap((group) => packs.get(group)!);
    const zero = (name: string) => g.broadcastTo(g.mul(g.reduceSum(current.get(name)!), 0), current.get(name)!.shape);
    let flat = stepPacks.map((pack) => join(pack, (name) => slopeOf.get(name) ?? zero(name)));
    // A step that updates nothing only moves buffers.
    const norm = flat.length > 0 ? gradientNorm(flat) : undefined;
    if (step.clipNorm !== undefined && norm) flat = clipByNorm(flat, step.clipNorm, norm);
    const rateName = `rate/${step.name}/${repeat}`;
    const rate = input(rateName, []);
    const schedule = step.schedule ?? steady;
    feeds.push({
      name: rateName,
      kind: 'rate',
      rate: (iteration, total) => step.optimizer.learningRate * schedule(iteration, total),
    });
    stepPacks.forEach((pack, i) => {
      const names = Object.entries(step.optimizer.init);
      const key = (name: string) => `optimizer/${step.continues ?? step.name}/${pack.name}/${name}`;
      const before = Object.fromEntries(
        names.map(([name, s]) => [name, declare(key(name), s.perParameter ? pack.size : null, s.initial)]),
      );
      const update = step.optimizer.update(state.get(pack.name)!.value, flat[i], before, rate);
      set(pack.name, update.parameters);
      for (const [name] of names) set(key(name), update.state[name]);
    });
    for (const pack of bufferPacks) {
      if (!pack.specs.some((s) => bufferNames.includes(s.name))) continue;
      const next = new Map(bufferNames.map((name, i) => [name, results[slopes.length + i]]));
      set(
        pack.name,
        join(pack, (name) => next.get(name) ?? current.get(name)!),
      );
    }
    const at = slopes.length + bufferNames.length;
    outputs[`${step.name}.loss`] = results[at];
    metricNames.forEach((name, i) => {
      outputs[`${step.name}.${name}`] = results[at + 1 + i];
    });
    if (norm) outputs[`${step.name}.gradient-norm`] = norm; // before it is clipped
  }

  // 4. Averages of the parameters as they are after the iteration.
  if (phase.average) {
    const { groups, decay } = phase.average;
    const byIteration = typeof decay === 'function';
    if (byIteration) feeds.push({ name: 'rate/average', kind: 'rate', rate: decay });
    const kept = byIteration ? input('rate/average', []) : decay;
    const taken = typeof kept === 'number' ? 1 - kept : g.sub(1, kept);
    for (const pack of groups.flatMap((group) => packs.get(group) ?? [])) {
      const before = declare(`ema/${pack.name}`, pack.size, Number.NaN);
      set(`ema/${pack.name}`, g.add(g.mul(before, kept), g.mul(state.get(pack.name)!.value, taken)));
    }
  }

  const metricOutputs = Object.keys(outputs);
  const carry: Record<string, string> = {};
  for (const [name, { value, first }] of state) {
    if (value === first) continue; // a frozen group: read, never written
    outputs[`next/${name}`] = value;
    carry[`next/${name}`] = `state/${name}`;
  }
  const program: Program = {
    name: `train-${phase.name}`,
    outputs,
    carry,
    loop: { scanned: feeds.map((f) => f.name) },
  };

  const emaPacks = [...state.keys()].filter((n) => n.startsWith('ema/'));
  return {
    phase,
    program,
    feeds,
    batches: Math.max(1, ...phase.steps.map((s) => s.repeats ?? 1)),
    metrics: metricOutputs.sort((a, b) => Number(b.endsWith('.loss')) - Number(a.endsWith('.loss'))),
    specs: [...parameterSpecs.values(), ...bufferSpecs.values()],
    trained: [...parameterSpecs.values()].filter(({ name }) =>
      phase.steps.some((s) => s.updates.includes(groupOf(name))),
    ),
    pack(tensors) {
      const packed: Tensors = {};
      const joined = (pack: Pack, prefix = ''): Float32Array => {
        const out = new Float32Array(pack.size);
        let at = 0;
        for (const spec of pack.specs) {
          const t = tensors[prefix + spec.name] ?? tensors[spec.name];
          if (!t) throw new ConfigError('missing-tensor', `The tensor ${spec.name} is missing.`);
          out.set(t.data as Float32Array, at);
          at += t.data.length;
        }
        return out;
      };
      for (const pack of allPacks) packed[`state/${pack.name}`] = float32(joined(pack));
      for (const [name, { size, start, first }] of state) {
        if (packed[`state/${name}`]) continue;
        const pack = emaPacks.includes(name) ? allPacks.find((p) => `ema/${p.name}` === name)! : undefined;
        const kept = tensors[`state/${name}`];
        if (pack) packed[`state/${name}`] = float32(joined(pack, 'ema.'));
        else packed[`state/${name}`] = kept ?? float32(new Float32Array(size).fill(start), first.shape);
      }
      return packed;
    },
    unpack(values) {
      const tensors: Tensors = {};
      const cut = (pack: Pack, data: Float32Array, prefix = '') => {
        let at = 0;
        for (const spec of pack.specs) {
          const size = sizeOf(spec.shape);
          tensors[prefix + spec.name] = float32(data.slice(at, at + size), spec.shape);
          at += size;
        }
      };
      for (const [name] of state) {
        const value: Tensor | undefined = values[`state/${name}`];
        if (!value) continue;
        const own = allPacks.find((p) => p.name === name);
        const averaged = allPacks.find((p) => `ema/${p.name}` === name);
        if (own) cut(own, value.data as Float32Array);
        else if (averaged) cut(averaged, value.data as Float32Array, 'ema.');
        else tensors[`state/${name}`] = value;
      }
      return tensors;
    },
  };
}

function groupSpecs(specs: Iterable<Spec>): Map<string, Spec[]> {
  const groups = new Map<string, Spec[]>();
  for (const spec of specs) groups.set(groupOf(spec.name), [...(groups.get(groupOf(spec.name)) ?? []), spec]);
  return groups;
}
