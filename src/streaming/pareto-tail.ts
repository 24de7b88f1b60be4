/**
 * The fit of a generalised Pareto distribution to excesses over a high level, by maximum likelihood as Grimshaw (1993) reduces it:
 * with θ = γ/σ, a stationary point solves u(θ) v(θ) = 1, u the mean of 1 / (1 + θ y), v one more than the mean of ln(1 + θ y);
 * then γ = v − 1 and σ = γ / θ. Of all solutions and the exponential (γ = 0) the likeliest is taken. Left out: γ ≤ −1, where the
 * likelihood has no bound.
 */

/** P(Y > y) = (1 + γ y / σ)^(−1/γ), for γ = 0 exp(−y / σ). */
export interface ParetoTail {
  /** γ: 0 exponential, above 0 heavier, below 0 with an end. */
  readonly shape: number;
  /** σ > 0, in units of the excesses. */
  readonly scale: number;
}

/** Where changes of sign are looked for: below 0 in parts of −1 / the largest excess. */
const PARTS = [1e-4, 1e-3, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999, 1 - 1e-6];
/** Above 0, so many places from 1e-4 of the inverse mean to the bound. */
const PLACES = 14;
/** Steps towards a solution; some ten are needed. */
const MOST_STEPS = 60;
/** With fewer excesses, the exponential is taken: a shape would be noise. */
const LEAST_FOR_SHAPE = 10;

/** Mean log-likelihood of excesses. */
export function logLikelihood(excesses: Float64Array, { shape, scale }: ParetoTail): number {
  let sum = 0;
  for (const y of excesses) sum += shape === 0 ? y / scale : (1 + 1 / shape) * Math.log1p((shape * y) / scale);
  return -Math.log(scale) - sum / excesses.length;
}

/** Fits excesses, all above 0, of which there is at least one. O(n), some 50 passes. */
export function fitParetoTail(excesses: Float64Array): ParetoTail {
  let [sum, least, most] = [0, Number.POSITIVE_INFINITY, 0];
  for (const y of excesses) {
    sum += y;
    least = Math.min(least, y);
    most = Math.max(most, y);
  }
  const mean = sum / excesses.length;
  let best: ParetoTail = { shape: 0, scale: mean };
  if (excesses.length < LEAST_FOR_SHAPE || least === most) return best;
  let likeliest = logLikelihood(excesses, best);
  const at = (theta: number) => equation(excesses, theta);
  // Solutions below 0 lie above −1 / most, those above 0 below 2 (mean − least) / least² (Grimshaw).
  const below = PARTS.map((part) => -part / most);
  const end = Math.log10(Math.max(10, ((2 * (mean - least)) / least ** 2) * mean));
  const above = Array.from({ length: PLACES }, (_, i) => 10 ** (-4 + ((4 + end) * i) / (PLACES - 1)) / mean);
  for (const places of [below, above]) {
    let before = at(places[0]);
    for (let i = 1; i < places.length; i++) {
      const now = at(places[i]);
      if (before.value * now.value <= 0) {
        const theta = rootBetween(at, places[i - 1], places[i], before.value, now.value);
        const shape = at(theta).shape;
        const tail = { shape, scale: shape / theta };
        const likely = shape > -1 && tail.scale > 0 ? logLikelihood(excesses, tail) : Number.NEGATIVE_INFINITY;
        if (likely > likeliest) [best, likeliest] = [tail, likely];
      }
      before = now;
    }
  }
  return best;
}

/** u v − 1 and γ = v − 1 at θ. */
function equation(excesses: Float64Array, theta: number): { readonly value: number; readonly shape: number } {
  let [inverses, logs] = [0, 0];
  for (const y of excesses) {
    inverses += 1 / (1 + theta * y);
    logs += Math.log1p(theta * y);
  }
  const shape = logs / excesses.length;
  return { value: (inverses / excesses.length) * (1 + shape) - 1, shape };
}

/** A solution between two places with values of different signs: false position as Illinois has it. */
function rootBetween(
  at: (theta: number) => { readonly value: number },
  from: number,
  to: number,
  valueAtFrom: number,
  valueAtTo: number,
): number {
  let [a, b, atA, atB] = [from, to, valueAtFrom, valueAtTo];
  for (let i = 0; i < MOST_STEPS && Math.abs(b - a) > 1e-10 * Math.abs(b) && atA !== atB; i++) {
    const place = b - (atB * (b - a)) / (atB - atA);
    const { value } = at(place);
    if (value * atB <= 0) [a, atA] = [b, atB];
    else atA /= 2;
    [b, atB] = [place, value];
    if (value === 0) break;
  }
  return b;
}

/** The value that an excess passes with a chance `share` (of all excesses), 0 < share: z with P(Y > z) = share. */
export function tailQuantile({ shape, scale }: ParetoTail, share: number): number {
  return shape === 0 ? -scale * Math.log(share) : (scale / shape) * (share ** -shape - 1);
}
