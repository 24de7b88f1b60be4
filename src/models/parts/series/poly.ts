/**
 * How far blocks of a series lie from a polynomial through their surroundings (POLY of TSB-AD, degree 4). A block of L steps
 * is left out, a polynomial is fitted to the ten blocks around it, and the root of the mean squared difference is the score
 * of the whole block (by Parseval's theorem that is the published distance of Fourier coefficients). Kept from the published
 * form: a block is compared at L places from its first step to the first of the next, and the first blocks, at most 500 steps
 * or a tenth of the series, score 0. Deviation: the fit uses polynomials that are orthogonal on its steps, so it
 * loses no digits far from the beginning.
 */
import { stepsAtLeast } from '../../../data/series/check.ts';
import { scaledToUnit } from './spectral-residual.ts';

const DEGREE = 4;

/**
 * Scores of steps `[T]`, at least 0, of a series `[T]` with blocks of `length` L steps. A constant series scores 0. DataError
 * where the series has no block with enough around it, or a value is not finite.
 */
export function polyScores(values: Float64Array, length: number): Float64Array {
  const n = stepsAtLeast(
    values,
    length + DEGREE + 1,
    `A polynomial of degree ${DEGREE} around a block of ${length} steps`,
  );
  const scores = new Float64Array(n);
  const x = scaledToUnit(values);
  if (x === undefined) return scores;
  const around = Math.min(Math.max(10 * length, 100), n);
  const first = Math.ceil(Math.min(500, Math.floor(0.1 * n)) / length);
  const whole = Math.floor(n / length);
  for (let block = first; block <= whole; block++) {
    const from = block * length;
    const to = Math.min(from + length, n);
    if (to === from) break;
    const polynomial = fitted(x, sidesOf(from, length, around, n));
    // A whole block ends at the start of the next one, the rest at its last step.
    const stretch = block < whole && length > 1 ? length / (length - 1) : 1;
    let squares = 0;
    for (let t = from; t < to; t++) squares += (x[t] - polynomial(from + (t - from) * stretch)) ** 2;
    scores.fill(Math.sqrt(squares / (to - from)), from, to);
  }
  return scores;
}

type Sides = readonly (readonly [from: number, to: number])[];

/** The steps before and after a block that a polynomial is fitted to. */
function sidesOf(from: number, length: number, around: number, n: number): Sides {
  const half = Math.floor(around / 2);
  const to = from + length;
  if (to >= n) return [[n - around, from]];
  if (from + half >= n)
    return [
      [n - around, from],
      [to, n],
    ];
  if (from - half > 0 || to >= around)
    return [
      [Math.max(from - half, 0), from],
      [to, from + half],
    ];
  return [
    [0, from],
    [to, around],
  ];
}

/** The polynomial of least squares through the values of the steps of `sides`, by orthogonal polynomials (Forsythe 1957). */
function fitted(x: Float64Array, sides: Sides): (t: number) => number {
  const at: number[] = [];
  for (const [from, to] of sides) for (let t = from; t < to; t++) at.push(t);
  const middle = (at[0] + at[at.length - 1]) / 2;
  const scale = Math.max((at[at.length - 1] - at[0]) / 2, 1);
  const u = Float64Array.from(at, (t) => (t - middle) / scale);
  const degree = Math.min(DEGREE, at.length - 1);
  // p_{k+1}(u) = (u − a_k) p_k(u) − b_k p_{k−1}(u); c_k the share of p_k in the values.
  const [a, b, c]: number[][] = [[], [], []];
  let last = new Float64Array(u.length);
  let now = new Float64Array(u.length).fill(1);
  let lastNorm = 1;
  for (let k = 0; k <= degree; k++) {
    let [norm, shift, product] = [0, 0, 0];
    for (let i = 0; i < u.length; i++) {
      const square = now[i] * now[i];
      norm += square;
      shift += u[i] * square;
      product += x[at[i]] * now[i];
    }
    a.push(shift / norm);
    b.push(k === 0 ? 0 : norm / lastNorm);
    c.push(product / norm);
    const next = now.map((p, i) => (u[i] - a[k]) * p - b[k] * last[i]);
    [last, now, lastNorm] = [now, next, norm];
  }
  return (t) => {
    const v = (t - middle) / scale;
    let [value, before, here] = [0, 0, 1];
    for (let k = 0; k < c.length; k++) {
      value += c[k] * here;
      [before, here] = [here, (v - a[k]) * here - b[k] * before];
    }
    return value;
  };
}
