/**
 * Spreads of the terms of a score, measured in a pass over items, so that a weight between terms does not depend on their units.
 * Means and squared deviations of batches are joined as by Chan, Golub & LeVeque 1979, which loses no digits where a term's
 * mean is large beside its spread.
 */
import * as g from '../../../graph/ops/index.ts';
import type { Value } from '../../../graph/value.ts';
import * as nn from '../../../nn/index.ts';
import { countOf } from '../shapes.ts';

/** Adds a batch of each term, `[N]` by name, to what is kept in the group `terms`. */
export function addTerms(net: (group: string) => nn.Scope, terms: Readonly<Record<string, Value>>): void {
  for (const [name, values] of Object.entries(terms)) {
    const scope = net('terms').at(name);
    const n = countOf(values);
    const [count, mean, squares] = ['count', 'mean', 'squares'].map((what) => scope.buffer(what, [], nn.zerosInit));
    const own = g.reduceMean(values);
    const apart = g.sub(own, mean);
    const all = g.add(count, n);
    scope.update('count', all);
    scope.update('mean', g.add(mean, g.div(g.mul(apart, n), all)));
    const between = g.div(g.mul(g.mul(g.square(apart), count), n), all);
    scope.update('squares', g.add(g.add(squares, g.reduceSum(g.square(g.sub(values, own)))), between));
  }
}

/** Standard deviation of a term over the items of the pass, a scalar; 1 where they did not differ, or where none were measured. */
export function spreadOf(net: (group: string) => nn.Scope, name: string): Value {
  const scope = net('terms').at(name);
  const [count, , squares] = ['count', 'mean', 'squares'].map((what) => scope.buffer(what, [], nn.zerosInit));
  const spread = g.sqrt(g.div(squares, g.maximum(count, 1)));
  return g.where(g.greater(spread, 1e-12), spread, 1);
}
