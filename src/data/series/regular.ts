/**
 * Series as detectors take them: a value in each cell and even steps. What is missing is filled in or refused, and everything
 * that was done is told. Left out: guessing values from other channels; a series in which much is missing is told as such.
 */
import { ConfigError, DataError } from '../../core/errors.ts';
import { option, type Said, say } from '../../core/text.ts';
import { durationText, timeText } from '../table/times.ts';
import { fillable, type Gap, gapsOf, onGrid, type StepFacts, stepFacts, withSteps } from './even-steps.ts';
import { fillCells, missingCells } from './missing-cells.ts';
import { type Series, stepsOf } from './series.ts';

/** What becomes of missing values and steps: a line between neighbours, the value before, or an error. */
export const gapPolicies = ['interpolate', 'hold', 'refuse'] as const;
export type GapPolicy = (typeof gapPolicies)[number];

export interface RegularOptions {
  /** Default `interpolate`. */
  readonly gaps?: GapPolicy;
  /** Length of a step in milliseconds, to which the series is brought; default the steps that it has. */
  readonly step?: number;
}

/** What was done to a series, or should be known of it. */
export interface SeriesRemark {
  readonly code: string;
  readonly message: Said;
}

/** Steps of one gap that are filled in; never more than the series has. */
export const LONGEST = 10_000;
/** Share of odd steps above which steps are irregular. */
const IRREGULAR = 0.05;
/** Places that a message names. */
const SHOWN = 10;
/** How much finer than its usual step a series may be made. */
const FINEST = 100;

/**
 * Fills missing values and steps, or brings the steps on a grid. A gap is filled where it has at most 10,000 steps; all filled
 * steps together are at most as many as the series has. Their rows are 0, and they are anomalous where the steps on both
 * sides are. `series` must be as `checkSeries`
 * wants it.
 * @throws ConfigError `gaps`, `step`; DataError `empty-channel`, and with `refuse` `missing-values`, `missing-steps`.
 */
export function regular(
  series: Series,
  options: RegularOptions = {},
): { readonly series: Series; readonly remarks: readonly SeriesRemark[] } {
  const { gaps = 'interpolate', step } = options;
  checkOptions(gaps, step);
  const remarks: SeriesRemark[] = [];
  const add = (code: string, message: Said) => remarks.push({ code, message });
  tellMissing(series, gaps, add);
  const even = evenSteps(series, gaps, step, add);
  if (even.values.every(Number.isFinite)) return { series: even, remarks };
  return { series: fillCells(even, gaps === 'hold' ? 'hold' : 'interpolate'), remarks };
}

type Add = (code: string, message: Said) => void;

function checkOptions(gaps: GapPolicy, step: number | undefined): void {
  if (!gapPolicies.includes(gaps)) {
    throw new ConfigError('gaps', { option: 'gaps', value: gaps, must: 'interpolate, hold or refuse' });
  }
  if (step === undefined || (Number.isFinite(step) && step > 0)) return;
  throw new ConfigError('step', { option: 'step', value: step, must: 'a length of time in milliseconds, above 0' });
}

/** Where a step stands in its file, and its time. */
function where({ rows, times }: Series, t: number): string {
  const place = rows?.[t] ? `line ${rows[t]}` : `step ${t + 1}`;
  return times ? `${place} (${timeText(times[t])})` : place;
}

const counted = (count: number, one: string, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

/** What the policy does, as the end of a sentence. */
const done = (gaps: GapPolicy) => (gaps === 'hold' ? 'filled with the value before' : 'filled by linear interpolation');
const others = (gaps: GapPolicy) =>
  say`Alternatives: ${option('gaps', gaps === 'hold' ? 'interpolate' : 'hold')} or ${option('gaps', 'refuse')}.`;

function tellMissing(series: Series, gaps: GapPolicy, add: Add): void {
  const { id } = series;
  const steps = stepsOf(series);
  const { channels, steps: lacking, first } = missingCells(series, SHOWN);
  if (channels.length === 0) return;
  const empty = channels.filter(({ count }) => count === steps);
  if (empty.length > 0) {
    const names = empty.map(({ channel }) => channel);
    throw new DataError(
      'empty-channel',
      say`${id}: every channel needs at least one value; ${names.slice(0, 6).join(', ')} ${names.length === 1 ? 'has' : 'have'} none in
        ${counted(steps, 'step')}. Leave ${names.length === 1 ? 'it' : 'each'} out with ${option(['columns', names[0]], 'ignore')}.`,
    );
  }
  const total = channels.reduce((n, { count }) => n + count, 0);
  const counts = channels.slice(0, 8).map(({ channel, count }) => `${channel} ${count}`);
  const more = channels.length > 8 ? `, and ${channels.length - 8} more channels` : '';
  const places = `${first.map((t) => where(series, t)).join(', ')}${lacking > first.length ? ', …' : ''}`;
  const of = `${counted(total, 'value')} of ${steps * series.channels.length}`;
  if (gaps === 'refuse') {
    throw new DataError(
      'missing-values',
      say`${id}: every step needs a value in every channel; ${of} are missing (${counts.join(', ')}${more}), at ${places}. Correct
        them, or fill them with ${option('gaps', 'interpolate')} or ${option('gaps', 'hold')}.`,
    );
  }
  add(
    'missing-values',
    say`${id}: ${of} are missing (${counts.join(', ')}${more}), at ${places}; ${done(gaps)}. ${others(gaps)}`,
  );
  const poor = channels.filter(({ count }) => count > steps / 2);
  if (poor.length === 0) return;
  const named = poor.slice(0, 6).map(({ channel, count }) => `${channel} (${Math.round((100 * count) / steps)} %)`);
  add(
    'mostly-missing',
    say`${id}: more than half of the values are missing in ${named.join(', ')}${poor.length > 6 ? ` and ${poor.length - 6} more` : ''}, so most of
      what is used there is filled in. Leave such a channel out with ${option(['columns', poor[0].channel], 'ignore')}.`,
  );
}

/** The series on its grid, or with its gaps filled by steps without values. */
function evenSteps(series: Series, gaps: GapPolicy, step: number | undefined, add: Add): Series {
  const { id, times } = series;
  if (!times) {
    if (step === undefined) return series;
    throw new ConfigError(
      'step',
      say`${option('step')} needs times, but ${id} has no column of times: its steps are counted. Leave ${option('step')} out.`,
    );
  }
  const facts = stepFacts(times);
  if (!facts) return series;
  const { usual } = facts;
  if (step !== undefined) {
    const steps = resampled({ ...series, times }, step, usual);
    add('resampled', tellGrid(series, steps, step, facts));
    const share = Math.max(1, Math.ceil(usual / step));
    return closed(steps, step, gaps, times.length * share, LONGEST * share, add);
  }
  if (facts.odd > IRREGULAR * (times.length - 1)) {
    add('irregular-steps', tellIrregular(series, facts));
    return series;
  }
  return closed(series, usual, gaps, times.length, LONGEST, add);
}

function resampled(series: Series & { readonly times: Float64Array }, step: number, usual: number): Series {
  const { id, times } = series;
  const span = times[times.length - 1] - times[0];
  if (step <= span && step * FINEST >= usual) return onGrid(series, step, usual);
  throw new ConfigError(
    'step',
    say`${option('step')} must be from ${durationText(usual / FINEST)} to ${durationText(span)} for ${id}, whose usual step is
      ${durationText(usual)}; got ${durationText(step)}.`,
  );
}

function tellGrid(series: Series, steps: Series, step: number, { usual }: StepFacts): Said {
  const [before, after] = [stepsOf(series), stepsOf(steps)];
  const what = after < before ? 'each the mean of its values' : 'each with the value that lies in it';
  return `${series.id}: resampled from steps of ${durationText(usual)} (median) to ${durationText(step)}: ${counted(before, 'step')} became ${after}, ${what}.`;
}

function tellIrregular(series: Series, { usual, odd, longest }: StepFacts): Said {
  const count = stepsOf(series) - 1;
  return say`${series.id}: irregular steps: ${odd} of ${count} intervals differ from their median, ${durationText(usual)}, and its multiples; the
    longest is ${durationText(longest.length)}, after ${where(series, longest.at)}. They are used as they are. To resample, use
    ${option('step', '<length>')}.`;
}

/** The series with gaps of up to `most` steps, `total` together, filled by steps without values. */
function closed(series: Series, usual: number, gaps: GapPolicy, total: number, most: number, add: Add): Series {
  const found = gapsOf(series.times!, usual);
  if (found.length === 0) return series;
  if (gaps === 'refuse') throw refusedSteps(series, found, usual);
  const filled = fillable(found, Math.min(most, total), total);
  if (filled.length > 0) {
    const added = filled.reduce((n, gap) => n + gap.steps, 0);
    add(
      'missing-steps',
      say`${series.id}: ${counted(added, 'step')} of ${durationText(usual)} ${added === 1 ? 'is' : 'are'} missing in ${tellGaps(series, filled, usual)};
        ${done(gaps)}. ${others(gaps)}`,
    );
  }
  const left = found.filter((gap) => !filled.includes(gap));
  if (left.length > 0) {
    add(
      'long-gaps',
      say`${series.id}: too long to be filled: ${tellGaps(series, left, usual)}. The steps before and after are treated as adjacent. Use a
        longer ${option('step', '<length>')}, or split the file there.`,
    );
  }
  return withSteps(series, filled);
}

function tellGaps(series: Series, gaps: readonly Gap[], usual: number): string {
  const longest = gaps.reduce((a, b) => (b.steps > a.steps ? b : a));
  const place = `${counted(longest.steps, 'step')}, ${durationText(longest.steps * usual)}, after ${where(series, longest.at)}`;
  return gaps.length === 1 ? `1 gap (${place})` : `${gaps.length} gaps (longest: ${place})`;
}

function refusedSteps(series: Series, gaps: readonly Gap[], usual: number): DataError {
  const added = gaps.reduce((n, gap) => n + gap.steps, 0);
  const places = gaps.slice(0, SHOWN).map((gap) => `${gap.steps} after ${where(series, gap.at)}`);
  const more = gaps.length > SHOWN ? `, and ${gaps.length - SHOWN} more gaps` : '';
  return new DataError(
    'missing-steps',
    say`${series.id}: a step is needed every ${durationText(usual)}; ${counted(added, 'step is', 'steps are')} missing: ${places.join(', ')}${more}.
      Add them, or fill them with ${option('gaps', 'interpolate')} or ${option('gaps', 'hold')}.`,
  );
}
