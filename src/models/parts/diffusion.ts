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

/** One amount of noise: √ᾱ, √(1 − ᾱ), that broadcast to an image, and the step `[N]`, counted from 0. */
export interface Look {
  readonly image: g.Operand;
  readonly spread: g.Operand;
  readonly step: Value;
}

/**
 * One step from noise to the image, led by a look from further away, where less of a defect is left. With x̃ the image
 * x̂₀ seen from `far`, noised as `near` is by the ε found there: ε̂ = ε − √(1 − ᾱ) · w · (x̃ − x_near),
 * x̂₀ = (x_near − √(1 − ᾱ) · ε̂) / √ᾱ. The network runs once over both looks; w = 0 is the plain single step. The noise that
 * it found comes with the image: `[N, 2, C, H, W]`, of `near` and of `far`.
 */
export function guidedStep(
  denoise: Denoiser,
  x: Value,
  noise: Value,
  looks: { readonly near: Look; readonly far: Look; readonly guidance: number },
): { healed: Value; found: Value } {
  const { near, far, guidance } = looks;
  const [n, ...rest] = x.shape;
  const seen = [near, far].map((look) => g.add(g.mul(x, look.image), g.mul(noise, look.spread)));
  const pair = (values: readonly Value[]) =>
    g.concat(
      values.map((v) => g.unsqueeze(v, 1)),
      1,
    );
  const times = pair([near, far].map(({ step }) => g.broadcastTo(step, [n])));
  const joined = pair(seen); // [N,2,C,H,W]
  const found = g.reshape(denoise(g.reshape(joined, [-1, ...rest]), g.reshape(times, [-1])), joined.shape);
  const [close, distant] = [0, 1].map((i) => g.pick(found, 1, i));
  const guide = clean(seen[1], distant, far.image, far.spread);
  const again = g.add(g.mul(guide, near.image), g.mul(close, near.spread)); // x̃
  const led = g.sub(close, g.mul(g.sub(again, seen[0]), g.mul(near.spread, guidance))); // ε̂
  return { healed: clean(seen[0], led, near.image, near.spread), found };
}

export interface LeapOptions {
  /** Steps of noise from which the image is made. */
  readonly lambda: number;
  /** More steps, for the look that leads. */
  readonly far: number;
  /** w: how strongly it leads. */
  readonly guidance: number;
  /** Broadcasts to x. */
  readonly noise: Value;
}

/** `guidedStep` with the same amounts of noise for all images. λ = 0 returns x. */
export function leap(schedule: NoiseSchedule, denoise: Denoiser, x: Value, options: LeapOptions): Value {
  const { lambda, far, guidance, noise } = options;
  if (lambda === 0) return x;
  const look = (steps: number): Look => {
    const [image, spread] = shares(schedule, steps);
    return { image, spread, step: constant(float32([steps - 1])) };
  };
  return guidedStep(denoise, x, noise, { near: look(lambda), far: look(far), guidance }).healed;
}
