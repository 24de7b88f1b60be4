/** What the checks of this folder have in common: a promise, and the sentence that is thrown where it is broken. */
import type { Metric } from '../metrics/index.ts';

/** One promise. */
export interface Check {
  /** What holds, as a clause: "the order of items changes nothing". */
  readonly name: string;
  /** Throws an Error unless it does. */
  run(): void | Promise<void>;
}

/** How far two computations of one value may lie apart. */
const TOLERANCE = 1e-9;

/** A value, or null and why. */
export interface Outcome {
  readonly value: number | null;
  readonly reason?: string;
}

/** Throws the sentence unless it holds. */
export function must(holds: boolean, sentence: string): void {
  if (!holds) throw new Error(sentence);
}

/** Whether a value lies in a range, its ends included. */
export const isInside = (value: number, [least, largest]: readonly [number, number]) =>
  value >= least && value <= largest;

/** Throws unless a value lies in the range of its metric, or is null with a reason. */
export function checkValue({ name, range }: Metric, { value, reason }: Outcome, what: string): void {
  if (value === null) must(!!reason, `${name} is null for ${what} and must say why.`);
  else must(isInside(value, range), `${name} must lie in ${range.join(' to ')}, got ${value} for ${what}.`);
}

/** Throws unless two values are the same, up to rounding. */
export function mustEqual({ name }: Metric, one: Outcome, other: Outcome, what: string): void {
  const [a, b] = [one.value, other.value];
  const isSame = a === b || (a !== null && b !== null && Math.abs(a - b) <= TOLERANCE * Math.max(1, Math.abs(a)));
  must(isSame, `${what} must not change ${name}, got ${a} and ${b}.`);
}

/** Strictly increasing on the 64 levels of scores, also in float32. */
export const increasing: readonly (readonly [what: string, change: (score: number) => number])[] = [
  ['Three times the scores minus seven', (v) => 3 * v - 7],
  ['The exponential of the scores', (v) => Math.exp(4 * v)],
  ['The cube of the scores', (v) => (1 + v) ** 3],
];
