/**
 * Which patches of an image belong to its object, as AnomalyDINO (Damm et al., WACV 2025) finds them: where the first
 * principal component of the image's own patch tokens is large. The component is found by the power iteration, whose
 * number of turns is fixed so that it is a graph; the published code uses a randomised decomposition.
 */
import * as g from '../../../graph/ops/index.ts';
import type { Value } from '../../../graph/value.ts';

/** Above this a component is the object's; in units of normed tokens of DINOv2. */
const THRESHOLD = 10;
/** Share of each side that is border, and the share of the middle that an object covers at least. */
const MIDDLE = { border: 0.2, covered: 0.35 };
/** Turns of the power iteration. */
const TURNS = 24;

/** First principal component of each place of the rows `[N, P, D]`: `[N, P]`, its largest entry in size positive. */
export function firstComponent(rows: Value): Value {
  const centred = g.sub(rows, g.reduceMean(rows, { axes: [1], keep: true }));
  const unit = (v: Value): Value => g.div(v, g.sqrt(g.add(g.reduceSum(g.square(v), { axes: [1], keep: true }), 1e-12)));
  const atLargest = (sizes: Value, of: Value): Value => {
    const at = g.unsqueeze(g.argMax(sizes, 1), 2); // [N,1,1]
    return g.gatherElements(of, g.broadcastTo(at, [of.shape[0], 1, of.shape[2]]), 1);
  };
  let axis = atLargest(g.reduceSum(g.square(centred), { axes: [2] }), centred); // [N,1,D]
  axis = unit(g.transpose(axis, [0, 2, 1])); // [N,D,1]
  for (let i = 0; i < TURNS; i++) axis = unit(g.matMul(centred, g.matMul(centred, axis), { transposeA: true }));
  const component = g.matMul(centred, axis); // [N,P,1]
  const sizes = g.reshape(g.abs(component), [rows.shape[0], rows.shape[1]]);
  const largest = atLargest(sizes, component); // [N,1,1]
  return g.reshape(g.mul(component, g.sign(largest)), [rows.shape[0], rows.shape[1]]);
}

/**
 * 1 where a patch is the object's, else 0, `[N, 1, h, w]`, of rows `[N, h·w, D]`: the side of the component that covers the
 * middle of the image, widened by a place and closed (3 × 3).
 */
export function objectMask(rows: Value, [height, width]: readonly [number, number]): Value {
  const component = g.reshape(firstComponent(rows), [rows.shape[0], 1, height, width]);
  const [positive, negative] = [component, g.neg(component)].map((side) => g.step(g.sub(side, THRESHOLD)));
  const inner = (n: number): [number, number] => [
    Math.floor(n * MIDDLE.border),
    Math.max(1, Math.floor(n * (1 - MIDDLE.border))),
  ];
  const middle = g.slice(positive, { 2: inner(height), 3: inner(width) });
  const covered = g.reduceMean(middle, { axes: [1, 2, 3], keep: true });
  const isObject = g.greater(covered, MIDDLE.covered);
  const mask = g.where(g.broadcastTo(isObject, positive.shape), positive, negative);
  const widened = (m: Value): Value => g.maxPool(m, 3, { stride: 1, padding: 1 });
  const narrowed = (m: Value): Value => g.neg(widened(g.neg(m)));
  return narrowed(widened(widened(mask)));
}
