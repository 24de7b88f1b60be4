/**
 * The state of a training: parameters, buffers, averages and what optimisers keep, as a few flat vectors in place of many
 * tensors, so that an update is one short chain of nodes. Here is where which tensor lies, and the way in and out.
 */
import { ConfigError } from '../core/errors.ts';
import { sizeOf } from '../core/shape.ts';
import { float32, type Tensors } from '../core/tensor.ts';
import { input } from '../graph/leaf.ts';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import type { Spec } from './scope.ts';

/** Tensors laid end to end in one vector. */
export interface Pack {
  readonly name: string;
  readonly specs: readonly Spec[];
  readonly size: number;
}

/** Tensors larger than this have a vector of their own: joining them would copy them at every step. */
const largeTensor = 1 << 20;

/** The vectors of some tensors, named `prefix/0`, `prefix/1`, … */
export function packsOf(prefix: string, specs: readonly Spec[]): Pack[] {
  const small = specs.filter((s) => sizeOf(s.shape) < largeTensor);
  const large = specs.filter((s) => sizeOf(s.shape) >= largeTensor);
  const groups = [...(small.length > 0 ? [small] : []), ...large.map((s) => [s])];
  return groups.map((list, i) => ({
    name: `${prefix}/${i}`,
    specs: list,
    size: list.reduce((n, s) => n + sizeOf(s.shape), 0),
  }));
}

/** The tensors of a pack, read from its vector. */
export function splitPack(pack: Pack, vector: Value): Map<string, Value> {
  const parts = g.split(
    vector,
    pack.specs.map((s) => sizeOf(s.shape)),
  );
  return new Map(pack.specs.map((s, i) => [s.name, g.reshape(parts[i], s.shape)]));
}

/** The vector of a pack from its tensors. */
export function joinPack(pack: Pack, of: (name: string) => Value): Value {
  return g.concat(
    pack.specs.map((s) => g.reshape(of(s.name), [sizeOf(s.shape)])),
    0,
  );
}

/** One vector (or scalar) of the state while the steps of an iteration are chained. */
export interface StateVector {
  /** Its value when the iteration begins. */
  readonly first: Value;
  /** Its value after the steps so far; `first` itself until one writes it. */
  value: Value;
  /** What a fresh one is filled with. */
  readonly start: number;
  /** The tensors in it, whose names get the prefix outside; none in what optimisers keep. */
  readonly holds?: { readonly pack: Pack; readonly prefix: '' | 'ema.' };
}

/** The state by name; the program's inputs are named `state/` + name. */
export type State = Map<string, StateVector>;

/** The present value of a vector of `size`, or of a scalar (`null`), which is declared where it is not known yet. */
export function declare(
  state: State,
  name: string,
  size: number | null,
  { start, holds }: Pick<StateVector, 'start' | 'holds'>,
): Value {
  const known = state.get(name);
  if (known) return known.value;
  const first = input(`state/${name}`, size === null ? [] : [size]);
  state.set(name, { first, value: first, start, holds });
  return first;
}

/** The state vectors from named tensors. An average that is not there starts as its tensor, optimiser state afresh. */
export function packTensors(state: State, tensors: Tensors): Tensors {
  const packed: Tensors = {};
  for (const [name, { first, start, holds }] of state) {
    const key = `state/${name}`;
    const { shape } = first as { shape: readonly number[] };
    if (holds) packed[key] = float32(joinTensors(holds.pack, holds.prefix, tensors));
    else packed[key] = tensors[key] ?? float32(new Float32Array(sizeOf(shape)).fill(start), shape);
  }
  return packed;
}

function joinTensors(pack: Pack, prefix: string, tensors: Tensors): Float32Array {
  const out = new Float32Array(pack.size);
  let at = 0;
  for (const spec of pack.specs) {
    const t = tensors[prefix + spec.name] ?? tensors[spec.name];
    if (!t) throw new ConfigError('missing-tensor', `The tensor ${spec.name} is missing.`);
    out.set(t.data as Float32Array, at);
    at += t.data.length;
  }
  return out;
}

/** Named tensors from those state vectors that are among `values`. */
export function unpackTensors(state: State, values: Tensors): Tensors {
  const tensors: Tensors = {};
  for (const [name, { holds }] of state) {
    const key = `state/${name}`;
    if (!values[key]) continue;
    if (!holds) {
      tensors[key] = values[key];
      continue;
    }
    const data = values[key].data as Float32Array;
    let at = 0;
    for (const spec of holds.pack.specs) {
      const size = sizeOf(spec.shape);
      tensors[holds.prefix + spec.name] = float32(data.slice(at, at + size), spec.shape);
      at += size;
    }
  }
  return tensors;
}
