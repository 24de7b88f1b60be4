import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Rng } from '../core/random.ts';
import { aupro, auroc, averagePrecision, connectedRegions, type PixelMetricsOptions, pixelMetrics } from './index.ts';

interface Picture {
  readonly map: Float32Array;
  readonly mask: Uint8Array;
  readonly height: number;
  readonly width: number;
}

/** The two 8 x 8 pictures of the golden vectors; the masks raise the map by `lift`. */
function goldenPictures(lift: number): Picture[] {
  return [0, 1].map((i) => {
    const mask = Uint8Array.from({ length: 64 }, (_, at) => {
      const [r, c] = [at >> 3, at & 7];
      const first = (r >= 2 && r <= 3 && c >= 2 && c <= 4) || (r === 6 && c === 6);
      return (i === 0 ? first : r >= 1 && r <= 4 && c === 5) ? 1 : 0;
    });
    const map = Float32Array.from(mask, (m, at) => (((64 * i + at) * 37) % 101) / 101 + lift * m);
    return { map, mask, height: 8, width: 8 };
  });
}

const measure = (pictures: readonly Picture[], options?: PixelMetricsOptions) => {
  const pixels = pixelMetrics(options);
  for (const picture of pictures) pixels.add(picture);
  return pixels.result();
};

const auproOf = (pictures: readonly Picture[], limit?: number) =>
  aupro(
    pictures.map((p) => p.map),
    pictures.map((p) => p.mask),
    pictures[0].height,
    pictures[0].width,
    limit,
  );

/** AUPRO word for word: PRO and FPR at every threshold, trapezoids up to the limit. */
function naiveAupro(pictures: readonly Picture[], limit: number): number {
  const regions = pictures.flatMap(({ map, mask, height, width }) => {
    const { label, regions } = connectedRegions(mask, height, width);
    return regions.map((_, k) => [...map].filter((_, i) => label[i] === k + 1));
  });
  const normals = pictures.flatMap(({ map, mask }) => [...map].filter((_, i) => mask[i] === 0));
  const reaching = (values: number[], t: number) => values.filter((v) => v >= t).length / values.length;
  const thresholds = [...new Set(pictures.flatMap(({ map }) => [...map]))].sort((a, b) => b - a);
  let area = 0;
  let [x, y] = [0, 0];
  for (const t of thresholds) {
    const nextX = reaching(normals, t);
    const nextY = regions.reduce((sum, region) => sum + reaching(region, t), 0) / regions.length;
    const endX = Math.min(nextX, limit);
    const endY = nextX === x ? nextY : y + ((nextY - y) * (endX - x)) / (nextX - x);
    if (endX > x) area += ((endX - x) * (y + endY)) / 2;
    if (nextX >= limit) break;
    [x, y] = [nextX, nextY];
  }
  return area / limit;
}

describe('golden values of two 8 x 8 maps', () => {
  test.each([
    [0.3, 0.678221],
    [1, 0.893637],
    [0.05, 0.555556],
  ])('AUPRO up to %f is %f', (limit, wanted) => {
    expect(auproOf(goldenPictures(0.6), limit)).toBeCloseTo(wanted, 6);
    expect(naiveAupro(goldenPictures(0.6), limit)).toBeCloseTo(wanted, 6);
  });

  test('pixel AUROC, pixel AP, and a map that ignores the mask', () => {
    const raised = measure(goldenPictures(0.6));
    expect(raised.auroc).toBeCloseTo(0.878011, 6);
    expect(raised.ap).toBeCloseTo(0.605525, 6);
    expect(raised).toMatchObject({ regions: 3, pixels: 128, prevalence: 11 / 128, reason: null });
    const blind = measure(goldenPictures(0));
    expect(blind.aupro).toBeCloseTo(0.193574, 6);
    expect(blind.auroc).toBeCloseTo(0.438617, 6);
  });
});

/** One to three small pictures with many ties; both kinds of pixels occur. */
const pictures = fc
  .array(
    fc.tuple(
      fc.array(fc.integer({ min: -6, max: 6 }), { minLength: 20, maxLength: 20 }),
      fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 20, maxLength: 20 }),
    ),
    { minLength: 1, maxLength: 3 },
  )
  .map((rows) =>
    rows.map(([values, inside]) => ({
      map: Float32Array.from(values, (v) => v / 4),
      mask: Uint8Array.from(inside, (v) => (v === 3 ? 255 : 0)),
      height: 4,
      width: 5,
    })),
  )
  .filter((list) => list.some((p) => p.mask.some((m) => m > 0)) && list.some((p) => p.mask.some((m) => m === 0)));

describe('properties', () => {
  test('AUPRO equals its definition', () => {
    fc.assert(
      fc.property(pictures, fc.double({ min: 0.01, max: 1, noNaN: true }), (list, limit) => {
        expect(measure(list, { limit }).aupro).toBeCloseTo(naiveAupro(list, limit), 10);
      }),
    );
  });

  test('pixel AUROC and AP equal those of all pixels at once', () => {
    fc.assert(
      fc.property(pictures, (list) => {
        const scores = list.flatMap((p) => [...p.map]);
        const labels = list.flatMap((p) => [...p.mask].map((m) => (m > 0 ? 1 : 0)));
        const found = measure(list);
        expect(found.auroc).toBeCloseTo(auroc(scores, labels)!, 12);
        expect(found.ap).toBeCloseTo(averagePrecision(scores, labels)!, 12);
      }),
    );
  });

  test('strictly monotone maps, and the order of pictures, change nothing', () => {
    const maps = [(v: number) => 3 * v - 7, (v: number) => Math.exp(v), (v: number) => v ** 3];
    fc.assert(
      fc.property(pictures, fc.constantFrom(...maps), (list, map) => {
        const mapped = list.map((p) => ({ ...p, map: p.map.map(map) })).reverse();
        const [a, b] = [measure(list), measure(mapped)];
        expect(b.auroc).toBe(a.auroc);
        expect(b.ap).toBe(a.ap);
        expect(b.aupro).toBeCloseTo(a.aupro!, 12);
      }),
    );
  });

  test('perfect, constant and reversed maps reach the limits', () => {
    fc.assert(
      fc.property(pictures, (list) => {
        const perfect = measure(list.map((p) => ({ ...p, map: Float32Array.from(p.mask) })));
        expect(perfect).toMatchObject({ auroc: 1, ap: 1 });
        expect(perfect.aupro).toBeCloseTo(1, 12);
        const constant = measure(list.map((p) => ({ ...p, map: p.map.map(() => 2) })));
        expect(constant.auroc).toBe(0.5);
        expect(constant.ap).toBeCloseTo(constant.prevalence!, 12);
        expect(constant.aupro).toBeCloseTo(0.15, 12); // the diagonal up to 0.3, divided by 0.3
        const reversed = measure(list.map((p) => ({ ...p, map: Float32Array.from(p.mask, (m) => -m) })));
        expect(reversed).toMatchObject({ auroc: 0, aupro: 0 });
      }),
    );
  });

  test('folding into bins stays within the stated error, and loses nothing while the scores are few', () => {
    const continuous = (seed: number): Picture[] => {
      const rng = new Rng(seed);
      return Array.from({ length: 12 }, (_, i) => {
        const mask = Uint8Array.from({ length: 256 }, (_, at) => (i % 3 === 0 && at % 16 > 11 && at < 160 ? 1 : 0));
        return { map: rng.normals(256).map((v, at) => v + mask[at]), mask, height: 16, width: 16 };
      });
    };
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 2, max: 200 }), (seed, bins) => {
        const exact = measure(continuous(seed));
        const folded = measure(continuous(seed), { exactPixels: 600, bins });
        expect(exact.error).toEqual({ auroc: 0, ap: 0, aupro: 0 });
        for (const name of ['auroc', 'ap', 'aupro'] as const) {
          expect(folded.error[name]).toBeGreaterThan(0);
          expect(Math.abs(folded[name]! - exact[name]!)).toBeLessThanOrEqual(folded.error[name] + 1e-12);
        }
      }),
      { numRuns: 30 },
    );
    fc.assert(
      fc.property(pictures, (list) => {
        const [exact, folded] = [measure(list), measure([...list], { exactPixels: 20, bins: 16 })];
        expect(folded.error).toEqual({ auroc: 0, ap: 0, aupro: 0 });
        expect(folded.auroc).toBe(exact.auroc);
        expect(folded.ap).toBeCloseTo(exact.ap!, 12);
        expect(folded.aupro).toBeCloseTo(exact.aupro!, 12);
      }),
    );
  });
});

describe('edges', () => {
  const one = (map: number[], mask: number[]) =>
    measure([{ map: Float32Array.from(map), mask: Uint8Array.from(mask), height: 1, width: map.length }]);

  test('one kind only, no maps and NaN give null and a reason', () => {
    const reasonOf = ({ reason, ...values }: ReturnType<typeof measure>) => {
      expect(values).toMatchObject({ auroc: null, ap: null, aupro: null });
      return reason;
    };
    expect(reasonOf(measure([]))).toBe('There are no maps with masks.');
    expect(reasonOf(one([1, 2], [0, 0]))).toBe('All 2 pixels are normal; both kinds are needed.');
    expect(reasonOf(one([1, 2], [1, 1]))).toBe('All 2 pixels are anomalous; both kinds are needed.');
    expect(reasonOf(one([1, Number.NaN], [0, 1]))).toBe('1 of 2 pixels of the maps are not a number.');
  });

  test('infinite scores, −0 and 0, and scores that differ in the last bit', () => {
    expect(one([Number.NEGATIVE_INFINITY, 0, Number.POSITIVE_INFINITY], [0, 0, 1]).auroc).toBe(1);
    expect(one([0, -0], [1, 0]).auroc).toBe(0.5);
    expect(one([-1e-45, 0], [0, 1]).auroc).toBe(1);
    expect(one([-2, -1.9999999], [0, 1]).auroc).toBe(1);
  });

  test('two regions of different size count alike', () => {
    // Found: the whole region of one pixel, nothing of the other; no normal pixel before FPR 1/4.
    const found = one([9, 5, 5, 5, 5, 1, 1, 1], [1, 0, 0, 0, 0, 1, 1, 1]);
    expect(found).toMatchObject({ regions: 2, aupro: 0.5 });
  });

  test('a map may be added after a result, and is not changed', () => {
    const pictures = goldenPictures(0.6);
    const kept = pictures.map((p) => [...p.map]);
    const pixels = pixelMetrics();
    for (const picture of pictures) {
      pixels.add(picture);
      pixels.result();
    }
    expect(pixels.result()).toEqual(measure(pictures));
    expect(pictures.map((p) => [...p.map])).toEqual(kept);
  });

  test('wrong sizes and limits are refused', () => {
    const pixels = pixelMetrics();
    const add = (map: number, mask: number) =>
      pixels.add({ map: new Float32Array(map), mask: new Uint8Array(mask), height: 2, width: 3 });
    expect(() => add(5, 6)).toThrow('A map of height 2 and width 3');
    expect(() => add(6, 5)).toThrow('A mask of height 2 and width 3');
    expect(() => aupro([new Float32Array(1)], [], 1, 1)).toThrow('Each map needs a mask, got 1 maps and 0 masks.');
    for (const limit of [0, 1.1, Number.NaN]) expect(() => pixelMetrics({ limit })).toThrow('The limit of AUPRO');
  });
});

test('normal pixels that are not counted change nothing but their number', () => {
  const pictures = goldenPictures(0.2);
  const half = Uint8Array.from({ length: 64 }, (_, p) => (p < 40 ? 1 : 0));
  const [cut, low] = [pixelMetrics(), pixelMetrics()];
  for (const { map, mask, height, width } of [...pictures, { ...pictures[0], mask: new Uint8Array(64) }]) {
    cut.add({ map, mask, height, width, counted: half });
    // The same pixels, as rows of their own: 5 of 8, and the anomalous one below.
    low.add({ map: map.slice(0, 40), mask: mask.slice(0, 40), height: 5, width });
    const below = Array.from({ length: 24 }, (_, i) => 40 + i).filter((p) => mask[p] === 1);
    for (const p of below) low.add({ map: Float32Array.of(map[p]), mask: Uint8Array.of(1), height: 1, width: 1 });
  }
  expect(cut.result()).toEqual(low.result());
  expect(() => cut.add({ ...pictures[0], counted: new Uint8Array(3) })).toThrow('What is counted');
});

describe('the curve of per-region overlap', () => {
  /** A hundred maps of noise, some with two blobs of which the model sees more or less. */
  const pictures = Array.from({ length: 60 }, (_, i): Picture => {
    const rng = new Rng(i);
    const mask = Uint8Array.from({ length: 400 }, (_, p) => {
      const [y, x] = [Math.floor(p / 20), p % 20];
      const isFirst = y >= 3 && y < 6 && x >= 3 && x < 6;
      return i % 3 === 0 && (isFirst || (y >= 12 && x >= 10 && x < 18)) ? 1 : 0;
    });
    const noise = rng.normals(400);
    return { map: Float32Array.from(mask, (m, p) => noise[p] + 2 * m), mask, height: 20, width: 20 };
  });
  const threshold = 1.25;
  const { aupro, curve } = measure(pictures, { threshold });
  const { limit, falsePositiveRate: x, overlap: y, at } = curve!;

  test('has the area that AUPRO is, in few points', () => {
    const area = x.slice(1).reduce((sum, to, i) => sum + ((to - x[i]) * (y[i + 1] + y[i])) / 2, 0);
    expect(Math.abs(area / limit - aupro!)).toBeLessThan(0.002);
    expect(x.length).toBeLessThan(520);
    expect([x[0], y[0], x.at(-1)]).toEqual([0, 0, 0.3]);
    for (let i = 1; i < x.length; i++) expect(x[i] >= x[i - 1] && y[i] >= y[i - 1]).toBe(true);
  });

  test('has the threshold where counting puts it, also beyond the limit', () => {
    for (const [value, found] of [
      [threshold, at],
      [-0.5, measure(pictures, { threshold: -0.5 }).curve!.at],
    ] as const) {
      const normals = pictures.flatMap(({ map, mask }) => [...map].filter((_, p) => mask[p] === 0));
      const regions = pictures.flatMap(({ map, mask, height, width }) => {
        const { label, regions } = connectedRegions(mask, height, width);
        return regions.map((_, k) => [...map].filter((_, p) => label[p] === k + 1));
      });
      const share = (values: readonly number[]) => values.filter((v) => v >= value).length / values.length;
      expect(found![0]).toBe(share(normals));
      expect(found![1]).toBeCloseTo(regions.reduce((sum, one) => sum + share(one), 0) / regions.length, 12);
    }
  });

  test('is absent where there is no AUPRO', () => {
    expect(measure(pictures.slice(1, 3)).curve).toBeNull();
  });
});
