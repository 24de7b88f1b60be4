/** The protocol of series: the first part of each trains, the rest is judged. */
import { ConfigError } from '../../core/errors.ts';
import { option, say } from '../../core/text.ts';
import type { SeriesFacts, SeriesSpan } from '../series/source.ts';
import { stepsBefore } from '../series/windows.ts';
import { finishSplit } from '../split.ts';
import { numbersWhere, type Protocol } from './protocol.ts';

export const prefix: Protocol = {
  name: 'prefix',
  title: 'The first part of each series trains',
  description:
    'Training is on the steps before the end of the training part, where no labelled anomaly is in the window around a ' +
    'step; the last of them are held out. All later steps test. Windows of training, held-out and test steps share no step.',
  needs: [],
  split(source, options) {
    const { series, items } = source;
    if (!series) {
      throw new ConfigError(
        'protocol-needs-series',
        say`The protocol prefix needs series, but ${source.name} has ${source.kind === 'table' ? 'rows' : 'images'}. Use another one with
          ${option('protocol', 'folder')}.`,
      );
    }
    const { validationFraction = 0.1 } = options;
    const isAnomalous = (i: number) => items[i].class !== 0;
    const [normals, validation]: [number[], number[]] = [[], []];
    let touched = 0;
    for (const span of series.spans) {
      const held = heldSteps(span, series, validationFraction);
      const clean = withoutAnomalies(span, series, isAnomalous);
      const [own, later] = [whole(0, span.train - held, series), whole(span.train - held, span.train, series)];
      for (const [steps, list] of [
        [own, normals],
        [later, validation],
      ] as const) {
        for (let t = steps.from; t < steps.to; t++) {
          if (clean(t)) list.push(span.first + t);
          else touched++;
        }
      }
    }
    const notes = [`Prefix: ${told(series)}`];
    if (touched > 0) notes.push(`${touched} steps of it near labelled anomalies do not train.`);
    return finishSplit(source, {
      protocol: 'prefix',
      description: notes.join(' '),
      normals,
      validation,
      test: numbersWhere(source, (i) => items[i].part === 'test' && !isFilled(series, i)),
      mayLackAnomalies: true,
      isAnomalous,
      options,
      rng: options.rng.split('split').split('validation'),
    });
  },
};

/** Steps at the end of the training part that are held out: the wanted share, and some windows' worth where there is room. */
function heldSteps({ train }: SeriesSpan, { window }: SeriesFacts, share: number): number {
  if (share === 0 || train < 3 * window) return 0;
  return Math.min(Math.floor(train / 2), Math.max(Math.round(share * train), 2 * window));
}

/** Steps of a stretch whose windows lie in it whole. */
function whole(from: number, to: number, { window }: SeriesFacts) {
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

/** Steps that stand in no file are not judged. */
function isFilled({ spans }: SeriesFacts, i: number): boolean {
  const span = spans.find(({ first, steps }) => i < first + steps);
  return span?.filled?.[i - span.first] === 1;
}

function told({ spans, window }: SeriesFacts): string {
  const [one] = spans;
  const steps = `windows of ${window} steps`;
  if (spans.length === 1) return `the first ${one.train} of ${one.steps} steps of ${one.id} train, in ${steps}.`;
  const train = spans.reduce((n, span) => n + span.train, 0);
  return `${train} steps of ${spans.filter((span) => span.train > 0).length} of ${spans.length} series train, in ${steps}.`;
}
