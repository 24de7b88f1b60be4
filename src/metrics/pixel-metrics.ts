/**
 * Pixel AUROC, pixel AP and AUPRO over the pooled pixels of all maps, map by map in bounded memory. Pooled pixels are
 * mostly background and large defects: a pixel AUROC of 0.97 says little, read AUPRO beside it. Compare maps and masks
 * at one size (masks resized with nearest), and leave out anomalous pictures that have no mask.
 */
import { ConfigError } from '../core/errors.ts';
import { OverlapArea } from './per-region-overlap.ts';
import { PixelStore } from './pixel-store.ts';

/** What is computed, and how much memory it may take. */
export interface PixelMetricsOptions {
  /** The false-positive rate up to which AUPRO integrates, (0, 1]; 0.3 when left out. */
  readonly limit?: number;
  /**
   * Pixels up to which every value is exact; 2^25 = 512 maps of 256 x 256 when left out. Takes about 8 bytes a pixel
   * (16 where all are anomalous).
   */
  readonly exactPixels?: number;
  /** Bins in which pixels are counted beyond that; 2^21 when left out. Each takes 56 bytes. */
  readonly bins?: number;
}

/** Pixel-level metrics; a value is null when it is undefined, and `reasons` then says why. */
export interface PixelMetrics {
  /** Area under the ROC curve of all pixels, [0, 1]. */
  readonly pixelAuroc: number | null;
  /** Average precision of all pixels, (0, 1]; compare it with `pixelPrevalence`, which is what a constant map gets. */
  readonly pixelAp: number | null;
  /** Area under the per-region overlap curve up to the limit, [0, 1]; see `aupro`. */
  readonly aupro: number | null;
  /** For each metric that is null, a sentence saying why. */
  readonly reasons: Readonly<Record<string, string>>;
  /** Share of anomalous pixels, [0, 1]; null without pixels. */
  readonly pixelPrevalence: number | null;
  readonly pixels: number;
  /** Connected regions of the masks (8-connected). */
  readonly regions: number;
  /** Bounds of the errors of binning: |value − exact value| is at most this. All 0 up to `exactPixels`. */
  readonly error: { readonly pixelAuroc: number; readonly pixelAp: number; readonly aupro: number };
}

/** Gathers maps; see `pixelMetrics`. */
export interface PixelAccumulator {
  /**
   * Adds a map of raw float32 scores and its mask (0 = normal, anything else anomalous), both height · width; sizes may
   * change from map to map. Normal pixels whose `counted` is 0 are left out. Nothing is kept or
   * changed. Throws ShapeError for other lengths.
   */
  add(map: Float32Array, mask: Uint8Array, height: number, width: number, counted?: Uint8Array): void;
  /** The metrics of all maps so far; more may be added afterwards. */
  result(): PixelMetrics;
}

/**
 * An accumulator of pixel metrics.
 * @throws ConfigError for a limit outside (0, 1].
 */
export function pixelMetrics(options: PixelMetricsOptions = {}): PixelAccumulator {
  const { limit = 0.3, exactPixels = 2 ** 25, bins = 2 ** 21 } = options;
  if (!(limit > 0 && limit <= 1)) {
    throw new ConfigError('limit', `The limit of AUPRO must be above 0 and at most 1, got ${limit}.`);
  }
  const store = new PixelStore({ capacity: exactPixels, bins });
  return {
    add: (map, mask, height, width, counted) => store.add(map, mask, height, width, counted),
    result: () => resultOf(store, limit),
  };
}

function undefinedReason({ normals, anomalous, notNumbers }: PixelStore): string | null {
  const pixels = normals + anomalous;
  if (pixels === 0) return 'There are no maps with masks.';
  if (notNumbers > 0) return `${notNumbers} of ${pixels} pixels of the maps are not a number.`;
  if (anomalous === 0) return `All ${pixels} pixels are normal; both kinds are needed.`;
  if (normals === 0) return `All ${pixels} pixels are anomalous; both kinds are needed.`;
  return null;
}

function resultOf(store: PixelStore, limit: number): PixelMetrics {
  const { normals: N, anomalous: P, regions } = store;
  const counts = { pixelPrevalence: P + N === 0 ? null : P / (P + N), pixels: P + N, regions };
  const overlap = new OverlapArea(limit, N);
  const reason = undefinedReason(store);
  if (reason !== null) {
    return {
      pixelAuroc: null,
      pixelAp: null,
      aupro: null,
      reasons: { pixelAuroc: reason, pixelAp: reason, aupro: reason },
      ...counts,
      error: { pixelAuroc: 0, pixelAp: 0, aupro: 0 },
    };
  }
  let [tp, fp] = [0, 0];
  let [u, tiedPairs] = [0, 0];
  let [ap, apError] = [0, 0];
  store.walk('step', (normals, anomalous, weight) => {
    // U = Σ_ties (normals in the tie) · (anomalous above + ½ anomalous in the tie)
    u += normals * (tp + anomalous / 2);
    tiedPairs += normals * anomalous;
    overlap.step(normals, weight);
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
  });
  const isExact = store.droppedBits === 0;
  return {
    pixelAuroc: u / (P * N),
    pixelAp: ap / P,
    aupro: overlap.value(regions),
    reasons: {},
    ...counts,
    error: {
      pixelAuroc: isExact ? 0 : tiedPairs / (2 * P * N),
      pixelAp: isExact ? 0 : apError / P,
      aupro: isExact ? 0 : overlap.error(regions),
    },
  };
}
