/**
 * Per-pixel z-scores of maps. Some pixels of a map are large on every normal image – edges, textures, what a model never
 * draws well; measured in deviations from their own mean they stop hiding what is odd elsewhere. Mean and deviation
 * come from held-out normals, since on images that it was trained on a model errs less, and they become part of the
 * scoring graph. The threshold must not see the same normals: these lie nearer to their own mean than new ones do. So
 * one half of the held-out normals gives the statistics and the other half the threshold.
 */
import { ConfigError } from '../../core/errors.ts';
import type { Tensors } from '../../core/tensor.ts';
import { option, say } from '../../core/text.ts';
import { constant } from '../../graph/leaf.ts';
import * as g from '../../graph/ops/index.ts';
import type { Value } from '../../graph/value.ts';
import type { AnyModel } from '../../models/index.ts';

/** What may be done to a map before it is pooled and shown. */
export const mapNormalizations = ['none', 'zscore'] as const;
export type MapNormalization = (typeof mapNormalizations)[number];

/** Learnt tensors that hold the statistics, `[1, H, W]` each. */
export const statisticsNames = { mean: 'map-normalization.mean', deviation: 'map-normalization.deviation' };
/** Throws ConfigError when a model's score does not follow from its map. */
export function checkMapNormalization(how: MapNormalization, model: AnyModel): void {
  if (how === 'none' || model.pool) return;
  throw new ConfigError(
    'map-normalization',
    say`Z-scores of the map need a model whose score follows from its map; that of ${model.name} does not. Leave
      ${option('mapNormalization')} out.`,
  );
}

/** True where tensors hold statistics of maps. */
export function hasMapStatistics(tensors: Tensors): boolean {
  return statisticsNames.mean in tensors;
}

/** The map `[N, 1, H, W]` in deviations from its mean on normal images. */
export function normalizeMap(map: Value, tensors: Tensors): Value {
  return g.div(g.sub(map, constant(tensors[statisticsNames.mean])), constant(tensors[statisticsNames.deviation]));
}
