/**
 * Where layers find their parameters. A `Scope` names a place in a network (`encoder.conv1`); layers ask it for
 * parameters, buffers (running statistics, power-iteration vectors) and random draws. One `Trace` collects what a graph
 * asked for, so applying the same layer at the same place again shares its parameters.
 */
import { DataError, InternalError, ShapeError } from '../core/errors.ts';
import type { Rng } from '../core/random.ts';
import { sameShape, show, sizeOf } from '../core/shape.ts';
import { type Octaves, simplexField } from '../core/simplex-noise.ts';
import type { Tensors } from '../core/tensor.ts';
import { input } from '../graph/leaf.ts';
import type { Value } from '../graph/value.ts';
import { type Fan, type Initializer, zerosInit } from './initializers.ts';

/** What is needed to make a parameter or buffer before training. */
export interface Spec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly init: Initializer;
  readonly fan: Fan;
}

/**
 * A random input of a step, drawn outside the graph from a stream of its own. Of simplex noise every plane (the last two
 * axes) is a field of its own.
 */
export type Draw =
  | { readonly kind: 'normal' | 'uniform'; readonly shape: readonly number[] }
  | { readonly kind: 'simplex'; readonly shape: readonly number[]; readonly octaves: Octaves };

/** The numbers of a draw: a function of the stream alone. */
export function sample(draw: Draw, rng: Rng): Float32Array {
  const size = sizeOf(draw.shape);
  if (draw.kind !== 'simplex') return draw.kind === 'normal' ? rng.normals(size) : rng.uniforms(size);
  const [height, width] = draw.shape.slice(-2);
  const fields = new Float32Array(size);
  for (let i = 0; i < size / (height * width); i++)
    fields.set(simplexField(height, width, draw.octaves, rng.split(i)), i * height * width);
  return fields;
}

/** What one graph under construction has asked for. */
export class Trace {
  readonly parameters = new Map<string, { spec: Spec; value: Value }>();
  readonly buffers = new Map<string, { spec: Spec; value: Value; next: Value }>();
  readonly draws = new Map<string, { draw: Draw; value: Value }>();

  /** `training` decides what batch norm and dropout do; `fitted` are the tensors that `learnt` finds. */
  constructor(
    readonly training: boolean,
    readonly fitted: Tensors = {},
  ) {}

  /** The scope of a parameter group: `generator`, `discriminator`, `encoder`. */
  group(name: string): Scope {
    return new Scope(this, name, this.training);
  }
}

/** A place in a network. */
export class Scope {
  constructor(
    readonly trace: Trace,
    readonly path: string,
    readonly training: boolean,
  ) {}

  /** A place below this one. */
  at(name: string | number): Scope {
    return new Scope(this.trace, `${this.path}.${name}`, this.training);
  }

  /** The same place in inference mode: running statistics, no dropout, no updates. */
  frozen(): Scope {
    return new Scope(this.trace, this.path, false);
  }

  /** A trainable tensor. The fan defaults to that of a kernel `[K, C, ...]`. */
  parameter(name: string, shape: readonly number[], init: Initializer, fan?: Fan): Value {
    const spec = this.spec(name, shape, init, fan);
    const known = this.trace.parameters.get(spec.name);
    if (known) return this.same(known.value, spec);
    const value = input(spec.name, shape);
    this.trace.parameters.set(spec.name, { spec, value });
    return value;
  }

  /**
   * A tensor in the shape that fitting gave it, for models that learn by statistics: how many components explain enough
   * is only known then. Throws DataError `missing-tensor` when fitting left none.
   */
  learnt(name: string): Value {
    const full = `${this.path}.${name}`;
    const found = this.trace.fitted[full];
    if (!found) throw new DataError('missing-tensor', `The tensor ${full} is needed but was not learnt. Train again.`);
    return this.parameter(name, found.shape, zerosInit);
  }

  /** A tensor that is kept but not trained; its value includes updates made earlier in this graph. */
  buffer(name: string, shape: readonly number[], init: Initializer): Value {
    const spec = this.spec(name, shape, init);
    const known = this.trace.buffers.get(spec.name);
    if (known) return this.same(known.next, spec);
    const value = input(spec.name, shape);
    this.trace.buffers.set(spec.name, { spec, value, next: value });
    return value;
  }

  /** Sets the value that a buffer has after this step. */
  update(name: string, next: Value): void {
    const known = this.trace.buffers.get(`${this.path}.${name}`);
    if (!known) throw new InternalError(`the buffer ${this.path}.${name} was updated before it was read.`);
    known.next = next;
  }

  /** Random numbers, fresh at each step: standard normal, uniform in [0, 1), or simplex noise. */
  draw(name: string, draw: Draw): Value {
    const full = `${this.path}.${name}`;
    let unique = full;
    for (let i = 1; this.trace.draws.has(unique); i++) unique = `${full}.${i}`;
    const value = input(unique, draw.shape);
    this.trace.draws.set(unique, { draw, value });
    return value;
  }

  private spec(name: string, shape: readonly number[], init: Initializer, fan?: Fan): Spec {
    const taps = shape.slice(2).reduce((n, d) => n * d, 1);
    return {
      name: `${this.path}.${name}`,
      shape,
      init,
      fan: fan ?? { in: (shape[1] ?? 1) * taps, out: (shape[0] ?? 1) * taps },
    };
  }

  private same(value: Value, spec: Spec): Value {
    if (!sameShape(value.shape, spec.shape)) {
      throw new ShapeError(`${spec.name} has the shape ${show(value.shape)} elsewhere, here ${show(spec.shape)}.`);
    }
    return value;
  }
}
