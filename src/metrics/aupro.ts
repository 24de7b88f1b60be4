/**
 * Area under the per-region overlap curve (Bergmann et al., IJCV 2021, sec. 5.2). With the connected regions C_k of the
 * masks, PRO(t) = mean over k of |{x in C_k : s(x) >= t}| / |C_k|, so that small defects count as much as large ones;
 * AUPRO = (1/L) · ∫ PRO d(FPR) from 0 to L, FPR over all pixels outside the masks, normal pictures included. It is
 * divided by L itself, not by the last rate that is reached before L.
 */
import { ShapeError } from '../core/errors.ts';
import { pixelMetrics } from './pixel-metrics.ts';

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
  for (const [i, map] of maps.entries()) pixels.add(map, masks[i], height, width);
  return pixels.result().aupro;
}
