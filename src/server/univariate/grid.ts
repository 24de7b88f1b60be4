/** Points with times on an even grid, with what is missing filled or left open. */
import { Problem } from '../problem.ts';
import type { DetectRequest } from './schemas.ts';

/** Microseconds of a step; months and years are counted in months instead. */
const steps: Readonly<Record<string, number>> = {
  ...{ weekly: 604_800e6, daily: 86_400e6, hourly: 3_600e6, minutely: 60e6, secondly: 1e6, microsecond: 1 },
};
const months: Readonly<Record<string, number>> = { yearly: 12, monthly: 1 };
/** The share of the grid that must be there. */
const LEAST_THERE = 0.9;

/** A series on a grid. */
export interface Grid {
  /** `[steps]`; NaN where a value is missing and is not filled. */
  readonly values: Float64Array;
  /** The step of each point of the request. */
  readonly places: Int32Array;
}

const invalid = (code: string, message: string) => new Problem(400, code, message);

/** Puts the points of a request on a grid of its granularity. Throws Problem 400 `InvalidSeries`. */
export function gridOf(request: DetectRequest): Grid {
  const { series, imputeFixedValue } = request;
  const [granularity, customInterval, imputeMode] = [
    request.granularity ?? 'none',
    request.customInterval ?? 1,
    request.imputeMode,
  ];
  if (granularity === 'none') {
    if (request.customInterval)
      throw invalid(
        'InvalidCustomInterval',
        'customInterval counts units of a granularity, but granularity is none. Send a granularity, or leave customInterval out.',
      );
    return { values: Float64Array.from(series, ({ value }) => value), places: Int32Array.from(series, (_, i) => i) };
  }
  const times = series.map(({ timestamp }, i) => {
    if (typeof timestamp !== 'string')
      throw invalid('InvalidSeries', `Point ${i + 1} has no timestamp, which granularity ${granularity} needs.`);
    return timestamp;
  });
  const places = placesOf(times, granularity, customInterval);
  const length = places[places.length - 1] + 1;
  if (series.length < LEAST_THERE * length) {
    throw invalid(
      'InvalidSeries',
      `With granularity ${granularity} and customInterval ${customInterval} the series must have at least ${Math.ceil(LEAST_THERE * length)} of the ${length} points from its first timestamp to its last, got ${series.length}. Give the interval between points as customInterval, or send what is missing.`,
    );
  }
  const values = new Float64Array(length).fill(Number.NaN);
  for (const [i, { value }] of series.entries()) values[places[i]] = value;
  if (imputeMode !== 'notFill') fill(values, imputeMode ?? 'auto', imputeFixedValue ?? 0);
  return { values, places };
}

/** The step of each time from the first one on. */
function placesOf(times: readonly string[], granularity: string, interval: number): Int32Array {
  const read = times.map((text, i) => {
    const time = microseconds(text);
    if (Number.isNaN(time))
      throw invalid(
        'InvalidSeries',
        `The timestamp of point ${i + 1} must be a time such as 2024-01-31T12:00:00Z, got "${text.slice(0, 40)}".`,
      );
    return time;
  });
  const inMonths = months[granularity] !== undefined;
  const step = (inMonths ? months[granularity] : steps[granularity]) * interval;
  const first = inMonths ? monthOf(read[0]) : undefined;
  const places = new Int32Array(read.length);
  for (const [i, time] of read.entries()) {
    const month = monthOf(time);
    const place = first ? (month.number - first.number) / step : (time - read[0]) / step;
    const isOn = Number.isInteger(place) && (!first || month.rest === first.rest || (month.isLast && first.isLast));
    if (!isOn || place > 2 ** 24) {
      throw invalid(
        'InvalidSeries',
        `The timestamp of point ${i + 1} (${times[i]}) does not lie a whole number of steps after the first one, by granularity ${granularity} and customInterval ${interval}. Correct it, or send granularity none.`,
      );
    }
    if (i > 0 && place <= places[i - 1]) {
      throw invalid(
        'InvalidSeries',
        `Points must be sorted by their timestamps, each once, but point ${i + 1} (${times[i]}) does not come after the one before.`,
      );
    }
    places[i] = place;
  }
  return places;
}

/** Microseconds since 1970 of a time in ISO 8601, in UTC where it names no zone; NaN for other texts. */
function microseconds(text: string): number {
  const [, head, fraction = '', zone] =
    /^(\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?)?)(?:\.(\d{1,9}))?\s*(Z|[+-]\d\d:?\d\d)?$/i.exec(text) ?? [];
  if (head === undefined) return Number.NaN;
  const whole = Date.parse(head.length === 10 ? head : `${head.replace(' ', 'T')}${(zone ?? 'Z').toUpperCase()}`);
  return whole * 1000 + Number(fraction.padEnd(6, '0').slice(0, 6));
}

/** The number of a month, when in it a time lies, and whether that is its last day. */
function monthOf(time: number) {
  const at = new Date(Math.floor(time / 1000));
  const rest = `${at.getUTCDate()} ${time % 86_400e6}`;
  const isLast = new Date(at.getTime() + 86_400e3).getUTCDate() === 1;
  return { number: at.getUTCFullYear() * 12 + at.getUTCMonth(), rest, isLast };
}

/** Fills what is missing after the first value; at the end, with the last one. */
export function fill(values: Float64Array, mode: NonNullable<DetectRequest['imputeMode']>, fixed = 0): void {
  let before = 0;
  for (let t = 0; t < values.length; t++) {
    if (!Number.isNaN(values[t])) {
      before = t;
      continue;
    }
    let after = t;
    while (after < values.length && Number.isNaN(values[after])) after++;
    const [from, to] = [values[before], values[after] ?? values[before]];
    for (; t < after; t++) {
      const line = from + ((to - from) * (t - before)) / (after - before);
      values[t] = mode === 'previous' ? from : mode === 'zero' ? 0 : mode === 'fixed' ? fixed : line;
    }
    before = after;
  }
}
