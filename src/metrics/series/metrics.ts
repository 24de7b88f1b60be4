/**
 * The metrics of level `series`, in the order in which tables show them. Those that look for their own threshold need the
 * labels and compare detectors only; those at a threshold say what a user would get. Figures that flatter – point-adjusted
 * F1, affiliation – stand before that of a random score.
 */

import { segmentsOf } from '../../core/segments.ts';
import { aurocOf } from '../auroc.ts';
import { averagePrecisionOf } from '../average-precision.ts';
import { defineMetric, type NoValue, type SeriesInputs } from '../define.ts';
import { f1MaxOf } from '../f1-max.ts';
import { affiliationMaxOf, affiliationOf } from './affiliation.ts';
import { delaysOf } from './detection-delay.ts';
import { eventF1, eventF1MaxOf } from './event-f1.ts';
import { type NabProfileName, nabScore } from './nab.ts';
import { pointAdjusted, pointAdjustedAreaOf, pointAdjustedMaxOf, positivesOf } from './point-adjusted.ts';
import { randomScore } from './random-score.ts';
import { rangeF1MaxOf, rangesOf } from './range-based.ts';
import { alarmsFrom, notFinite, type Sweep, type SweepCounts, sweepCounts, sweepOf } from './sweep.ts';
import { softF1Of, volumesOf } from './vus.ts';

type Judged = SeriesInputs<'both-labels'>;
type AtThreshold = SeriesInputs<'both-labels' | 'threshold'>;

const volumes = ({ scores, labels, segments, window }: SeriesInputs<'both-labels' | 'window'>) =>
  volumesOf(scores, labels, segments, window);

/** The sweep of a series and its counts; null where a score is infinite. */
interface Swept {
  readonly sweep: Sweep;
  readonly counts: SweepCounts;
}

const swept = ({ scores, segments }: Judged): Swept | null => {
  const sweep = sweepOf(scores);
  return sweep && { sweep, counts: sweepCounts(sweep, segments) };
};

const sweptAtRandom = ({ scores, segments }: Judged): Swept => {
  const sweep = sweepOf(randomScore(scores.length))!;
  return { sweep, counts: sweepCounts(sweep, segments) };
};

/** A value of a sweep, or why there is none. */
const ofSweep =
  (value: (found: Swept, series: Judged) => number, sweeping: (series: Judged) => Swept | null = swept) =>
  (series: Judged): number | NoValue => {
    const found = series.shared(sweeping);
    return found ? value(found, series) : notFinite;
  };

const adjusted = ({ sweep, counts }: Swept, { segments }: Judged) =>
  pointAdjustedMaxOf(sweep, counts, positivesOf(segments)).f1;
const affiliated = ({ sweep }: Swept, { segments }: Judged) => affiliationMaxOf(sweep, segments).f1;

const alarmSegments = ({ alarms }: AtThreshold) => segmentsOf(alarms);
const ranges = (series: AtThreshold) => rangesOf(series.shared(alarmSegments), series.segments);
const affiliations = (series: AtThreshold) =>
  affiliationOf(series.shared(alarmSegments), series.segments, series.scores.length);
const steps = ({ scores, labels, threshold }: AtThreshold) => pointAdjusted(scores, labels, threshold, 100)!;
const events = ({ alarms, labels }: AtThreshold) => eventF1(alarms, labels, 1)!;
const delays = ({ alarms, segments }: AtThreshold) => delaysOf(alarms, segments, 1);

const noAlarm = { reason: 'No step reaches the threshold.' } as const;

/** What the three profiles of NAB have in common. */
const nab = (profile: NabProfileName) =>
  ({
    level: 'series',
    range: [-Infinity, 100],
    better: 'higher',
    needs: ['both-labels', 'threshold', 'probation'],
    compute: ({ alarms, segments, probation }: SeriesInputs<'both-labels' | 'threshold' | 'probation'>) =>
      nabScore(alarms, segments, probation, profile).normalised ?? {
        reason: 'Every anomalous segment begins in the probation part.',
      },
  }) as const;

const score = { level: 'series', range: [0, 1], better: 'higher' } as const;

/** All of them. */
export const seriesMetrics = [
  defineMetric({
    ...score,
    name: 'vusPr',
    title: 'VUS-PR',
    meaning: 'area under precision over recall, where steps near a segment count in part, averaged over buffers',
    isHeadline: true,
    isOrdinal: true,
    needs: ['both-labels', 'window'],
    compute: (series) => series.shared(volumes).pr,
  }),
  defineMetric({
    ...score,
    name: 'vusRoc',
    title: 'VUS-ROC',
    meaning: 'area under the ROC curve, where steps near a segment count in part, averaged over buffers',
    isOrdinal: true,
    needs: ['both-labels', 'window'],
    compute: (series) => series.shared(volumes).roc,
  }),
  defineMetric({
    ...score,
    name: 'ap',
    title: 'AP',
    meaning: 'average precision over the steps; a random score gets the share of anomalous steps',
    isDetail: true,
    chance: 'prevalence',
    isOrdinal: true,
    needs: ['both-labels'],
    compute: ({ ranks }) => averagePrecisionOf(ranks),
  }),
  defineMetric({
    ...score,
    name: 'auroc',
    title: 'AUROC',
    meaning: 'chance that an anomalous step scores above a normal one; 0.5 is a coin',
    isDetail: true,
    chance: 0.5,
    isOrdinal: true,
    needs: ['both-labels'],
    compute: ({ ranks }) => aurocOf(ranks),
  }),
  defineMetric({
    ...score,
    name: 'f1Max',
    title: 'F1-max',
    meaning: 'best F1 of the steps over all thresholds: needs the labels, so no threshold that you could have',
    isDetail: true,
    isOrdinal: true,
    needs: ['both-labels'],
    compute: ({ ranks }) => f1MaxOf(ranks).f1,
  }),
  defineMetric({
    ...score,
    name: 'eventF1Max',
    title: 'event F1-max',
    meaning: 'best F1 of recall over segments and precision over steps',
    isDetail: true,
    needs: ['both-labels'],
    compute: ofSweep(({ sweep, counts }, { segments }) => eventF1MaxOf(sweep, counts, segments.length).f1),
  }),
  defineMetric({
    ...score,
    name: 'rangeF1Max',
    title: 'range F1-max',
    meaning: 'best F1 of range precision and range recall: how much of each segment the alarms cover, and in one piece',
    isDetail: true,
    needs: ['both-labels'],
    compute: ofSweep(({ sweep }, { segments }) => rangeF1MaxOf(sweep, segments).f1),
  }),
  defineMetric({
    ...score,
    name: 'affiliationF1Max',
    title: 'affiliation F1-max',
    meaning: 'best F1 of how near alarms and segments lie; flatters, so read it beside that of a random score',
    isDetail: true,
    needs: ['both-labels'],
    compute: ofSweep(affiliated),
  }),
  defineMetric({
    ...score,
    name: 'affiliationF1MaxRandom',
    title: 'affiliation F1-max, random',
    meaning: 'affiliation F1-max of a random score on the same labels',
    isDetail: true,
    better: 'neither',
    needs: ['both-labels'],
    compute: ofSweep(affiliated, sweptAtRandom),
  }),
  defineMetric({
    ...score,
    name: 'paKArea',
    title: 'PA%K area',
    meaning: 'best F1 where a segment counts whole once more than K % of it alarm, averaged over K',
    isDetail: true,
    needs: ['both-labels'],
    compute: ofSweep(({ sweep, counts }, { segments }) => pointAdjustedAreaOf(sweep, counts, segments)),
  }),
  defineMetric({
    ...score,
    name: 'paF1Max',
    title: 'PA-F1-max',
    meaning: 'best F1 where one alarm counts for its whole segment; flatters, so read it beside that of a random score',
    isDetail: true,
    needs: ['both-labels'],
    compute: ofSweep(adjusted),
  }),
  defineMetric({
    ...score,
    name: 'paF1MaxRandom',
    title: 'PA-F1-max, random',
    meaning: 'PA-F1-max of a random score on the same labels',
    isDetail: true,
    better: 'neither',
    needs: ['both-labels'],
    compute: ofSweep(adjusted, sweptAtRandom),
  }),
  defineMetric({
    ...score,
    name: 'precision',
    title: 'precision',
    meaning: 'share of the steps that alarm which are anomalous, at the threshold',
    needs: ['both-labels', 'threshold'],
    compute: (series) => series.shared(steps).precision ?? noAlarm,
  }),
  defineMetric({
    ...score,
    name: 'recall',
    title: 'recall',
    meaning: 'share of the anomalous steps that alarm, at the threshold',
    needs: ['both-labels', 'threshold'],
    compute: (series) => series.shared(steps).recall,
  }),
  defineMetric({
    ...score,
    name: 'f1',
    title: 'F1',
    meaning: 'F1 of the precision and the recall of steps at the threshold',
    needs: ['both-labels', 'threshold'],
    compute: (series) => series.shared(steps).f1,
  }),
  defineMetric({
    ...score,
    name: 'vusF1',
    title: 'VUS-F1',
    meaning: 'F1 at the threshold, where steps near a segment count in part, averaged over buffers',
    isDetail: true,
    needs: ['both-labels', 'window', 'threshold'],
    compute: ({ scores, labels, segments, window, threshold }) =>
      softF1Of(alarmsFrom(scores, threshold), labels, segments, window).f1,
  }),
  defineMetric({
    ...score,
    name: 'eventF1',
    title: 'event F1',
    meaning: 'F1 of recall over segments and precision over steps, at the threshold',
    needs: ['both-labels', 'threshold'],
    compute: (series) => series.shared(events).f1,
  }),
  defineMetric({
    ...score,
    name: 'rangePrecision',
    title: 'range precision',
    meaning: 'how much of each run of alarms is anomalous, and in one piece, at the threshold',
    isDetail: true,
    needs: ['both-labels', 'threshold'],
    compute: (series) => series.shared(ranges).precision ?? noAlarm,
  }),
  defineMetric({
    ...score,
    name: 'rangeRecall',
    title: 'range recall',
    meaning: 'how much of each segment the alarms cover, and in one piece, at the threshold',
    isDetail: true,
    needs: ['both-labels', 'threshold'],
    compute: (series) => series.shared(ranges).recall,
  }),
  defineMetric({
    ...score,
    name: 'rangeF1',
    title: 'range F1',
    meaning: 'F1 of range precision and range recall at the threshold',
    isDetail: true,
    needs: ['both-labels', 'threshold'],
    compute: (series) => series.shared(ranges).f1,
  }),
  defineMetric({
    ...score,
    name: 'affiliationPrecision',
    title: 'affiliation precision',
    meaning: 'how near alarms lie to segments, at the threshold; about 0.5 for alarms at random',
    isDetail: true,
    needs: ['both-labels', 'threshold'],
    compute: (series) => series.shared(affiliations).precision ?? noAlarm,
  }),
  defineMetric({
    ...score,
    name: 'affiliationRecall',
    title: 'affiliation recall',
    meaning: 'how near segments lie to alarms, at the threshold; near 1 where alarms are many',
    isDetail: true,
    needs: ['both-labels', 'threshold'],
    compute: (series) => series.shared(affiliations).recall,
  }),
  defineMetric({
    ...score,
    name: 'affiliationF1',
    title: 'affiliation F1',
    meaning: 'F1 of affiliation precision and recall at the threshold',
    isDetail: true,
    needs: ['both-labels', 'threshold'],
    compute: (series) => series.shared(affiliations).f1,
  }),
  defineMetric({
    ...score,
    name: 'segmentRecall',
    title: 'segments found',
    meaning: 'share of the anomalous segments with an alarm inside them, at the threshold',
    needs: ['both-labels', 'threshold'],
    compute: (series) => series.shared(delays).found,
  }),
  defineMetric({
    ...score,
    name: 'detectionDelay',
    title: 'delay',
    meaning: 'steps from the begin of a segment to its first alarm, averaged over the segments found',
    range: [0, Infinity],
    better: 'lower',
    needs: ['both-labels', 'threshold'],
    compute: (series) => series.shared(delays).mean ?? { reason: 'No anomalous segment has an alarm.' },
  }),
  defineMetric({
    ...nab('standard'),
    name: 'nabStandard',
    title: 'NAB',
    meaning: 'score of the Numenta benchmark at the threshold: early alarms earn more; 0 is no alarm, 100 perfect',
    isDetail: true,
  }),
  defineMetric({
    ...nab('lowFp'),
    name: 'nabLowFp',
    title: 'NAB low FP',
    meaning: 'the NAB score where false alarms cost twice as much',
    isDetail: true,
  }),
  defineMetric({
    ...nab('lowFn'),
    name: 'nabLowFn',
    title: 'NAB low FN',
    meaning: 'the NAB score where missed segments cost twice as much',
    isDetail: true,
  }),
] as const;
