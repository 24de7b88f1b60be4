/**
 * Fence GAN on the published toy: points N((20, 20), 3²) in two unscaled columns. The discriminator must say more than α
 * inside 2 σ and less beyond 5 σ, in all directions; α is 0.5, so its logit changes sign between.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { Rng } from '../../dist/core/random.js';
import { loadDetector, train } from '../../dist/index.js';

const root = mkdtempSync(join(tmpdir(), 'oddity-fence-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const SIGMA = 3;
/** Points on a circle about the centre. */
const ring = (sigmas: number, count = 64) =>
  Array.from({ length: count }, (_, k) => (2 * Math.PI * k) / count).flatMap((angle) => [
    20 + SIGMA * sigmas * Math.cos(angle),
    20 + SIGMA * sigmas * Math.sin(angle),
  ]);

it.each([1, 2, 3])('the fence closes about the data (seed %i)', async (seed) => {
  const points = Array.from(new Rng(seed).normals(2000, 20, SIGMA)).concat(ring(7));
  const lines = Array.from({ length: points.length / 2 }, (_, i) => [
    points[2 * i].toFixed(4),
    points[2 * i + 1].toFixed(4),
    Number(i >= 1000),
  ]);
  const [data, out] = [join(root, `${seed}.csv`), join(root, `run-${seed}`)];
  writeFileSync(data, `x,y,label\n${lines.map((line) => line.join()).join('\n')}\n`);
  // A higher rate than published makes 5 400 steps enough.
  const config = { epochs: 600, learningRate: 3e-3, discriminatorLearningRate: 3e-3 };
  const common = { model: 'fence-gan', preset: 'toy', data, scaling: 'none', threads: 1 } as const;
  await train({ ...common, config, seed, out });
  const detector = await loadDetector(out, { device: 'cpu', threads: 1 });
  try {
    const worst = async (sigmas: readonly number[], pick: (...scores: number[]) => number) => {
      const { scores } = await detector.score(Float32Array.from(sigmas.flatMap((s) => ring(s))), 64 * sigmas.length);
      return pick(...scores);
    };
    expect(await worst([0, 0.5, 1, 1.5, 2], Math.max)).toBeLessThan(0);
    expect(await worst([5, 6, 8, 12], Math.min)).toBeGreaterThan(0);
  } finally {
    await detector.close();
  }
});
