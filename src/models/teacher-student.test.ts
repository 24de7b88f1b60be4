/** Models in which a student learns from a pretrained teacher, against their definitions. */
import { describe, expect, it, test } from 'vitest';
import { sizeOf } from '../core/shape.ts';
import { float32 } from '../core/tensor.ts';
import * as g from '../graph/index.ts';
import * as nn from '../nn/index.ts';
import { efficientAd, hardMean, jittered, merge, normalized } from './efficient-ad.ts';
import type { AnyModel } from './index.ts';
import { autoencode, decoderSides, patchNetwork } from './parts/nets/efficient-ad.ts';
import { bottleneck, decode, placeDistance, reverseDistillation, wholeDistance } from './reverse-distillation.ts';
import { geometricMean, squaredDistance, stfpm } from './stfpm.ts';

const constant = (values: ArrayLike<number>, shape: readonly number[]) => g.constant(float32(values, shape));
const numbers = (y: g.Value) => Array.from(g.evaluate([y], {})[0].data, Number);
function phaseOf(model: AnyModel, options: object, shape: readonly number[]) {
  if (model.learns !== 'gradient') throw new Error(`${model.name} learns by gradient.`);
  return model.phases(model.config.parse(options), shape)[0];
}

describe('stfpm', () => {
  it('compares directions: the squared distance of unit vectors is twice 1 − their cosine', () => {
    const [t, s] = [
      [3, 1, 4, 0],
      [0, 2, 0, -5],
    ]; // two channels, two places: (3, 4), (1, 0) and (0, 0), (2, −5)
    const shape = [1, 2, 1, 2];
    const found = numbers(squaredDistance(constant(t, shape), constant(s, shape)));
    expect(found[0]).toBeCloseTo(1, 5); // nothing of the student: ‖t̂‖²
    expect(found[1]).toBeCloseTo(2 * (1 - 2 / Math.hypot(2, 5)), 5);
    const scaled = numbers(
      squaredDistance(
        constant(
          t.map((v) => 7 * v),
          shape,
        ),
        constant(s, shape),
      ),
    );
    expect(scaled[1]).toBeCloseTo(found[1], 5);
  });

  it('multiplies the maps of the taps, and takes the root', () => {
    const maps = [
      constant([1, 4, 0, 9], [1, 1, 2, 2]),
      constant([4, 4, 5, 1], [1, 1, 2, 2]),
      constant([2, 0.5, 1, 3], [1, 1, 2, 2]),
    ];
    const found = numbers(geometricMean(maps, [2, 2]));
    for (const [i, v] of [2, 2, 0, 3].entries()) expect(found[i]).toBeCloseTo(v, 5);
    const small = constant(new Float32Array(4).fill(1e-12), [1, 1, 2, 2]);
    for (const v of numbers(geometricMean([small, small, small], [2, 2]))) expect(v / 1e-12).toBeCloseTo(1, 3);
  });

  it('trains a student of the published teacher with its three stages, and nothing else', () => {
    const { phase } = phaseOf(stfpm, stfpm.presets.paper, [3, 64, 64]);
    const { trained: specs, specs: all } = nn.assemble(phase, { shape: [2, 3, 64, 64] });
    // ResNet-18 to its third stage: 11,689,512 less the fourth stage (8,393,728) and the classes (513,000).
    expect(specs.reduce((n, { shape }) => n + sizeOf(shape), 0)).toBe(2_782_784);
    expect(specs.every(({ name }) => name.startsWith('student.'))).toBe(true);
    const teacher = all.filter(({ name }) => name.startsWith('backbone.')).map(({ name }) => name.slice(9));
    const student = all.filter(({ name }) => name.startsWith('student.')).map(({ name }) => name.slice(8));
    expect(student.sort()).toEqual(teacher.sort());
  });

  test.each([
    [{}, [1, 31, 64], 'oddity at finest and fine and coarse needs image sides of at least 32, got 31 × 64.'],
    [
      { backbone: 'resnet50_v2' },
      [3, 64, 64],
      'stfpm needs a backbone that can be trained from scratch, but resnet50_v2 cannot. Choose oddity or resnet18.',
    ],
    [{ backbone: 'resnet18' }, [3, 32, 32], undefined],
  ] as const)('what does not fit is a sentence: %j', (options, shape, message) => {
    expect(stfpm.unsuitable!(stfpm.config.parse(options), shape)).toBe(message);
  });
});

describe('efficient-ad', () => {
  /** How many numbers a network has. */
  const sizeOfNet = (build: (net: nn.Scope) => g.Value) => {
    const trace = new nn.Trace(false);
    const { shape } = build(trace.group('net'));
    return { shape, size: [...trace.parameters.values()].reduce((n, { spec }) => n + sizeOf(spec.shape), 0) };
  };
  const image = g.input('x', ['N', 3, 256, 256]);
  const published = { width: 128, padding: false } as const;

  it.each([
    ['small', 8.06],
    ['medium', 20.74],
  ] as const)('the published %s networks have %s million numbers together', (network, millions) => {
    const of = (outputs: number) => sizeOfNet((net) => patchNetwork({ ...published, network }, net, image, outputs));
    const [teacher, student] = [of(384), of(768)];
    const autoencoder = sizeOfNet((net) => autoencode(64, net, image, { outputs: 384, grid: [56, 56] }));
    expect(teacher.shape).toEqual(['N', 384, 56, 56]);
    expect(student.shape).toEqual(['N', 768, 56, 56]);
    expect(autoencoder.shape).toEqual(['N', 384, 56, 56]);
    expect((teacher.size + student.size + autoencoder.size) / 1e6).toBeCloseTo(millions, 2);
  });

  it('halves to 1 × 1 × 64 and enlarges to the published sides', () => {
    const trace = new nn.Trace(false);
    autoencode(64, trace.group('net'), image, { outputs: 384, grid: [56, 56] });
    const kernels = Object.fromEntries(
      [...trace.parameters]
        .filter(([, { spec }]) => spec.shape.length === 4)
        .map(([name, { spec }]) => [name, spec.shape]),
    );
    expect(Object.entries(kernels).map(([name, shape]) => [name.slice(4, -7), ...shape])).toEqual([
      ['down0', 32, 3, 4, 4],
      ['down1', 32, 32, 4, 4],
      ['down2', 64, 32, 4, 4],
      ['down3', 64, 64, 4, 4],
      ['down4', 64, 64, 4, 4],
      ['code', 64, 64, 8, 8],
      ...[0, 1, 2, 3, 4, 5].map((i) => [`up${i}`, 64, 64, 4, 4]),
      ['smooth', 64, 64, 3, 3],
      ['features', 384, 64, 3, 3],
    ]);
    expect(decoderSides(256)).toEqual([3, 8, 15, 32, 63, 127]);
  });

  it.each([16, 33, 64, 127, 256])('a padded student covers %i pixels with 8 places more than one without', (side) => {
    const x = g.input('x', ['N', 3, side, side]);
    const gridOf = (padding: boolean) =>
      sizeOfNet((net) => patchNetwork({ network: 'small', width: 4, padding }, net, x, 2)).shape[2] as number;
    expect(Math.abs(gridOf(true) - side / 4)).toBeLessThan(1);
    if (side > 33) expect(gridOf(true) - gridOf(false)).toBe(8);
  });

  it('learns from the squares at or above their quantile, of each image', () => {
    const squares = [1, 5, 2, 4, 3, 10, 50, 20, 40, 30];
    const of = (quantile: number) => numbers(hardMean(constant(squares, [2, 5, 1, 1]), quantile))[0];
    expect(of(0)).toBeCloseTo((3 + 30) / 2, 5);
    expect(of(0.5)).toBeCloseTo((4 + 40) / 2, 5); // the median is among them
    expect(of(0.6)).toBeCloseTo((4.5 + 45) / 2, 5); // the quantile 3.4 is not
    expect(of(0.999)).toBeCloseTo((5 + 50) / 2, 5);
  });

  it('scales brightness, contrast or saturation, one at a time', () => {
    const pixels = [0.2, 0.4, 0.5, 0.3, 0.1, 0.9]; // red, green, blue of two pixels
    const of = (which: number, how: number) =>
      numbers(jittered(constant(pixels, [1, 3, 1, 2]), constant([which, how], [1, 2, 1, 1])));
    const grey = [0, 1].map((p) => 0.299 * pixels[p] + 0.587 * pixels[2 + p] + 0.114 * pixels[4 + p]);
    const mean = (grey[0] + grey[1]) / 2;
    const expected = (f: number, rest: (pixel: number) => number) =>
      pixels.map((v, i) => expect.closeTo(Math.min(1, Math.max(0, f * v + (1 - f) * rest(i % 2))), 5));
    expect(of(0.1, 0)).toEqual(expected(0.8, () => 0));
    expect(of(0.5, 1)).toEqual(expected(1.2, () => mean));
    expect(of(0.9, 0.25)).toEqual(expected(0.9, (pixel) => grey[pixel]));
    expect(of(0.9, 0.5)).toEqual(expected(1, () => 0));
  });

  it('merges means and variances of batches to those of all values', () => {
    const batches = [
      [1, 2, 3, 10],
      [-4, 0, 7, 1],
      [100, 101, 99, 104],
    ];
    const zero = () => constant([0], [1, 1, 1, 1]);
    const start = { mean: zero(), variance: zero(), batches: constant([0], []) };
    const found = batches.reduce((before, values) => merge(before, constant(values, [2, 1, 2, 1])), start);
    const all = batches.flat();
    const mean = all.reduce((a, b) => a + b) / all.length;
    expect(numbers(found.mean)[0]).toBeCloseTo(mean, 4);
    expect(numbers(found.variance)[0]).toBeCloseTo(all.reduce((sum, v) => sum + (v - mean) ** 2, 0) / all.length, 2);
    expect(numbers(found.batches)).toEqual([3]);
  });

  it('brings the quantiles of a map to 0 and 0.1', () => {
    const found = numbers(normalized(constant([2, 6, 10, 0], [1, 1, 2, 2]), constant([2], []), constant([6], [])));
    for (const [i, v] of [0, 0.1, 0.2, -0.05].entries()) expect(found[i]).toBeCloseTo(v, 6);
  });

  it('measures the teacher before and the maps after, and trains neither', () => {
    if (efficientAd.learns !== 'gradient') throw new Error('efficient-ad learns by gradient.');
    const { phases: phasesOf } = efficientAd;
    const phases = phasesOf(efficientAd.config.parse(efficientAd.tiny), [1, 32, 32]);
    const assembled = phases.map(({ phase }) => nn.assemble(phase, { shape: [2, 1, 32, 32] }));
    expect(phases.map(({ phase, epochs }) => [phase.name, epochs])).toEqual([
      ['teacher', 1],
      ['fit', 4],
      ['maps', 1],
    ]);
    // Quantiles are of images that the student did not learn from.
    expect(phases.map(({ of }) => of)).toEqual([undefined, undefined, 'held-out']);
    const groups = assembled.map(({ trained }) => [...new Set(trained.map(({ name }) => name.split('.')[0]))]);
    expect(groups).toEqual([[], ['student', 'autoencoder'], []]);
    const feeds = (penalty: 'none' | 'textures') => {
      const [, fit] = phasesOf(efficientAd.config.parse({ penalty }), [3, 32, 32]);
      return nn.assemble(fit.phase, { shape: [2, 3, 32, 32] }).feeds.map(({ kind }) => kind);
    };
    expect(efficientAd.config.parse({}).penalty).toBe('textures');
    expect(feeds('none')).not.toContain('planted');
    expect(feeds('textures')).toEqual(expect.arrayContaining(['planted', 'masks']));
  });

  test.each([
    [{}, [1, 8, 64], 'oddity at fine needs image sides of at least 16, got 8 × 64.'],
    [
      { padding: false },
      [1, 32, 64],
      'efficient-ad without padding needs images of at least 40 × 40 pixels, got 32 × 64.',
    ],
    [{ padding: false }, [3, 40, 40], undefined],
  ] as const)('what does not fit is a sentence: %j', (options, shape, message) => {
    expect(efficientAd.unsuitable!(efficientAd.config.parse(options), shape)).toBe(message);
  });
});

describe('reverse-distillation', () => {
  const published = reverseDistillation.config.parse(reverseDistillation.presets.paper);
  const stages = [
    [256, 64],
    [512, 32],
    [1024, 16],
  ].map(([channels, side], i) => g.input(`layer${i + 1}`, ['N', channels, side, side]));

  it('brings the three published stages into 2048 channels of 8 × 8, and back to their shapes', () => {
    const trace = new nn.Trace(false);
    const code = bottleneck(published, trace.group('bottleneck'), stages);
    expect(code.shape).toEqual(['N', 2048, 8, 8]);
    const back = decode(published, trace.group('decoder'), code, stages);
    expect(back.map(({ shape }) => shape)).toEqual(stages.map(({ shape }) => shape));
    const shapeOf = (name: string) => trace.parameters.get(name)?.spec.shape;
    expect(shapeOf('bottleneck.from0.0.weight')).toEqual([512, 256, 3, 3]);
    expect(shapeOf('bottleneck.from0.1.weight')).toEqual([1024, 512, 3, 3]);
    expect(shapeOf('bottleneck.from1.0.weight')).toEqual([1024, 512, 3, 3]);
    expect(shapeOf('bottleneck.from2.0.weight')).toBeUndefined();
    expect(shapeOf('bottleneck.code.0.conv1.weight')).toEqual([1024, 3072, 1, 1]); // 3 × 1024 joined
    expect(shapeOf('bottleneck.code.2.conv3.weight')).toEqual([2048, 1024, 1, 1]); // the last of 3 blocks
    expect(shapeOf('bottleneck.code.3.conv3.weight')).toBeUndefined();
    expect(shapeOf('decoder.level2.up0.0.conv2.weight')).toEqual([512, 512, 2, 2]);
    expect(shapeOf('decoder.level0.up0.0.short.weight')).toEqual([512, 256, 2, 2]);
  });

  it('gives back grids whose sides do not halve evenly', () => {
    const odd = [g.input('fine', ['N', 6, 9, 5]), g.input('coarse', ['N', 8, 4, 2])];
    const trace = new nn.Trace(false);
    const options = reverseDistillation.config.parse({});
    const code = bottleneck(options, trace.group('bottleneck'), odd);
    expect(code.shape).toEqual(['N', 16, 2, 1]);
    expect(decode(options, trace.group('decoder'), code, odd).map(({ shape }) => shape)).toEqual(
      odd.map(({ shape }) => shape),
    );
  });

  it('compares all features of an item at once to learn, and those of a place to score', () => {
    const [t, s] = [
      [1, 2, 0, 3, 5, 0, 0, 1],
      [2, 2, 1, 0, 1, 0, 4, -3],
    ];
    const cosine = (a: number[], b: number[]) =>
      a.reduce((sum, v, i) => sum + v * b[i], 0) / (Math.hypot(...a) * Math.hypot(...b));
    const [teacher, student] = [t, s].map((values) => constant(values, [2, 2, 1, 2]));
    const items = [0, 1].map((n) => cosine(t.slice(4 * n, 4 * n + 4), s.slice(4 * n, 4 * n + 4)));
    expect(numbers(wholeDistance(teacher, student))[0]).toBeCloseTo(1 - (items[0] + items[1]) / 2, 5);
    const places = [0, 1, 4, 5].map((i) => 1 - cosine([t[i], t[i + 2]], [s[i], s[i + 2]]));
    const found = numbers(placeDistance(teacher, student));
    for (const i of [0, 1]) expect(found[i]).toBeCloseTo(places[i], 4);
    expect(found[2]).toBeCloseTo(places[2], 4);
    expect(found[3]).toBeCloseTo(2, 4); // (0, 1) and (0, −3): opposite
  });

  it('moves bottleneck and decoder, not the teacher', () => {
    const { phase } = phaseOf(reverseDistillation, {}, [1, 64, 64]);
    const { trained } = nn.assemble(phase, { shape: [2, 1, 64, 64] });
    expect([...new Set(trained.map(({ name }) => name.split('.')[0]))].sort()).toEqual(['bottleneck', 'decoder']);
  });

  test.each([
    [{}, [1, 31, 64], 'oddity at finest and fine and coarse needs image sides of at least 32, got 31 × 64.'],
    [
      { backbone: 'resnet18' },
      [3, 16, 64],
      'resnet18 at layer1 and layer2 and layer3 needs image sides of at least 32, got 16 × 64.',
    ],
  ] as const)('what does not fit is a sentence: %j', (options, shape, message) => {
    expect(reverseDistillation.unsuitable!(reverseDistillation.config.parse(options), shape)).toBe(message);
  });
});
