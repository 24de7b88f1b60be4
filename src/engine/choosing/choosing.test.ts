import { describe, expect, it } from 'vitest';
import { findBackbone } from '../../backbones/index.ts';
import { Rng } from '../../core/random.ts';
import { madeParts } from '../../data/pure.ts';
import { findModel } from '../../models/index.ts';
import { resolveConfig } from '../task/config.ts';
import { countProducts, detectorChoices, measureBackbone, sizesOf, tapSetsOf } from './candidates.ts';
import { partsOf, plantJudges, resized } from './judges.ts';
import { stepOf, within } from './plan.ts';
import { judgeScores, ranked, winner } from './rank.ts';

describe('candidates', () => {
  it('have options that their models know', () => {
    for (const { model, ways, config } of detectorChoices)
      for (const way of ways)
        expect(() => resolveConfig(findModel(model), { config: { ...config(1024, 200), ...way } })).not.toThrow();
  });

  it('sets of taps follow from the backbone alone', () => {
    const taps = { a: { channels: 8, stride: 4 }, b: { channels: 8, stride: 8 }, c: { channels: 8, stride: 16 } };
    expect(tapSetsOf({ taps, usual: ['b', 'c'] })).toEqual([['b', 'c'], ['b'], ['a', 'b', 'c']]);
    expect(tapSetsOf({ taps: { b: taps.b }, usual: ['b'] })).toEqual([['b']]);
  });

  it('sizes keep proportions, are multiples of 32, and enlarge at most twice', () => {
    expect(sizesOf([512, 512])).toEqual([
      [256, 256],
      [384, 384],
      [512, 512],
    ]);
    expect(sizesOf([320, 256]).at(-1)![0]).toBeGreaterThan(384);
    expect(sizesOf([64, 64])).toEqual([[64, 64]]);
    for (const [h, w] of sizesOf([512, 96])) expect([h % 32, w % 32]).toEqual([0, 0]);
  });

  it('are counted in multiplications: four times the pixels, four times as many', () => {
    const backbone = findBackbone('oddity');
    const small = measureBackbone(backbone, [1, 128, 128], ['coarse']);
    const large = measureBackbone(backbone, [1, 256, 256], ['coarse']);
    expect(large.products / small.products).toBeCloseTo(4, 1);
    expect(large.grids.get('coarse')!.slice(1)).toEqual([16, 16]);
    expect(countProducts([])).toBe(0);
  });

  it('are left out with the reason: too slow to fit, no time', () => {
    const [oddity, vgg] = [findBackbone('oddity'), findBackbone('vgg16')];
    const counts = { known: 128, jury: 144 };
    const all = (taps: readonly string[]) => detectorChoices.map((detector) => ({ detector, taps }));
    const slow = stepOf(vgg, [3, 512, 512], counts, all(vgg.usual));
    expect(slow.step).toBeUndefined();
    expect(slow.leftOut[0]).toMatchObject({
      what: 'patchcore, vgg16, 512x512 px',
      why: expect.stringMatching(/^to fit it to 240 images would take about \d+ s, more than 60 s$/),
    });
    expect(stepOf(oddity, [1, 64, 64], counts, [])).toEqual({ leftOut: [] });
    const step = stepOf(oddity, [1, 256, 256], counts, all(['fine'])).step!;
    expect(step.seconds).toBeGreaterThan(0);
    const { taken, leftOut } = within([step, step], 1.5 * step.seconds);
    expect(taken).toEqual([step]);
    expect(leftOut[0].why).toMatch(/it would take about \d+ s, and \d+ s were left/);
  });
});

describe('the jury', () => {
  it('is of training images that nobody learns from, with every kind of defect', async () => {
    const source = await madeParts({ set: 'grain', count: 60, size: 64 });
    const normals = Uint32Array.from(source.items.keys()).filter((i) => source.items[i].part === 'train');
    const { known, judges } = partsOf(normals, new Rng(1));
    expect([known.length, judges.length]).toEqual([45, 15]);
    expect(judges.some((i) => known.includes(i))).toBe(false);
    expect(partsOf(normals, new Rng(1))).toEqual({ known, judges });
    const jury = await plantJudges(source, judges, new Rng(1));
    expect(jury.kind.slice(0, 15).every((kind) => kind === undefined)).toBe(true);
    expect(new Set(jury.kind.slice(15)).size).toBe(7);
    const out = new Float32Array(32 * 32);
    resized(
      Float32Array.from(jury.images[0], (v) => v / 255),
      [1, 64, 64],
      [32, 32],
      out,
      0,
    );
    const mean = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0) / values.length;
    expect(mean(out)).toBeCloseTo(mean(jury.images[0]) / 255, 2);
  });

  it('is judged by kind, without comparing an image with itself', () => {
    const judge = [0, 1, 2, 0, 1, 2];
    const kind = [undefined, undefined, undefined, 'crack', 'stain', 'stain'] as const;
    // The crack is below the image that it was made of, and above the others.
    const found = judgeScores({ judge, kind }, [9, 1, 2, 8, 3, 0], new Rng(1));
    expect(found.kinds.crack).toBe(1);
    expect(found.kinds.stain).toBeCloseTo(1 / 4);
    expect(found.figure).toBeCloseTo(5 / 8);
    expect(found.interval[0]).toBeLessThanOrEqual(found.figure);
    expect(found.interval[1]).toBeGreaterThanOrEqual(found.figure);
  });
});

describe('the winner', () => {
  const tried = [
    { name: 'failed' },
    { name: 'level', figure: 0.945, located: 0.8 },
    { name: 'behind', figure: 0.93, located: 1 },
    { name: 'highest', figure: 0.95, located: 0.5 },
  ];

  it('is the highest, or one that is level with it and finds the place of more defects', () => {
    const order = ranked(tried);
    expect(order.map(({ name, place }) => [name, place])).toEqual([
      ['highest', 1],
      ['level', 2],
      ['behind', 3],
      ['failed', undefined],
    ]);
    expect(winner(order).name).toBe('level');
    expect(winner(order.filter(({ name }) => name !== 'level')).name).toBe('highest');
  });
});
