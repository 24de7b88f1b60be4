import { expect, it } from 'vitest';
import { Rng } from '../core/random.ts';
import { float32, type Tensors } from '../core/tensor.ts';
import { libraryWords, write } from '../core/text.ts';
import * as g from '../graph/index.ts';
import * as nn from '../nn/index.ts';
import { anogan } from './anogan.ts';

const shape = [1, 8, 8] as const;
const images = new Rng(3).split('images').uniforms(3 * 64);

/** Scores and drawings of images with made-up weights. */
function score(more: Parameters<typeof anogan.config.parse>[0] & object, data = images) {
  const options = anogan.config.parse({ width: 4, latent: 3, searchRate: 0.1, ...more });
  const trace = new nn.Trace(false);
  const count = data.length / 64;
  const x = g.input('x', ['N', ...shape]);
  const { score, reconstruction, map } = anogan.score(options, (group) => trace.group(group), x);
  const rng = new Rng(1);
  const feeds: Tensors = { x: float32(data, [count, ...shape]) };
  for (const { spec } of [...trace.parameters.values(), ...trace.buffers.values()]) {
    const wide = spec.name.includes('running_') ? spec.init : nn.normalInit(0.3);
    feeds[spec.name] = float32(wide(spec.shape, rng.split(spec.name), spec.fan), spec.shape);
  }
  const [scores, drawn, maps] = g.evaluate([score, reconstruction!, map], feeds).map((t) => [...t.data].map(Number));
  return { scores, drawn, maps };
}

it('finds drawings of its own generator again, and more starts are never worse', () => {
  const one = { candidates: 1 };
  const own = Float32Array.from(score({ ...one, searchSteps: 60, lambda: 1 }).drawn);
  const few = score({ ...one, searchSteps: 1 }, own).scores;
  const many = score({ ...one, searchSteps: 60 }, own).scores;
  const starts = score({ searchSteps: 60, restarts: 3, candidates: 3 }, own).scores;
  many.forEach((s, i) => {
    expect(s).toBeLessThan(few[i] / 2);
    expect(starts[i]).toBeLessThanOrEqual(s + 1e-3);
  });
  expect(Math.min(...starts.map((s, i) => s - many[i]))).toBeLessThan(-1e-3);
});

it('begins each search at the candidate whose image is nearest', () => {
  // At a vanishing rate the drawing is that of the start.
  const still = { searchSteps: 1, searchRate: 1e-12, lambda: 0 };
  const best = score({ ...still, candidates: 40 });
  const first = score({ ...still, candidates: 1 });
  const distance = (drawn: number[], n: number) =>
    drawn.slice(64 * n, 64 * (n + 1)).reduce((sum, v, i) => sum + (v - images[64 * n + i]) ** 2, 0);
  const own = Float32Array.from(score({ ...still, candidates: 40 }).drawn);
  for (let n = 0; n < 3; n++) expect(distance(best.drawn, n)).toBeLessThan(distance(first.drawn, n));
  // Drawings of candidates are found again at once: they are the nearest of themselves.
  for (const s of score({ ...still, candidates: 40 }, own).scores) expect(s).toBeLessThan(1e-3);
});

it('says that searches need a candidate each', () => {
  const said = anogan.unsuitable!(anogan.config.parse({ candidates: 2, restarts: 3 }), shape)!;
  expect(write(said, libraryWords)).toBe(
    '`config.restarts` must be at most `config.candidates`, since each search begins at a candidate of its own: got 3 of 2.',
  );
  expect(anogan.unsuitable!(anogan.config.parse({}), shape)).toBeUndefined();
});

it.each([
  [{ candidates: 0 }, 'candidates'],
  [{ penalty: -1 }, 'penalty'],
  [{ dropout: 1 }, 'dropout'],
])('refuses %j', (config, key) => {
  expect(anogan.config.safeParse(config).error?.issues.map(({ path }) => path[0])).toEqual([key]);
});

it('finds the latent vector of an image by itself: alone or among others', () => {
  const all = score({ searchSteps: 15, restarts: 2, candidates: 2 });
  const alone = score({ searchSteps: 15, restarts: 2, candidates: 2 }, images.slice(64, 128));
  expect(alone.scores[0]).toBeCloseTo(all.scores[1], 4);
  alone.drawn.forEach((v, i) => {
    expect(v).toBeCloseTo(all.drawn[64 + i], 4);
  });
});

it('sums absolute differences of pixels in [−1, 1] when lambda is 0', () => {
  const { scores, drawn, maps } = score({ searchSteps: 5, lambda: 0 });
  scores.forEach((s, n) => {
    let sum = 0;
    for (let i = 64 * n; i < 64 * (n + 1); i++) {
      sum += 2 * Math.abs(images[i] - drawn[i]);
      expect(maps[i]).toBeCloseTo(Math.abs(images[i] - drawn[i]), 5);
    }
    expect(s).toBeCloseTo(sum, 3);
  });
});

it('finds rows of its own generator again', () => {
  const options = (searchSteps: number) =>
    anogan.config.parse({ latent: 3, searchRate: 0.1, lambda: 0.5, searchSteps, candidates: 1 });
  const rng = new Rng(1);
  const rows = (searchSteps: number, data?: Float32Array) => {
    const trace = new nn.Trace(false);
    const x = g.input('x', ['N', 5]);
    const { score, map, reconstruction } = anogan.score(options(searchSteps), (group) => trace.group(group), x);
    const feeds: Tensors = { x: float32(data ?? rng.split('x').uniforms(10), [2, 5]) };
    for (const { spec } of trace.parameters.values())
      feeds[spec.name] = float32(spec.init(spec.shape, rng.split(spec.name), spec.fan), spec.shape);
    return g.evaluate([score, map, reconstruction!], feeds);
  };
  const own = Float32Array.from(rows(60)[2].data, Number);
  const [few] = rows(1, own);
  const [scores, maps, drawn] = rows(60, own);
  expect(maps.shape).toEqual([2, 5]);
  scores.data.forEach((s, i) => {
    expect(Number(s)).toBeLessThan(Number(few.data[i]) / 2);
  });
  maps.data.forEach((v, i) => {
    expect(Number(v)).toBeCloseTo(Math.abs(own[i] - Number(drawn.data[i])), 5);
  });
});
