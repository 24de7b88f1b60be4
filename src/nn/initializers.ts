/** Initialisers of the papers: functions from a shape and a random stream to values. */
import type { Rng } from '../core/random.ts';

/** Fills a new parameter. Kernels are `[K, C, ...]` or `[in, out]` for dense layers; `fan` tells both counts. */
export type Initializer = (shape: readonly number[], rng: Rng, fan: Fan) => Float32Array;

/** Inputs and outputs of one unit: (channels × kernel positions) on each side. */
export interface Fan {
  in: number;
  out: number;
}

const size = (shape: readonly number[]) => shape.reduce((n, d) => n * d, 1);

/** One repeated value. */
export const filled =
  (value: number): Initializer =>
  (shape) =>
    new Float32Array(size(shape)).fill(value);

export const zerosInit = filled(0);
export const onesInit = filled(1);

/** N(mean, std²); DCGAN uses 0.02 (Radford et al. 2016). */
export const normalInit =
  (std: number, mean = 0): Initializer =>
  (shape, rng) =>
    rng.normals(size(shape), mean, std);

/** N(0, std²) without what is more than three deviations off, which is drawn again. */
export const truncatedNormal =
  (std: number): Initializer =>
  (shape, rng) => {
    const values = rng.normals(size(shape), 0, std);
    for (let i = 0, k = 0; i < values.length; i++)
      while (Math.abs(values[i]) > 3 * std) values[i] = rng.split(k++).normals(1, 0, std)[0];
    return values;
  };

/** U(low, high). */
export const uniformInit =
  (low: number, high: number): Initializer =>
  (shape, rng) =>
    rng.uniforms(size(shape), low, high);

/** He et al. 2015: N(0, gain² / fan_in), gain √2 for ReLU, √(2 / (1 + slope²)) for leaky ReLU. */
export const heNormal =
  (slope = 0): Initializer =>
  (shape, rng, fan) =>
    rng.normals(size(shape), 0, Math.sqrt(2 / ((1 + slope * slope) * fan.in)));

/** PyTorch's default for dense and convolution layers: U(±1/√fan_in). */
export const fanInUniform: Initializer = (shape, rng, fan) => {
  const bound = 1 / Math.sqrt(fan.in);
  return rng.uniforms(size(shape), -bound, bound);
};

/** Glorot & Bengio 2010: U(±√(6 / (fan_in + fan_out))). */
export const glorotUniform: Initializer = (shape, rng, fan) => {
  const bound = Math.sqrt(6 / (fan.in + fan.out));
  return rng.uniforms(size(shape), -bound, bound);
};

/** As `glorotUniform`, with normal values: N(0, 2 / (fan_in + fan_out)). */
export const glorotNormal: Initializer = (shape, rng, fan) =>
  rng.normals(size(shape), 0, Math.sqrt(2 / (fan.in + fan.out)));
