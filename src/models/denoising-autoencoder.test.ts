import { describe, expect, it, test } from 'vitest';
import { Rng } from '../core/random.ts';
import { float32, type Tensors } from '../core/tensor.ts';
import { libraryWords, write } from '../core/text.ts';
import * as g from '../graph/index.ts';
import * as nn from '../nn/index.ts';
import { coarseNoise, corrupt, denoisingAutoencoder, median5 } from './denoising-autoencoder.ts';

const value = (y: g.Value, feeds: Tensors = {}) => Array.from(g.evaluate([y], feeds)[0].data, Number);
const image = (values: ArrayLike<number>, shape: readonly number[]) => g.constant(float32(values, shape));

describe('coarse noise', () => {
  const grid = new Rng(1).normals(2 * 4 * 4);
  const noise = (shares: readonly number[]) =>
    value(coarseNoise(image(grid, [2, 1, 4, 4]), image(shares, [2]), [16, 12]));

  it('is smooth: neighbours differ far less than the noise varies', () => {
    const field = noise([0, 0]).slice(0, 192);
    const rms = (values: number[]) => Math.sqrt(values.reduce((n, v) => n + v * v, 0) / values.length);
    const steps = field.flatMap((v, i) => (i % 12 === 11 ? [] : [field[i + 1] - v]));
    expect(rms(steps)).toBeLessThan(0.5 * rms(field));
    expect(rms(field)).toBeGreaterThan(0.3);
  });

  it('rolls round both axes, all images of a batch alike', () => {
    const [still, moved] = [noise([0, 0]), noise([0.25, 0.5])]; // 4 rows and 6 columns on
    for (const n of [0, 1])
      for (const [y, x] of [
        [0, 0],
        [13, 2],
        [5, 9],
      ])
        expect(moved[192 * n + 12 * y + x]).toBe(still[192 * n + 12 * ((y + 4) % 16) + ((x + 6) % 12)]);
  });

  it('falls on the foreground only, where only that counts', () => {
    const x = image([0, 0.5, 0, 0, 0.25, 0, 0, 0], [1, 2, 2, 2]); // pixels 0 and 1 are not black
    const field = image([1, 1, 1, 1, -1, -1, -1, -1], [1, 2, 2, 2]);
    const near = (found: number[], expected: number[]) => found.map((v, i) => expect(v).toBeCloseTo(expected[i], 6));
    near(value(corrupt({ noiseStd: 0.2, foreground: true }, x, field)), [0.2, 0.7, 0, 0, 0.05, -0.2, 0, 0]);
    near(value(corrupt({ noiseStd: 0.2, foreground: false }, x, field)), [0.2, 0.7, 0.2, 0.2, 0.05, -0.2, -0.2, -0.2]);
  });
});

test('the median of 5 × 5 drops a bright pixel and keeps an edge', () => {
  const map = Array.from({ length: 64 }, (_, i) => (i % 8 >= 4 ? 1 : 0));
  const dotted = map.map((v, i) => (i === 8 * 4 + 1 ? 9 : v));
  expect(value(median5(image(dotted, [1, 1, 8, 8])))).toEqual(map);
});

test('scoring draws no noise, and counts the inside of the foreground only', () => {
  const config = denoisingAutoencoder.config.parse({ width: 2, levels: 2, foreground: true });
  const trace = new nn.Trace(false);
  const { map } = denoisingAutoencoder.score(config, (group) => trace.group(group), g.input('x', [1, 1, 12, 12]));
  expect(trace.draws.size).toBe(0);
  const x = Float32Array.from({ length: 144 }, (_, i) => (i % 12 < 8 ? 0.5 : 0)); // black on the right
  const feeds: Tensors = { x: float32(x, [1, 1, 12, 12]) };
  for (const { spec } of [...trace.parameters.values(), ...trace.buffers.values()])
    feeds[spec.name] = float32(spec.init(spec.shape, new Rng(2).split(spec.name), spec.fan), spec.shape);
  const found = value(map, feeds);
  const counted = found.flatMap((v, i) => (v > 0 ? [`${i % 12},${Math.floor(i / 12)}`] : []));
  const inside = [2, 3, 4, 5].flatMap((x) => [2, 3, 4, 5, 6, 7, 8, 9].map((y) => `${x},${y}`));
  expect(new Set(counted)).toEqual(new Set(inside));
});

test('the published network has four levels of 64 to 512 filters, two convolutions each', () => {
  const { phase } = (
    denoisingAutoencoder as { phases(c: unknown, s: readonly number[]): readonly { phase: nn.Phase }[] }
  ).phases(denoisingAutoencoder.config.parse(denoisingAutoencoder.presets.kascenas), [4, 128, 128])[0];
  const { trained, feeds } = nn.assemble(phase, { shape: [2, 4, 128, 128] });
  const kernels = trained.filter((s) => /direction|up\.weight|image\.weight/.test(s.name));
  expect(
    kernels.map(
      (s) => `${s.name.replace('unet.', '').replace(/\.(direction|weight)/, '')} ${s.shape.slice(0, 2).join('x')}`,
    ),
  ).toEqual([
    'down0.a 64x4',
    'down0.b 64x64',
    'down1.a 128x64',
    'down1.b 128x128',
    'down2.a 256x128',
    'down2.b 256x256',
    'down3.a 512x256',
    'down3.b 512x512',
    'up2.up 512x256',
    'up2.a 256x512',
    'up2.b 256x256',
    'up1.up 256x128',
    'up1.a 128x256',
    'up1.b 128x128',
    'up0.up 128x64',
    'up0.a 64x128',
    'up0.b 64x64',
    'image 4x64',
  ]);
  // A grid of 16 × 16 for 128 × 128 pixels.
  expect(feeds.flatMap((f) => (f.kind === 'draw' ? [f.draw.shape] : []))).toEqual([[2, 4, 16, 16], [2]]);
});

test.each([
  [4, 15, 40, 'a network of 4 levels needs images of at least 16 × 16 pixels, got 15 × 40.'],
  [1, 3, 3, 'a network of 1 levels needs images of at least 4 × 4 pixels, got 3 × 3.'],
])('%d levels do not fit %d × %d pixels', (levels, height, width, message) => {
  expect(denoisingAutoencoder.unsuitable!(denoisingAutoencoder.config.parse({ levels }), [1, height, width])).toBe(
    message,
  );
});

test('a code without which skips would go past it is refused with a sentence', () => {
  const said = denoisingAutoencoder.unsuitable!(denoisingAutoencoder.config.parse({ code: 16 }), [1, 28, 28])!;
  expect(write(said, libraryWords)).toBe(
    '`config.code` (16) needs `config.skips` to be off: with skip connections nothing has to pass through the code.',
  );
});

test('everything passes through the code, and maps are means over noisy copies that are the same in every run', () => {
  const scored = (copies: number) => {
    const config = denoisingAutoencoder.config.parse({
      width: 2,
      levels: 2,
      skips: false,
      code: 3,
      copies,
      noise: 'pixel',
    });
    const trace = new nn.Trace(false);
    const { map } = denoisingAutoencoder.score(config, (group) => trace.group(group), g.input('x', [1, 1, 8, 8]));
    const feeds: Tensors = { x: float32(new Rng(4).uniforms(64), [1, 1, 8, 8]) };
    for (const { spec } of [...trace.parameters.values(), ...trace.buffers.values()])
      feeds[spec.name] = float32(spec.init(spec.shape, new Rng(2).split(spec.name), spec.fan), spec.shape);
    return { map: value(map, feeds), code: trace.parameters.get('unet.middle.code.weight')?.spec.shape };
  };
  const [none, one, two] = [0, 1, 2].map(scored);
  expect(one.code).toContain(3);
  expect(scored(2).map).toEqual(two.map);
  expect(one.map).not.toEqual(none.map);
  expect(two.map).not.toEqual(one.map);
});

test('small images have a narrow code by default, large ones skips, and the published preset is the published one at any size', () => {
  const { defaults, presets } = denoisingAutoencoder;
  expect(defaults!([1, 28, 28], 6000, {})).toMatchObject({
    skips: false,
    code: 16,
    noise: 'pixel',
    difference: 'squared',
  });
  expect(defaults!([1, 128, 128], 200, {})).not.toHaveProperty('skips');
  expect(presets.kascenas).toMatchObject({ skips: true, code: 0, noise: 'coarse', difference: 'absolute' });
});
