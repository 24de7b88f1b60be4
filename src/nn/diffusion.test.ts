import { describe, expect, it } from 'vitest';
import { noiseSchedule } from './diffusion.ts';

describe('noise schedules', () => {
  // √ᾱ and √(1 − ᾱ) after λ linear steps of 1000, computed in double precision elsewhere.
  it.each([
    [100, 0.9471, 0.3209],
    [150, 0.8879, 0.4601],
    [200, 0.8118, 0.5839],
    [250, 0.7239, 0.6899],
    [300, 0.6296, 0.7769],
    [400, 0.4418, 0.8971],
    [500, 0.2803, 0.9599],
    [600, 0.1609, 0.987],
    [750, 0.0579, 0.9983],
    [1000, 0.0064, 1],
  ])('linear: %i steps leave %f of the image', (steps, image, noise) => {
    const { alphasCumprod } = noiseSchedule('linear', 1000);
    expect(Math.abs(Math.sqrt(alphasCumprod[steps]) - image)).toBeLessThan(1e-4);
    expect(Math.abs(Math.sqrt(1 - alphasCumprod[steps]) - noise)).toBeLessThan(1e-4);
  });

  it('start at the image and only lose', () => {
    for (const kind of ['linear', 'cosine'] as const) {
      const { alphasCumprod, betas } = noiseSchedule(kind, 1000);
      expect(alphasCumprod[0]).toBe(1);
      expect(betas.every((b) => b > 0 && b <= 0.999)).toBe(true);
      expect(alphasCumprod.every((a, i) => i === 0 || a < alphasCumprod[i - 1])).toBe(true);
    }
  });

  it('the linear one scales with the number of steps', () => {
    const [few, many] = [noiseSchedule('linear', 100), noiseSchedule('linear', 1000)];
    expect(few.betas[0]).toBeCloseTo(10 * many.betas[0], 12);
    expect(few.betas[99]).toBeCloseTo(0.2, 12);
  });

  it('the cosine one follows its formula until β is cut', () => {
    const { alphasCumprod, betas } = noiseSchedule('cosine', 1000);
    const formula = (t: number) => Math.cos((((t / 1000 + 0.008) / 1.008) * Math.PI) / 2) ** 2;
    for (const t of [1, 100, 500, 900]) expect(alphasCumprod[t]).toBeCloseTo(formula(t) / formula(0), 10);
    expect(betas[999]).toBe(0.999);
  });
});
