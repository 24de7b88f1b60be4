/**
 * AUROC, AP and AUPRO over the pooled pixels of all maps, map by map in bounded memory: one accumulator sorts the pixels
 * once for all three. Pooled pixels are mostly background and large defects: a pixel AUROC of 0.97 says little, read
 * AUPRO beside it. Compare maps and masks at one size (masks resized with nearest), and leave out anomalous images that
 * have no mask.
 *
 * AUPRO is the area under the per-region overlap curve (Bergmann et al., IJCV 2021, sec. 5.2). With the connected regions
 * C_k of the masks, PRO(t) = mean over k of |{x in C_k : s(x) >= t}| / |C_k|, so that small defects count as much as large
 * ones; AUPRO = (1/L) · ∫ PRO d(FPR) from 0 to L, FPR over all pixels outside the masks, normal images included. It is
 * divided by L itself, not by the last rate that is reached before L.
 */
import { ConfigError, ShapeError } from '../core/errors.ts';
import { defineMetric, type MapAccumulator, type MapContext, type NoValue } from './define.ts';
import { OverlapArea, type OverlapCurve } from './per-region-overlap.ts';
import { leastKey } from './pixel-order.ts';
import { PixelStore, type Visit } from './pixel-store.ts';

/** What is computed, and how much memory it may take. */
export interface PixelMetricsOptions {
  /** The false-positive rate up to which AUPRO integrates, (0, 1]; 0.3 when left out. */
  readonly limit?: number;
  /**
   * Pixels up to which every value is exact; 2^25 = 512 maps of 256 x 256 when left out. Takes about 8 bytes a pixel
   * (16 where all are anomalous).
   */
  readonly exactPixels?: number;
  /** Marks a point on the curve: pixels with a value >= this are called anomalous; none when left out. */
  readonly threshold?: number;
  /** Bins in which pixels are counted beyond that; 2^21 when left out. Each takes 56 bytes. */
  readonly bins?: number;
}

/** The three values; null when undefined, and then all are. */
export interface PixelValues {
  /** Area under the ROC curve of all pixels, [0, 1]. */
  readonly auroc: number | null;
  /** Average precision of all pixels, (0, 1]; compare it with `prevalence`, which is what a constant map gets. */
  readonly ap: number | null;
  /** Area under the per-region overlap curve up to the limit, [0, 1]. */
  readonly aupro: number | null;
}

/** Metrics of pooled pixels. */
export interface PixelMetrics extends PixelValues {
  /** Why the values are null, as a sentence; null where they are not. */
  readonly reason: string | null;
  /** Share of anomalous pixels, [0, 1]; null without pixels. */
  readonly prevalence: number | null;
  readonly pixels: number;
  /** Connected regions of the masks (8-connected). */
  readonly regions: number;
  /** The curve whose area AUPRO is; null where it is. */
  readonly curve: OverlapCurve | null;
  /** Bounds of the errors of binning: |value − exact value| is at most this. All 0 up to `exactPixels`. */
  readonly error: { readonly [Name in keyof PixelValues]: number };
}

/**
 * An accumulator of pixel metrics. A map is float32; a mask pixel is anomalous unless 0; normal pixels whose `counted` is 0
 * are left out.
 * @throws ConfigError for a limit outside (0, 1].
 */
export function pixelMetrics(options: PixelMetricsOptions = {}): MapAccumulator<PixelMetrics> {
  const { limit = 0.3, threshold, exactPixels = 2 ** 25, bins = 2 ** 21 } = options;
  if (!(limit > 0 && limit <= 1)) {
    throw new ConfigError('limit', `The limit of AUPRO must be above 0 and at most 1, got ${limit}.`);
  }
  const store = new PixelStore({ capacity: exactPixels, bins });
  return {
    add: ({ map, mask, height, width, counted }) => store.add(map, mask, height, width, counted),
    result: () => resultOf(store, limit, threshold),
  };
}

/**
 * AUPRO in [0, 1] of maps and masks (0 = normal) of one size, larger meaning more anomalous; null when undefined. This
 * is `pixelMetrics` at once: that one also takes maps one by one, of any size, and tells why a value is null. Throws
 * ShapeError for sizes or numbers that differ, ConfigError for a limit outside (0, 1].
 */
export function aupro(
  maps: readonly Float32Array[],
  masks: readonly Uint8Array[],
  height: number,
  width: number,
  limit = 0.3,
): number | null {
  if (maps.length !== masks.length) {
    throw new ShapeError(`Each map needs a mask, got ${maps.length} maps and ${masks.length} masks.`);
  }
  const pixels = pixelMetrics({ limit });
  for (const [i, map] of maps.entries()) pixels.add({ map, mask: masks[i], height, width });
  return pixels.result().aupro;
}

function undefinedReason({ normals, anomalous, notNumbers }: PixelStore): string | null {
  const pixels = normals + anomalous;
  if (pixels === 0) return 'There are no maps with masks.';
  if (notNumbers > 0) return `${notNumbers} of ${pixels} pixels of the maps are not a number.`;
  if (anomalous === 0) return `All ${pixels} pixels are normal; both kinds are needed.`;
  if (normals === 0) return `All ${pixels} pixels are anomalous; both kinds are needed.`;
  return null;
}

function resultOf(store: PixelStore, limit: number, threshold: number | undefined): PixelMetrics {
  const { normals: N, anomalous: P, regions } = store;
  const counts = { prevalence: P + N === 0 ? null : P / (P + N), pixels: P + N, regions };
  const overlap = new OverlapArea(limit, N, regions);
  const exact = { auroc: 0, ap: 0, aupro: 0 };
  const reason = undefinedReason(store);
  if (reason !== null) return { auroc: null, ap: null, aupro: null, curve: null, reason, ...counts, error: exact };
  const least = threshold === undefined ? undefined : leastKey(threshold);
  let point: OverlapCurve['at'] = least === undefined ? null : [0, 0];
  let [tp, fp] = [0, 0];
  let [u, tiedPairs] = [0, 0];
  let [ap, apError] = [0, 0];
  const visit: Visit = (normals, anomalous, weight, key) => {
    // U = Σ_ties (normals in the tie) · (anomalous above + ½ anomalous in the tie)
    u += normals * (tp + anomalous / 2);
    tiedPairs += normals * anomalous;
    overlap.step(normals, weight);
    if (least !== undefined && key >= least) point = overlap.here();
    const [tpBefore, fpBefore] = [tp, fp];
    tp += anomalous;
    fp += normals;
    if (anomalous === 0) return;
    // AP = Σ (R_k − R_{k−1}) · P_k. In any order of the tied pixels every precision lies between best and worst.
    const precision = tp / (tp + fp);
    const best = tp / (tp + fpBefore);
    const worst = (tpBefore + 1) / (tpBefore + 1 + fp);
    ap += anomalous * precision;
    apError += anomalous * Math.max(best - precision, precision - worst);
  };
  store.walk('step', visit, least);
  const isExact = store.droppedBits === 0;
  return {
    auroc: u / (P * N),
    ap: ap / P,
    aupro: overlap.value(),
    curve: overlap.curve(point),
    reason: null,
    ...counts,
    error: isExact ? exact : { auroc: tiedPairs / (2 * P * N), ap: apError / P, aupro: overlap.error() },
  };
}

const shared = {
  level: 'map',
  range: [0, 1],
  better: 'higher',
  isOrdinal: true,
  accumulator: ({ threshold }: MapContext) => pixelMetrics(Number.isNaN(threshold) ? {} : { threshold }),
} as const;
const pick =
  (name: keyof PixelValues) =>
  (pixels: PixelMetrics): number | NoValue =>
    pixels[name] ?? { reason: pixels.reason! };

/** The metrics of pooled pixels; they share one accumulator. */
export const pixelRanking = [
  defineMetric({
    ...shared,
    name: 'auroc',
    title: 'AUROC',
    meaning: 'the same chance for pixels; flattering where defects are small',
    chance: 0.5,
    compute: pick('auroc'),
  }),
  defineMetric({
    ...shared,
    name: 'ap',
    title: 'AP',
    meaning: 'average precision over pixels',
    compute: pick('ap'),
  }),
  defineMetric({
    ...shared,
    name: 'aupro',
    title: 'AUPRO (to 0.3)',
    short: 'AUPRO',
    meaning: 'mean coverage of the regions of the ground truth, up to 30 % false-positive pixels',
    compute: pick('aupro'),
    curve: ({ curve }: PixelMetrics) => curve,
  }),
] as const;
