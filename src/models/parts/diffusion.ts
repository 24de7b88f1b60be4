/**
 * Removing noise with a diffusion model, inside the graph: the samplers of DDPM (Ho et al. 2020) and of DDIM (Song et al.
 * 2021, arXiv 2010.02502), and the norm-guided single step of DiffusionAD (Zhang et al. 2023, arXiv 2303.08730).
 */
import { float32 } from '../../core/tensor.ts';
import { constant } from '../../graph/leaf.ts';
import * as g from '../../graph/ops/index.ts';
import type { Value } from '../../graph/value.ts';
import type { NoiseSchedule } from '../../nn/diffusion.ts';

/** ε(x, t): the noise in x `[N,C,H,W]` at step t, counted from 0: `[N]`, or `[1]` for all. */
export type Denoiser = (x: Value, step: Value) => Value;

/** √ᾱ and √(1 − ᾱ) after λ steps: the shares of image and noise. */
const shares = ({ alphasCumprod }: NoiseSchedule, lambda: number) => [
  Math.sqrt(alphasCumprod[lambda]),
  Math.sqrt(1 - alphasCumprod[lambda]),
];

/** √ᾱ and √(1 − ᾱ) of the first `steps` steps, counted from 0, as graph constants `[steps]`. */
export const shareColumns = ({ alphasCumprod }: NoiseSchedule, steps: number): [image: Value, noise: Value] => {
  const column = (share: (alpha: number) => number) =>
    constant(float32(Array.from(alphasCumprod.subarray(1, steps + 1), (alpha) => Math.sqrt(share(alpha)))));
  return [column((alpha) => alpha), column((alpha) => 1 - alpha)];
};

/** x_λ = √ᾱ · x₀ + √(1 − ᾱ) · ε after λ steps. */
export function noisy(schedule: NoiseSchedule, x: Value, noise: Value, lambda: number): Value {
  const [image, spread] = shares(schedule, lambda);
  return g.add(g.mul(x, image), g.mul(noise, spread));
}

/** x̂₀ = (x − √(1 − ᾱ) · ε) / √ᾱ, clipped to [−1, 1]: the image that x would be without its noise. */
function clean(x: Value, noise: Value, image: g.Operand, spread: g.Operand): Value {
  return g.clip(g.div(g.sub(x, g.mul(noise, spread)), image), -1, 1);
}

/** A column of numbers, one for each iteration of a sampler: a function from the iteration to its number, a scalar. */
function byIteration(values: readonly number[]): (iteration: Value) => Value {
  const column = constant(float32(values));
  return (iteration) => g.gather(column, iteration, 0);
}

/** `count` iterations of `next`, which is given the iteration as an int64 scalar. */
function iterate(count: number, x: Value, next: (now: Value, iteration: Value) => Value): Value {
  const body = ([now, i]: Value[]) => [next(now, g.cast(i, 'int64')), g.add(i, 1)];
  return g.repeat(count, [x, constant(0)], body)[0];
}

const forAll = (step: Value) => g.reshape(step, [1]);

/** Numbers of steps from λ down to 0, about evenly spaced, in at most `turns` iterations: λ = τ₀ > τ₁ > … > 0. */
export function stride(lambda: number, turns: number): number[] {
  const count = Math.min(lambda, turns);
  return Array.from({ length: count + 1 }, (_, i) => Math.round((lambda * (count - i)) / Math.max(1, count)));
}

/**
 * DDIM without fresh noise (η = 0) from λ to 0: x' = √ᾱ' · x̂₀ + √(1 − ᾱ') · ε̂ (equation 12), with ε̂ the noise that belongs
 * to the clipped x̂₀. λ = 0 returns x.
 */
export function ddimSample(
  schedule: NoiseSchedule,
  denoise: Denoiser,
  x: Value,
  { lambda, turns }: { readonly lambda: number; readonly turns: number },
): Value {
  const at = stride(lambda, turns);
  if (at.length < 2) return x;
  const [from, to] = [at.slice(0, -1), at.slice(1)];
  const [image, spread] = [0, 1].map((i) => byIteration(from.map((steps) => shares(schedule, steps)[i])));
  const [nextImage, nextSpread] = [0, 1].map((i) => byIteration(to.map((steps) => shares(schedule, steps)[i])));
  const time = byIteration(from.map((steps) => steps - 1));
  return iterate(from.length, x, (now, i) => {
    const x0 = clean(now, denoise(now, forAll(time(i))), image(i), spread(i));
    const noise = g.div(g.sub(now, g.mul(x0, image(i))), spread(i));
    return g.add(g.mul(x0, nextImage(i)), g.mul(noise, nextSpread(i)));
  });
}

/**
 * DDPM, every step from λ to 0: x' is the mean of q(x' | x, x̂₀) (equation 7) plus √β · z, as in AnoDDPM's code; no noise is
 * added in the last iteration. `fresh` is the noise z of an iteration. λ = 0 returns x.
 */
export function ddpmSample(
  schedule: NoiseSchedule,
  denoise: Denoiser,
  x: Value,
  { lambda, fresh }: { readonly lambda: number; readonly fresh: (iteration: Value) => Value },
): Value {
  if (lambda === 0) return x;
  const { betas, alphasCumprod } = schedule;
  const times = Array.from({ length: lambda }, (_, i) => lambda - 1 - i); // t = λ − 1 … 0
  const [image, spread] = [0, 1].map((i) => byIteration(times.map((t) => shares(schedule, t + 1)[i])));
  // With ᾱ' = ᾱ(t), ᾱ = ᾱ(t + 1): μ = √ᾱ' β / (1 − ᾱ) · x̂₀ + √(1 − β) (1 − ᾱ') / (1 − ᾱ) · x
  const ofX0 = byIteration(times.map((t) => (Math.sqrt(alphasCumprod[t]) * betas[t]) / (1 - alphasCumprod[t + 1])));
  const ofNow = byIteration(
    times.map((t) => (Math.sqrt(1 - betas[t]) * (1 - alphasCumprod[t])) / (1 - alphasCumprod[t + 1])),
  );
  const sigma = byIteration(times.map((t) => (t === 0 ? 0 : Math.sqrt(betas[t]))));
  const time = byIteration(times);
  return iterate(lambda, x, (now, i) => {
    const x0 = clean(now, denoise(now, forAll(time(i))), image(i), spread(i));
    const mean = g.add(g.mul(x0, ofX0(i)), g.mul(now, ofNow(i)));
    return g.add(mean, g.mul(fresh(i), sigma(i)));
  });
}

/** An amount of noise: √ᾱ and √(1 − ᾱ), which broadcast to an image, and the step `[N]`, counted from 0. */
export interface NoiseLevel {
  readonly image: g.Operand;
  readonly spread: g.Operand;
  readonly step: Value;
}

/**
 * One step from noise to the image, guided by a second prediction from more noise, where less of a defect is left. With x̃
 * the image x̂₀ predicted at level `far`, noised to level `near` by the ε found there: ε̂ = ε − √(1 − ᾱ) · w · (x̃ − x_near),
 * x̂₀ = (x_near − √(1 − ᾱ) · ε̂) / √ᾱ. The network runs once over both levels; w = 0 is the plain single step. The predicted
 * noise comes with the image: `[N, 2, C, H, W]`, at `near` and at `far`.
 */
export function guidedStep(
  denoise: Denoiser,
  x: Value,
  noise: Value,
  levels: { readonly near: NoiseLevel; readonly far: NoiseLevel; readonly guidance: number },
): { reconstruction: Value; predicted: Value } {
  const { near, far, guidance } = levels;
  const [n, ...rest] = x.shape;
  const [xNear, xFar] = [near, far].map((level) => g.add(g.mul(x, level.image), g.mul(noise, level.spread)));
  const pair = (values: readonly Value[]) =>
    g.concat(
      values.map((v) => g.unsqueeze(v, 1)),
      1,
    );
  const times = pair([near, far].map(({ step }) => g.broadcastTo(step, [n])));
  const both = pair([xNear, xFar]); // [N,2,C,H,W]
  const predicted = g.reshape(denoise(g.reshape(both, [-1, ...rest]), g.reshape(times, [-1])), both.shape);
  const [atNear, atFar] = [0, 1].map((i) => g.pick(predicted, 1, i)); // ε at each level
  const x0Far = clean(xFar, atFar, far.image, far.spread);
  const target = g.add(g.mul(x0Far, near.image), g.mul(atNear, near.spread)); // x̃
  const guided = g.sub(atNear, g.mul(g.sub(target, xNear), g.mul(near.spread, guidance))); // ε̂
  return { reconstruction: clean(xNear, guided, near.image, near.spread), predicted };
}

export interface OneStepOptions {
  /** Steps of noise from which the image is reconstructed. */
  readonly lambda: number;
  /** More steps, for the prediction that guides. */
  readonly far: number;
  /** w: the strength of the guidance. */
  readonly guidance: number;
  /** Broadcasts to x. */
  readonly noise: Value;
}

/** The reconstruction of `guidedStep` with the same amounts of noise for all images. λ = 0 returns x. */
export function oneStep(schedule: NoiseSchedule, denoise: Denoiser, x: Value, options: OneStepOptions): Value {
  const { lambda, far, guidance, noise } = options;
  if (lambda === 0) return x;
  const level = (steps: number): NoiseLevel => {
    const [image, spread] = shares(schedule, steps);
    return { image, spread, step: constant(float32([steps - 1])) };
  };
  return guidedStep(denoise, x, noise, { near: level(lambda), far: level(far), guidance }).reconstruction;
}
