/** Noise schedules of diffusion models (Ho et al. 2020, arXiv 2006.11239; Nichol & Dhariwal 2021, arXiv 2102.09672). */

/** How much of an image is left after a number of noising steps. */
export interface NoiseSchedule {
  /** T, the number of steps from an image to noise. */
  readonly steps: number;
  /** β of step t = 0 … T − 1. */
  readonly betas: Float64Array;
  /**
   * ᾱ after λ = 0 … T steps, Π (1 − β_t) over t < λ: x_λ = √ᾱ · x₀ + √(1 − ᾱ) · ε. ᾱ(0) is 1. Float64, as sums over a
   * thousand steps need it.
   */
  readonly alphasCumprod: Float64Array;
}

/** Largest β of the cosine schedule: towards the end ᾱ vanishes. */
const LARGEST_BETA = 0.999;

/**
 * "linear": β from 10⁻⁴ to 0.02 in even steps, scaled by 1000 / T. "cosine": ᾱ follows cos²((t/T + 0.008) / 1.008 · π/2),
 * with β at most 0.999.
 */
export function noiseSchedule(kind: 'linear' | 'cosine', steps: number): NoiseSchedule {
  const scale = 1000 / steps;
  const cosine = (t: number) => Math.cos(((t / steps + 0.008) / 1.008) * (Math.PI / 2)) ** 2;
  const betas = Float64Array.from({ length: steps }, (_, t) =>
    kind === 'linear'
      ? scale * (1e-4 + ((0.02 - 1e-4) * t) / Math.max(1, steps - 1))
      : Math.min(LARGEST_BETA, 1 - cosine(t + 1) / cosine(t)),
  );
  const alphasCumprod = new Float64Array(steps + 1).fill(1);
  for (let t = 0; t < steps; t++) alphasCumprod[t + 1] = alphasCumprod[t] * (1 - betas[t]);
  return { steps, betas, alphasCumprod };
}
