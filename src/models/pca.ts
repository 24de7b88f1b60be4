/**
 * Principal component analysis: normal items lie near a plane through their mean. What the plane cannot explain is
 * anomalous (the residual, SPE or Q statistic: Jackson and Mudholkar, Technometrics 21, 1979), or with Hotelling's T²
 * what is unusual inside it. Left out: robust fitting, limits from the F distribution (a threshold comes from held-out
 * normals), standardised features.
 */
import * as z from 'zod';
import { DataError } from '../core/errors.ts';
import { float32 } from '../core/tensor.ts';
import { option, say } from '../core/text.ts';
import * as g from '../graph/ops/index.ts';
import { defineModel, type ItemShape } from './define.ts';
import { byKind } from './parts/by-kind.ts';
import { principalAxes } from './parts/fitting/principal-axes.ts';
import { itemMap, pooling, poolingFor, poolMap } from './parts/maps/pool-map.ts';
import { channelsOf, itemShapeOf } from './parts/shapes.ts';

const config = z.strictObject({
  components: z
    .int()
    .min(0)
    .max(4096)
    .default(32)
    .describe('Components kept; of a table no more than explain the share "variance"; 0 leaves it to that alone.'),
  variance: z
    .number()
    .positive()
    .max(1)
    .default(0.95)
    .describe('Share of the variance to explain, of a table or where components is 0.'),
  statistic: z
    .enum(['residual', 't2'])
    .default('residual')
    .describe('What the score measures: the squared distance to the plane, or Hotelling T² inside it.'),
  pooling,
});

/** A table of so few columns that components leave no residual of them. */
const isNarrow = (shape: ItemShape) => shape.length === 1 && shape[0] <= 2;

/**
 * Principal component analysis: the squared distance from the plane along which normal items vary most, or Hotelling's
 * T² inside it (Jackson and Mudholkar 1979, Technometrics 21).
 * Images and rows. One pass over the data; scoring is two matrix products.
 */
export const pca = defineModel({
  name: 'pca',
  title: 'Principal component analysis',
  idea: 'A plane through the mean of the normal items, along which they vary most; the squared distance to it is the map.',
  paper: 'Jackson and Mudholkar, Control procedures for residuals, Technometrics 21, 1979.',
  learning: 'one-class',
  inputs: ['image', 'table'],
  learns: 'statistics',
  config,
  presets: {},
  // One or two columns are soon explained whole: what counts is then how unusual a row is inside of the plane.
  defaults: (shape) => ({ pooling: poolingFor(shape), ...(isNarrow(shape) && { statistic: 't2' }) }),
  tiny: { components: 4 },

  async fit({ components, variance, statistic }, data) {
    // Few columns are soon explained whole, and then nothing is left to measure.
    const byShare = components === 0 || byKind(data.shape, { image: false, table: true });
    const wanted = {
      ...(components > 0 && { count: components }),
      ...(byShare && { share: variance }),
    };
    const { mean, axes, variances } = await principalAxes(data, wanted);
    const k = variances.length;
    if (k === 0) {
      throw new DataError(
        'no-variance',
        `pca: training items must differ from each other, found ${data.count === 1 ? 'only one' : `${data.count} equal ones`}. Add items, or use mean-image.`,
      );
    }
    if (statistic === 'residual' && k >= mean.length) {
      throw new DataError(
        'no-residual',
        say`pca: the ${k} components explain all that varies, so nothing is left of any item and every score is 0. Use
          ${option('config.statistic', 't2')}, fewer ${option('config.components')} or another model.`,
      );
    }
    if (statistic === 't2' && isNarrow(data.shape)) {
      const message = `pca: ${mean.length === 1 ? '1 column leaves' : '2 columns leave'} no residual to measure, so the score is Hotelling's T² (statistic t2).`;
      data.onEvent({ type: 'log', level: 'info', message });
    }
    return {
      'pca.mean': float32(mean, data.shape),
      'pca.axes': float32(axes, [k, mean.length]),
      'pca.variances': float32(variances, [k]),
    };
  },

  pool: (options, map) => poolMap(options.pooling, map),

  score({ statistic, pooling }, net, x) {
    const pca = net('pca');
    const axes = pca.learnt('axes'); // V, [k,D]
    const centred = g.flatten(g.sub(x, pca.learnt('mean'))); // [N,D]
    const codes = g.matMul(centred, axes, { transposeB: true }); // z = V (x − μ), [N,k]
    const inPlane = g.matMul(codes, axes); // [N,D]
    // T² = Σ z²/λ, spread over the features by complete decomposition (Alcala and Qin, Automatica 45, 2009): the
    // squares of Vᵀ Λ^(−1/2) z are at least 0 and add up to T², because the rows of V are orthonormal. Times √D, so
    // that T² is the mean of the map as the mean squared residual is.
    const size = channelsOf(axes);
    const parts =
      statistic === 'residual'
        ? g.sub(centred, inPlane)
        : g.matMul(g.mul(g.div(codes, g.sqrt(pca.learnt('variances'))), Math.sqrt(size)), axes);
    const map = itemMap(g.reshape(g.square(parts), x.shape)); // [N,1,H,W] or [N,D]
    const projected = g.add(g.reshape(inPlane, x.shape), pca.learnt('mean'));
    const reconstruction = byKind(itemShapeOf(x), { image: g.clip(projected, 0, 1), table: projected });
    return { map, score: poolMap(pooling, map), reconstruction };
  },
});
