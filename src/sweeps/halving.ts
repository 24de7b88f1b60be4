/**
 * Successive halving (Jamieson and Talwalkar 2016), by thirds: many configurations are trained on a small part, the better third on
 * three times as much, and so on until all of the data. Pure.
 */

/** Of configurations, so many go on. */
const KEPT = 3;

/** Rounds for so many configurations, as shares of all; the last is 1. No first round has fewer than `least` of `items`. */
export function sharesOf(configurations: number, items: number, least: number): number[] {
  const shares = [1];
  let left = Math.floor(configurations / KEPT);
  while (left >= 1 && (items * shares[0]) / KEPT >= least) {
    shares.unshift(shares[0] / KEPT);
    left = Math.floor(left / KEPT);
  }
  return shares;
}

/** How many of a round go on. */
export const survivors = (count: number): number => Math.max(1, Math.ceil(count / KEPT));

/** The better third by value, the best first; those without a value never go on. Of equal ones the earlier is better. */
export function better<T>(round: readonly T[], figureOf: (one: T) => number | undefined): T[] {
  const known = round.filter((one) => figureOf(one) !== undefined);
  const order = known.sort((a, b) => figureOf(b)! - figureOf(a)!);
  return order.slice(0, survivors(round.length));
}
