/** Protocols of series and clips that train on one part and judge another: the first part and the rest of each, or some series and others. */
import { ConfigError, DataError } from '../../core/errors.ts';
import { option, say } from '../../core/text.ts';
import type { Source } from '../item.ts';
import type { SeriesFacts, SeriesSpan } from '../series/source.ts';
import { stepsBefore } from '../series/windows.ts';
import { finishSplit, type Split } from '../split.ts';
import { numbersWhere, type Protocol, type ProtocolOptions } from './protocol.ts';

export const prefix: Protocol = {
  name: 'prefix',
  title: 'The first part of each series trains',
  description:
    'Training is on the steps before the end of the training part, where no labelled anomaly is in the window around a ' +
    'step; the last of them are held out, of many clips whole ones. All later steps test. Windows of training, held-out and ' +
    'test steps share no step.',
  needs: [],
  split: (source, options) => splitAtEnds(source, options, 'prefix'),
};

export const otherSeries: Protocol = {
  name: 'other-series',
  title: 'Normal series train, others are judged',
  description:
    'Training is on whole series: those of a folder "train" where there is one, else those without a labelled anomaly; their last ' +
    'steps are held out. All steps of the other series test.',
  needs: [],
  parts: 'others',
  split(source, options) {
    const { spans } = requireSeries(source, 'other-series');
    const training = spans.filter(({ train }) => train > 0).length;
    if (training === 0 || training === spans.length) {
      throw new DataError(
        'no-other-series',
        say`The protocol other-series needs series that are normal throughout and others to judge, but
          ${training === 0 ? 'each' : 'none'} of the ${spans.length} series of ${source.name} has a labelled anomaly. Put the normal ones
          into a folder "train" beside a folder "test", or use ${option('protocol', 'prefix')}.`,
      );
    }
    return splitAtEnds(source, options, 'other-series');
  },
};

/** The series of a source. Throws ConfigError `protocol-needs-series`. */
export function requireSeries({ series, name, kind }: Source, protocol: string): SeriesFacts {
  if (series) return series;
  throw new ConfigError(
    'protocol-needs-series',
    say`The protocol ${protocol} needs series, but ${name} has ${kind === 'table' ? 'rows' : 'images'}. Use another one with
      ${option('protocol', 'folder')}.`,
  );
}

/** The normal steps of the training parts, as numbers of items, ascending. */
export interface EndsHeldOut {
  /** Those that train. */
  readonly normals: readonly number[];
  /** Those that are held out: their windows share no step with those that train. */
  readonly validation: readonly number[];
  /** Steps near labelled anomalies, which are in neither. */
  readonly touched: number;
  /** Steps in or near intervals that are left out, which are in neither. */
  readonly excluded: number;
  /** Whole clips that are held out, where there are many. */
  readonly clips?: ReadonlySet<SeriesSpan>;
}

/** Holds the end of the training part of each series out; of many clips whole ones. Throws as `requireSeries`. */
export function holdEndsOut(source: Source, share: number, protocol: string): EndsHeldOut {
  const series = requireSeries(source, protocol);
  const isAnomalous = (i: number) => source.items[i].class !== 0;
  const [normals, validation]: [number[], number[]] = [[], []];
  let [touched, excluded] = [0, 0];
  const clips = source.kind === 'clip' ? lastClips(series, share) : undefined;
  for (const span of series.spans) {
    const held = clips ? (clips.has(span) ? span.train : 0) : heldSteps(span, series, share);
    const clean = withoutAnomalies(span, series, isAnomalous);
    const [own, later] = [inside(0, span.train - held, series), inside(span.train - held, span.train, series)];
    for (const [steps, list] of [
      [own, normals],
      [later, validation],
    ] as const) {
      for (let t = steps.from; t < steps.to; t++) {
        if (span.excluded?.[t]) excluded++;
        else if (clean(t)) list.push(span.first + t);
        else touched++;
      }
    }
  }
  return { normals, validation, touched, excluded, ...(clips && { clips }) };
}

/** Splits where the training part of each series ends. */
function splitAtEnds(source: Source, options: ProtocolOptions, protocol: 'prefix' | 'other-series'): Split {
  const { items } = source;
  const series = requireSeries(source, protocol);
  const { normals, validation, touched, excluded, clips } = holdEndsOut(
    source,
    options.validationFraction ?? 0.1,
    protocol,
  );
  const words = source.kind === 'clip' ? CLIPS : SERIES;
  const notes = [`${protocol === 'prefix' ? 'Prefix' : 'Other series'}: ${told(series, words)}`];
  if (clips) notes.push(`Held out: ${[...clips].map(({ id }) => id).join(', ')}.`);
  if (touched > 0) notes.push(`${touched} ${words.steps} of it near labelled anomalies do not train.`);
  if (excluded > 0) notes.push(`${excluded} ${words.steps} in or near intervals that are left out do not train.`);
  return finishSplit(source, {
    protocol,
    description: notes.join(' '),
    normals,
    validation,
    test: numbersWhere(source, (i) => items[i].part === 'test' && !isUnjudged(series, i)),
    mayLackAnomalies: true,
    isAnomalous: (i) => items[i].class !== 0,
    options,
    rng: options.rng.split('split').split('validation'),
  });
}

/** Steps at the end of the training part that are held out: the wanted share, and some windows' worth where there is room. */
function heldSteps({ train }: SeriesSpan, { window }: SeriesFacts, share: number): number {
  if (share === 0 || train < 3 * window) return 0;
  return Math.min(Math.floor(train / 2), Math.max(Math.round(share * train), 2 * window));
}

/** Steps of a stretch whose windows lie in it whole. */
function inside(from: number, to: number, { window }: SeriesFacts) {
  const ahead = stepsBefore(window);
  return { from: from + ahead, to: to - (window - 1 - ahead) };
}

/** Tells steps of whose window no step is labelled as anomalous. */
function withoutAnomalies({ first, train }: SeriesSpan, { window }: SeriesFacts, isAnomalous: (i: number) => boolean) {
  const counts = new Uint32Array(train + 1);
  for (let t = 0; t < train; t++) counts[t + 1] = counts[t] + Number(isAnomalous(first + t));
  return (t: number) => {
    const start = t - stepsBefore(window);
    return counts[start + window] === counts[start];
  };
}

/** Steps that stand in no file, or in intervals that are left out, are not judged. */
export function isUnjudged({ spans }: SeriesFacts, i: number): boolean {
  const span = spans.find(({ first, steps }) => i < first + steps);
  return span?.filled?.[i - span.first] === 1 || span?.excluded?.[i - span.first] === 1;
}

/** What steps and series are called. */
interface Words {
  readonly steps: string;
  readonly all: string;
}
const SERIES: Words = { steps: 'steps', all: 'series' };
const CLIPS: Words = { steps: 'frames', all: 'clips' };

/** With so many clips for training, whole ones are held out: the frames of one clip are much alike. */
const MANY_CLIPS = 5;

/** The last of the clips that train whole, as many as the share says, at least one; undefined where there are few, or none is to be. */
function lastClips({ spans }: SeriesFacts, share: number): ReadonlySet<SeriesSpan> | undefined {
  const own = spans.filter(({ train, steps }) => train === steps);
  if (share === 0 || own.length < MANY_CLIPS) return undefined;
  return new Set(own.slice(-Math.max(1, Math.round(share * own.length))));
}

function told({ spans, window }: SeriesFacts, { steps: items, all }: Words): string {
  const [one] = spans;
  const steps = window === 1 ? 'one by one' : `in windows of ${window} ${items}`;
  if (spans.length === 1) return `the first ${one.train} of ${one.steps} ${items} of ${one.id} train, ${steps}.`;
  const train = spans.reduce((n, span) => n + span.train, 0);
  return `${train} ${items} of ${spans.filter((span) => span.train > 0).length} of ${spans.length} ${all} train, ${steps}.`;
}
