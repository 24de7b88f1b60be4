/**
 * From a noisy image back: the walks of DDPM (Ho et al. 2020) and of DDIM (Song et al. 2021, arXiv 2010.02502), inside the
 * graph, and the norm-guided single step of DiffusionAD (Zhang et al. 2023, arXiv 2303.08730).
 */
import { float32 } from '../../core/tensor.ts';
import { constant } from '../../graph/leaf.ts';
import * as g from '../../graph/ops/index.ts';
import type { Value } from '../../graph/value.ts';
import type { NoiseSchedule } from '../../nn/diffusion.ts';

/** ε(x, t): the noise in x `[N,C,H,W]` at step t, counted from 0: `[N]`, or `[1]` for all. */
export type Denoiser = (x: Value, step: Value) => Value;

/** √ᾱ and √(1 − ᾱ) after λ steps: the shares of image and noise. */
const shares = ({ kept }: NoiseSchedule, lambda: number) => [Math.sqrt(kept[lambda]), Math.sqrt(1 - kept[lambda])];

/** x_λ = √ᾱ · x₀ + √(1 − ᾱ) · ε after λ steps. */
export function noisy(schedule: NoiseSchedule, x: Value, noise: Value, lambda: number): Value {
  const [image, spread] = shares(schedule, lambda);
  return g.add(g.mul(x, image), g.mul(noise, spread));
}

/** x̂₀ = (x − √(1 − ᾱ) · ε) / √ᾱ, kept in [−1, 1]: the image that x would be without its noise. */
function clean(x: Value, noise: Value, image: g.Operand, spread: g.Operand): Value {
  return g.clip(g.div(g.sub(x, g.mul(noise, spread)), image), -1, 1);
}

/** One column of numbers by turn of a walk: a function from the turn to its number, a scalar. */
function byTurn(values: readonly number[]): (turn: Value) => Value {
  const column = constant(float32(values));
  return (turn) => g.gather(column, turn, 0);
}

/** `count` turns of `next`, which is told the turn as an int64 scalar. */
function walk(count: number, x: Value, next: (now: Value, turn: Value) => Value): Value {
  const body = ([now, turn]: Value[]) => [next(now, g.cast(turn, 'int64')), g.add(turn, 1)];
  return g.repeat(count, [x, constant(0)], body)[0];
}

const forAll = (step: Value) => g.reshape(step, [1]);

/** Numbers of steps from λ down to 0, about evenly spaced, in at most `turns` turns: λ = τ₀ > τ₁ > … > 0. */
export function stride(lambda: number, turns: number): number[] {
  const count = Math.min(lambda, turns);
  return Array.from({ length: count + 1 }, (_, i) => Math.round((lambda * (count - i)) / Math.max(1, count)));
}

/**
 * DDIM without fresh noise (η = 0) from λ to 0: x' = √ᾱ' · x̂₀ + √(1 − ᾱ') · ε̂ (equation 12), with ε̂ the noise beside the
 * x̂₀ that was kept in [−1, 1]. λ = 0 returns x.
 */
export function walkBack(
  schedule: NoiseSchedule,
  denoise: Denoiser,
  x: Value,
  { lambda, turns }: { readonly lambda: number; readonly turns: number },
): Value {
  const at = stride(lambda, turns);
  if (at.length < 2) return x;
  const [from, to] = [at.slice(0, -1), at.slice(1)];
  const [image, spread] = [0, 1].map((i) => byTurn(from.map((steps) => shares(schedule, steps)[i])));
  const [nextImage, nextSpread] = [0, 1].map((i) => byTurn(to.map((steps) => shares(schedule, steps)[i])));
  const time = byTurn(from.map((steps) => steps - 1));
  return walk(from.length, x, (now, turn) => {
    const guess = clean(now, denoise(now, forAll(time(turn))), image(turn), spread(turn));
    const noise = g.div(g.sub(now, g.mul(guess, image(turn))), spread(turn));
    return g.add(g.mul(guess, nextImage(turn)), g.mul(noise, nextSpread(turn)));
  });
}

/**
 * DDPM, every step from λ to 0: x' is the mean of q(x' | x, x̂₀) (equation 7) plus √β · z, as in AnoDDPM's code; nothing is
 * added in the last turn. `fresh` is the noise z of a turn. λ = 0 returns x.
 */
export function walkRandomly(
  schedule: NoiseSchedule,
  denoise: Denoiser,
  x: Value,
  { lambda, fresh }: { readonly lambda: number; readonly fresh: (turn: Value) => Value },
): Value {
  if (lambda === 0) return x;
  const { betas, kept } = schedule;
  const times = Array.from({ length: lambda }, (_, turn) => lambda - 1 - turn); // t = λ − 1 … 0
  const [image, spread] = [0, 1].map((i) => byTurn(times.map((t) => shares(schedule, t + 1)[i])));
  // With ᾱ' = ᾱ(t), ᾱ = ᾱ(t + 1): μ = √ᾱ' β / (1 − ᾱ) · x̂₀ + √(1 − β) (1 − ᾱ') / (1 − ᾱ) · x
  const ofGuess = byTurn(times.map((t) => (Math.sqrt(kept[t]) * betas[t]) / (1 - kept[t + 1])));
  const ofNow = byTurn(times.map((t) => (Math.sqrt(1 - betas[t]) * (1 - kept[t])) / (1 - kept[t + 1])));
  const sigma = byTurn(times.map((t) => (t === 0 ? 0 : Math.sqrt(betas[t]))));
  const time = byTurn(times);
  return walk(lambda, x, (now, turn) => {
    const guess = clean(now, denoise(now, forAll(time(turn))), image(turn), spread(turn));
    const mean = g.add(g.mul(guess, ofGuess(turn)), g.mul(now, ofNow(turn)));
    return g.add(mean, g.mul(fresh(turn), sigma(turn)));
  });
}

export interface LeapOptions {
  /** Steps of noise from which the image is made. */
  readonly lambda: number;
  /** More steps, after which less of a defect is left; the image made from there leads. */
  readonly far: number;
  /** w: how strongly it leads. */
  readonly guidance: number;
  /** Broadcasts to x. */
  readonly noise: Value;
}

/**
 * One step from λ to the image. With x̃ the image x̂₀ seen from `far`, noised to λ by the ε found at λ:
 * ε̂ = ε − √(1 − ᾱ) · w · (x̃ − x_λ), x̂₀ = (x_λ − √(1 − ᾱ) · ε̂) / √ᾱ. The network runs once over both looks. w = 0 is the
 * plain single step; λ = 0 returns x.
 */
export function leap(schedule: NoiseSchedule, denoise: Denoiser, x: Value, options: LeapOptions): Value {
  const { lambda, far, guidance, noise } = options;
  if (lambda === 0) return x;
  const [n, ...rest] = x.shape;
  const looks = [lambda, far].map((steps) => noisy(schedule, x, noise, steps));
  const joined = g.concat(
    looks.map((look) => g.unsqueeze(look, 1)),
    1,
  ); // [N,2,C,H,W]
  const times = g.broadcastTo(constant(float32([lambda - 1, far - 1], [1, 2])), [n, 2]);
  const found = g.reshape(denoise(g.reshape(joined, [-1, ...rest]), g.reshape(times, [-1])), joined.shape);
  const [near, distant] = [0, 1].map((i) => g.pick(found, 1, i));
  const [image, spread] = shares(schedule, lambda);
  const [farImage, farSpread] = shares(schedule, far);
  const guide = clean(looks[1], distant, farImage, farSpread);
  const again = g.add(g.mul(guide, image), g.mul(near, spread)); // x̃
  const led = g.sub(near, g.mul(g.sub(again, looks[0]), spread * guidance)); // ε̂
  return clean(looks[0], led, image, spread);
}
