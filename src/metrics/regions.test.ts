import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { connectedRegions, dice, iou, measureMaps, regionsAbove } from './index.ts';
import { mapDice, mapIou } from './overlap.ts';

/** A mask drawn with # on lines of equal length. */
const drawn = (...lines: string[]) => Uint8Array.from([...lines.join('')], (c) => (c === '#' ? 255 : 0));

const smallMask = fc.array(fc.boolean(), { minLength: 30, maxLength: 30 }).map((b) => Uint8Array.from(b, Number));

describe('connectedRegions', () => {
  test('pixels that touch at a corner are one region; boxes, areas and centres', () => {
    const { label, regions } = connectedRegions(drawn('#..#', '.#..', '...#'), 3, 4);
    expect([...label]).toEqual([1, 0, 0, 2, 0, 1, 0, 0, 0, 0, 0, 3]);
    expect(regions).toEqual([
      { x: 0, y: 0, width: 2, height: 2, area: 2, centre: { x: 0.5, y: 0.5 } },
      { x: 3, y: 0, width: 1, height: 1, area: 1, centre: { x: 3, y: 0 } },
      { x: 3, y: 2, width: 1, height: 1, area: 1, centre: { x: 3, y: 2 } },
    ]);
  });

  test('the end of a row does not touch the start of the next', () => {
    expect(connectedRegions(drawn('..#', '#..', '...'), 3, 3).regions.length).toBe(2);
  });

  test('a ring is one region, its box may enclose another', () => {
    const { regions } = connectedRegions(drawn('#####', '#...#', '#.#.#', '#...#', '#####'), 5, 5);
    expect(regions.map((r) => r.area)).toEqual([16, 1]);
    expect(regions[0]).toMatchObject({ x: 0, y: 0, width: 5, height: 5, centre: { x: 2, y: 2 } });
  });

  test('above a threshold: >=, peaks, and NaN is outside', () => {
    const map = Float32Array.of(1, 2, 0, 3, 0, 0, 0, 3, 0.5, Number.NaN, 0, 1);
    const { regions } = regionsAbove(map, 1, 3, 4);
    expect(regions).toMatchObject([
      { area: 2, peak: 2, peakAt: { x: 1, y: 0 } },
      { area: 3, peak: 3, peakAt: { x: 3, y: 0 } },
    ]);
  });

  test('a mask of another size is refused', () => {
    expect(() => connectedRegions(new Uint8Array(5), 2, 3)).toThrow(
      'A mask of height 2 and width 3 must have 6 values, got 5.',
    );
    expect(() => connectedRegions(new Uint8Array(6), 2, 3, new Float32Array(5))).toThrow('A map of height 2');
  });

  test('labels cover the mask, neighbours agree, areas add up', () => {
    fc.assert(
      fc.property(smallMask, (mask) => {
        const { label, regions } = connectedRegions(mask, 5, 6);
        for (let i = 0; i < 30; i++) {
          expect(label[i] > 0).toBe(mask[i] > 0);
          const right = (i % 6) + 1 < 6 ? [i + 1, i + 7] : [];
          const left = i % 6 > 0 ? [i + 5] : [];
          for (const j of [...right, ...left, i + 6]) if (mask[i] && mask[j]) expect(label[j]).toBe(label[i]);
        }
        expect(regions.map((r) => r.area)).toEqual(regions.map((_, k) => label.filter((v) => v === k + 1).length));
      }),
    );
  });
});

describe('dice and iou', () => {
  test('two discs: counted by hand', () => {
    const disc = (x: number) =>
      Uint8Array.from({ length: 400 }, (_, i) => (((i % 20) - x) ** 2 + (Math.floor(i / 20) - 10) ** 2 <= 9 ? 1 : 0));
    // A disc of radius 3 has rows of 1, 5, 5, 7, 5, 5, 1 pixels; two steps to the side leave 0, 3, 3, 5, 3, 3, 0.
    expect(dice(disc(8), disc(10))).toBe(34 / 58);
    expect(iou(disc(8), disc(10))).toBe(17 / 41);
  });

  test('equal, disjoint, empty and unequal sizes', () => {
    expect([dice([1, 0], [255, 0]), iou([1, 0], [255, 0])]).toEqual([1, 1]);
    expect([dice([1, 0], [0, 1]), iou([1, 0], [0, 1])]).toEqual([0, 0]);
    expect([dice([0, 0], [0, 0]), iou([0, 0], [0, 0])]).toEqual([null, null]);
    expect(() => dice([1], [1, 0])).toThrow('Two masks must have the same size, got 1 and 2 pixels.');
  });

  test('of pooled maps are those of all pixels at once', () => {
    const pooled = measureMaps({ threshold: 0.5 }, [mapDice, mapIou]);
    const reason = 'No pixel is anomalous, neither of the masks nor at the map threshold.';
    expect(pooled.result()).toMatchObject({
      values: { dice: null, iou: null },
      reasons: { dice: reason, iou: reason },
    });
    const add = (map: number[], mask: number[], counted?: number[]) =>
      pooled.add({
        map: Float32Array.from(map),
        mask: Uint8Array.from(mask),
        height: 1,
        width: map.length,
        ...(counted && { counted: Uint8Array.from(counted) }),
      });
    add([0.5, 0.4, 0.9, 0], [1, 1, 0, 0]);
    add([1, 0], [1, 0]);
    const [predicted, truth] = [
      [1, 0, 1, 0, 1, 0],
      [1, 1, 0, 0, 1, 0],
    ];
    const all = { dice: dice(predicted, truth), iou: iou(predicted, truth) };
    expect(pooled.result()).toMatchObject({ values: all, reasons: {} });
    add([9, 9], [0, 0], [0, 0]);
    expect(pooled.result().values).toEqual(all);
  });

  test('dice = 2·iou / (1 + iou), and both are symmetric', () => {
    fc.assert(
      fc.property(smallMask, smallMask, (a, b) => {
        fc.pre(a.some(Boolean) || b.some(Boolean));
        const overlap = iou(a, b)!;
        expect(dice(a, b)).toBeCloseTo((2 * overlap) / (1 + overlap), 12);
        expect([dice(b, a), iou(b, a)]).toEqual([dice(a, b), overlap]);
      }),
    );
  });
});
