import { describe, expect, it } from 'vitest';
import { Rng } from '../core/random.ts';
import { float32, type Tensor, type Tensors } from '../core/tensor.ts';
import { libraryWords, write } from '../core/text.ts';
import * as g from '../graph/index.ts';
import * as nn from '../nn/index.ts';
import { anoddpm } from './anoddpm.ts';
import { type Denoiser, ddimSample, ddpmSample, noisy, oneStep, stride } from './parts/diffusion.ts';

const schedule = nn.noiseSchedule('linear', 1000);
const values = (t: Tensor) => Array.from(t.data, Number);
const difference = (a: Tensor, b: Tensor) => Math.max(...values(a).map((v, i) => Math.abs(v - Number(b.data[i]))));

/** A score of random images by a network with random weights. */
function scored(options: object, images: Tensor) {
  const config = anoddpm.config.parse({
    width: 4,
    heads: 1,
    attention: 0,
    wavelength: 4,
    octaves: 2,
    turns: 2,
    seeds: 1,
    smoothing: 0,
    ...options,
  });
  const trace = new nn.Trace(false);
  const scoring = anoddpm.score(config, (group) => trace.group(group), g.input('x', ['N', ...images.shape.slice(1)]));
  const feeds: Tensors = { x: images };
  for (const { spec } of trace.parameters.values())
    feeds[spec.name] = float32(nn.normalInit(0.2)(spec.shape, new Rng(1).split(spec.name), spec.fan), spec.shape);
  const [score, map, reconstruction] = g.evaluate([scoring.score, scoring.map, scoring.reconstruction!], feeds);
  return { score, map, reconstruction };
}
const images = (count: number, side: number) =>
  float32(new Rng(2).uniforms(count * side * side), [count, 1, side, side]);

describe('samplers', () => {
  const start = float32(new Rng(3).normals(16), [2, 1, 2, 4]);
  const x = g.input('x', ['N', 1, 2, 4]);
  const run = (y: g.Value) => g.evaluate([y], { x: start })[0];
  /** Knows that all of x is noise but a share of the step. */
  const denoise: Denoiser = (now, step) => g.sub(now, g.reshape(g.mul(step, 1e-3), [-1, 1, 1, 1]));

  it('take all steps from λ to 0, or about evenly spaced ones', () => {
    expect(stride(5, 100)).toEqual([5, 4, 3, 2, 1, 0]);
    expect(stride(250, 5)).toEqual([250, 200, 150, 100, 50, 0]);
    expect(stride(10, 4)).toEqual([10, 8, 5, 3, 0]);
    expect(stride(0, 4)).toEqual([0]);
  });

  it('of DDIM give the image back when the noise is found', () => {
    // An image in [−1, 1] and its noise, which the denoiser knows: every step must give the same image.
    const [image, noise] = [0, 1].map((i) => float32(new Rng(4).split(i).uniforms(8, -1, 1), [1, 1, 2, 4]));
    const [i, e] = [g.input('i', [1, 1, 2, 4]), g.input('e', [1, 1, 2, 4])];
    const reconstruction = ddimSample(schedule, () => e, noisy(schedule, i, e, 300), { lambda: 300, turns: 7 });
    const [found] = g.evaluate([reconstruction], { i: image, e: noise });
    expect(difference(found, image)).toBeLessThan(1e-4);
  });

  it('of one DDIM step are the plain single step', () => {
    const sampled = run(ddimSample(schedule, denoise, x, { lambda: 200, turns: 1 }));
    const [a, b] = [Math.sqrt(schedule.alphasCumprod[200]), Math.sqrt(1 - schedule.alphasCumprod[200])];
    values(start).forEach((v, i) => {
      expect(sampled.data[i]).toBeCloseTo(Math.min(1, Math.max(-1, (v - b * (v - 0.199)) / a)), 5);
    });
  });

  it('of DDPM follow the posterior, step by step, with fresh noise in all but the last', () => {
    const lambda = 3;
    const field = [0.5, -0.25, 100];
    const fresh = (turn: g.Value) => g.gather(g.constant(float32(field)), turn, 0);
    const sampled = run(ddpmSample(schedule, denoise, x, { lambda, fresh }));
    const { betas, alphasCumprod } = schedule;
    const expected = values(start).map((first) => {
      let v = first;
      for (let t = lambda - 1; t >= 0; t--) {
        const guess = (v - Math.sqrt(1 - alphasCumprod[t + 1]) * (v - t * 1e-3)) / Math.sqrt(alphasCumprod[t + 1]);
        const clipped = Math.min(1, Math.max(-1, guess));
        // q(x' | x, x̂₀) by precision weights: x' ~ N(√ᾱ' x̂₀, 1 − ᾱ'), x ~ N(√(1 − β) x', β)
        const [prior, seen] = [1 / (1 - alphasCumprod[t]), (1 - betas[t]) / betas[t]];
        const mean =
          t === 0
            ? clipped
            : (prior * Math.sqrt(alphasCumprod[t]) * clipped + (seen * v) / Math.sqrt(1 - betas[t])) / (prior + seen);
        v = mean + (t === 0 ? 0 : Math.sqrt(betas[t]) * field[lambda - 1 - t]);
      }
      return v;
    });
    expected.forEach((v, i) => {
      expect(sampled.data[i]).toBeCloseTo(v, 4);
    });
  });

  it('of no step give the image back, however they are made', () => {
    const fresh = () => g.constant(1);
    const none = { lambda: 0, noise: g.constant(1) };
    for (const y of [
      ddimSample(schedule, denoise, x, { lambda: 0, turns: 9 }),
      ddpmSample(schedule, denoise, x, { lambda: 0, fresh }),
      oneStep(schedule, denoise, x, { ...none, far: 400, guidance: 1 }),
    ])
      expect(values(run(y))).toEqual(values(start));
  });
});

describe('the guided single step', () => {
  const image = float32(new Rng(5).uniforms(16, -1, 1), [2, 1, 2, 4]);
  const noise = g.constant(float32(new Rng(6).normals(8), [1, 1, 2, 4]));
  const x = g.input('x', ['N', 1, 2, 4]);
  const denoise: Denoiser = (now, step) => g.mul(now, g.add(g.reshape(g.mul(step, 1e-3), [-1, 1, 1, 1]), 0.2));
  const guided = (guidance: number) =>
    g.evaluate([oneStep(schedule, denoise, x, { lambda: 200, far: 400, guidance, noise })], { x: image })[0];
  const [a, b] = [Math.sqrt(schedule.alphasCumprod[200]), Math.sqrt(1 - schedule.alphasCumprod[200])];
  const [c, d] = [Math.sqrt(schedule.alphasCumprod[400]), Math.sqrt(1 - schedule.alphasCumprod[400])];
  const clip = (v: number) => Math.min(1, Math.max(-1, v));
  const field = Array.from(new Rng(6).normals(8));

  it('is the plain one without guidance', () => {
    guided(0).data.forEach((v, i) => {
      const seen = a * Number(image.data[i]) + b * field[i % 8];
      expect(v).toBeCloseTo(clip((seen - b * seen * 0.399) / a), 5);
    });
  });

  it('is led by the image seen from far away', () => {
    guided(1.5).data.forEach((v, i) => {
      const [seen, start] = [
        c * Number(image.data[i]) + d * field[i % 8],
        a * Number(image.data[i]) + b * field[i % 8],
      ];
      const guide = clip((seen - d * seen * 0.599) / c);
      const near = start * 0.399;
      const noiseLed = near - b * 1.5 * (a * guide + b * near - start);
      expect(v).toBeCloseTo(clip((start - b * noiseLed) / a), 5);
    });
  });
});

describe('AnoDDPM', () => {
  it('returns the image and a map of zeros at λ = 0', () => {
    for (const reversal of ['ddim', 'ddpm', 'fast']) {
      const { map, score, reconstruction } = scored({ lambda: 0, reversal }, images(2, 8));
      expect(values(map).every((v) => v === 0)).toBe(true);
      expect(values(score)).toEqual([0, 0]);
      expect(difference(reconstruction, images(2, 8))).toBeLessThan(1e-6);
    }
  });

  it.each([
    { reversal: 'ddim' },
    { reversal: 'ddpm', lambda: 3 },
    { reversal: 'fast' },
    { reversal: 'ddim', levels: 2, seeds: 2, noise: 'gaussian' },
  ])('scores an image the same whatever its batch: %o', (options) => {
    const all = images(3, 8);
    const alone = scored(options, float32((all.data as Float32Array).slice(128), [1, 1, 8, 8]));
    const among = scored(options, all);
    values(alone.map).forEach((v, i) => {
      expect(v).toBeCloseTo(Number(among.map.data[128 + i]), 6);
    });
    expect(values(among.map).some((v) => v > 1e-4)).toBe(true);
  });

  it('averages over levels and seeds, which have fields of their own', () => {
    const [one, seeds, levels] = [{}, { seeds: 3 }, { levels: 3 }].map((o) => scored(o, images(1, 8)));
    expect(difference(one.map, seeds.map)).toBeGreaterThan(1e-4);
    expect(difference(one.map, levels.map)).toBeGreaterThan(1e-4);
  });

  it('averages the reconstructions over the fields, not their maps', () => {
    const x = images(1, 8);
    const { map, reconstruction } = scored({ seeds: 3, reversal: 'fast' }, x);
    values(map).forEach((v, i) => {
      expect(v).toBeCloseTo((2 * (Number(reconstruction.data[i]) - Number(x.data[i]))) ** 2, 5);
    });
  });

  it('has so many fields as suits how noise is removed, and features for large images', () => {
    const defaults = (side: number, given: object) => anoddpm.defaults!([1, side, side], 100, given);
    expect(defaults(32, {})).toMatchObject({ seeds: 16, score: 'pixels' });
    expect(defaults(32, { reversal: 'ddim' })).toMatchObject({ seeds: 8 });
    expect(defaults(128, { reversal: 'ddpm' })).toMatchObject({ seeds: 1, score: 'features' });
  });

  it('blurs the map by as much of an image as on the published 256 pixels', () => {
    // A deviation of 16 pixels of 256 is one of 1 pixel of 16.
    const [sharp, blurred] = [0, 16].map((smoothing) => values(scored({ smoothing }, images(1, 16)).map));
    const weights = [-4, -3, -2, -1, 0, 1, 2, 3, 4].map((k) => Math.exp(-0.5 * k * k));
    const sum = weights.reduce((a, b) => a + b);
    let expected = 0;
    weights.forEach((wy, i) => {
      weights.forEach((wx, j) => {
        expected += ((wy * wx) / sum ** 2) * sharp[16 * (4 + i) + 4 + j];
      });
    });
    expect(blurred[16 * 8 + 8]).toBeCloseTo(expected, 5);
  });

  it('pads images that cannot be halved, and maps them at their size', () => {
    const { map, reconstruction } = scored({}, float32(new Rng(3).uniforms(2 * 3 * 9 * 12), [2, 3, 9, 12]));
    expect(map.shape).toEqual([2, 1, 9, 12]);
    expect(reconstruction.shape).toEqual([2, 3, 9, 12]);
  });

  it('says what does not fit', () => {
    const problem = (options: object, shape = [1, 16, 16]) => {
      const said = anoddpm.unsuitable!(anoddpm.config.parse(options), shape as [number, number, number]);
      return said && write(said, libraryWords);
    };
    expect(problem({})).toBeUndefined();
    expect(problem({}, [1, 4, 16])).toBe('AnoDDPM needs images of at least 8 × 8 pixels, got 4 × 16.');
    expect(problem({ reversal: 'ddim', lambda: 900 })).toBe(
      '`config.lambda` must be at most `config.trainSteps` (800), got 900: the network is not trained on more noise.',
    );
    expect(problem({ reversal: 'fast', lambda: 500 })).toBe(
      '`config.far` must be above `config.lambda` (500), got 400.',
    );
    expect(problem({ reversal: 'fast', far: 900 })).toMatch(/^`config\.far` must be at most `config\.trainSteps`/);
    expect(problem({ width: 36, heads: 8 })).toBe('`config.width` must be a multiple of `config.heads` (8), got 36.');
    const outside = anoddpm.config.safeParse({ lambda: 1001 });
    expect(outside.error?.issues[0].path).toEqual(['lambda']);
    expect(problem({ score: 'features' }, [1, 8, 64])).toMatch(
      /^oddity at .* needs image sides of at least \d+, got 8 × 64\.$/,
    );
    expect(anoddpm.config.safeParse({ seeds: 0 }).error?.issues[0].path).toEqual(['seeds']);
    expect(anoddpm.config.safeParse({ smoothing: -1 }).error?.issues[0].path).toEqual(['smoothing']);
  });

  it('draws a step and a field for each image of a batch', () => {
    if (anoddpm.learns !== 'gradient') throw new Error('AnoDDPM learns by gradient.');
    const [{ phase, batchSize }] = anoddpm.phases(anoddpm.config.parse({ ...anoddpm.tiny }), [1, 16, 16]);
    const { feeds } = nn.assemble(phase, { shape: [batchSize, 1, 16, 16] });
    const draws = feeds.flatMap((feed) => (feed.kind === 'draw' ? [feed.draw] : []));
    expect(draws.map(({ kind, shape }) => [kind, shape])).toEqual([
      ['uniform', [8]],
      ['simplex', [8, 1, 16, 16]],
    ]);
    const fields = nn.sample(draws[1], new Rng(1));
    const [first, second] = [fields.slice(0, 256), fields.slice(256, 512)];
    expect(first).not.toEqual(second);
    expect(nn.sample(draws[1], new Rng(1))).toEqual(fields);
  });
});
