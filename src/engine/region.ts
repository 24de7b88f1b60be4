/** A region of interest inside the scoring graph of any model, so that an exported file needs no other to respect it. */
import { float32 } from '../core/tensor.ts';
import { checkRegion, type Region } from '../data/transforms/index.ts';
import { constant } from '../graph/leaf.ts';
import * as g from '../graph/ops/index.ts';
import type { AnyModel, ImageShape } from '../models/index.ts';

/**
 * The model, looking at a region only: its scoring graph makes pixels outside black before anything else, and its map is
 * 0 there. Score and map are then functions of the pixels inside. Train it on `regionSource`, which makes the same
 * pixels black. Throws as `checkRegion` does.
 */
export function withRegion(model: AnyModel, region: Region, shape: ImageShape): AnyModel {
  const [, height, width] = shape;
  checkRegion(region, height, width);
  const values = float32(
    Float32Array.from(region, (v) => (v > 0 ? 1 : 0)),
    [1, 1, height, width],
  );
  return {
    ...model,
    score(config, net, x) {
      const seen = constant(values);
      const scoring = model.score(config, net, g.mul(x, seen));
      return { ...scoring, map: g.mul(scoring.map, seen) };
    },
  };
}
