/**
 * A run's threshold, chosen again: from the scores of held-out normals in its artefact, or from the labels of its test
 * part, which is then said wherever the threshold is shown. Node only.
 */
import type { AlarmRule } from '../core/alarms.ts';
import { ConfigError, DataError } from '../core/errors.ts';
import type { Listener } from '../core/events.ts';
import { action, option, say } from '../core/text.ts';
import {
  calibrate,
  describeThreshold,
  type NormalsOrigin,
  type ThresholdReport,
  withReview,
  withTest,
} from '../engine/judging/calibrate.ts';
import { calibrateAlarms, type WantedAlarms, withAlarms } from '../engine/judging/calibrate-alarms.ts';
import { ruleOf } from '../engine/scoring/alarms.ts';
import type { SeriesReading } from '../engine/scoring/artifact.ts';
import {
  reviewBand,
  type Threshold,
  thresholdByValue,
  thresholdForCost,
  thresholdForFalseAlarms,
  thresholdForFBeta,
  thresholdForMissRate,
} from '../metrics/index.ts';
import type { Device } from '../runtime/index.ts';
import { artifactFiles, readArtifact } from './artifact.ts';
import { type ScoredFeedback, scoreFeedback } from './feedback-scores.ts';
import { readJsonIfThere, writeJson } from './files.ts';
import { type RunRecord, readFinishedRun, runFiles } from './folder.ts';
import { lockFolder } from './lock.ts';
import { readPredictions, type TestScores } from './test-scores.ts';

/** How to choose a threshold. The first and the last need no labels; the others use those of the test part. */
export type ThresholdPolicy =
  | { readonly by: 'false-alarm-rate'; readonly rate: number }
  | ({ readonly by: 'alarm-rate' } & WantedAlarms)
  | { readonly by: 'miss-rate'; readonly rate: number }
  | { readonly by: 'f-beta'; readonly beta: number }
  | {
      readonly by: 'cost';
      readonly falseAlarm: number;
      readonly miss: number;
      /** Share of anomalous items where the detector will work, in (0, 1); default that of the items that choose. */
      readonly prevalence?: number;
    }
  | {
      readonly by: 'value';
      readonly value: number;
      /** It was chosen while looking at scores of the test part, which is then said wherever it is shown; default false. */
      readonly sawTest?: boolean;
    };

/** Options of `threshold`. */
export interface ThresholdOptions {
  /** A run's folder; an artefact's folder or `model.onnx` for policies without labels. */
  run: string;
  /** None: the threshold as it is. One: the threshold. Two: the higher one, and a review band from the lower one on. */
  policies?: readonly ThresholdPolicy[];
  /** Of series: how steps become alarms; default as trained. */
  alarms?: AlarmRule;
  /**
   * Let what people said take part (`feedback`): a rate of false alarms counts the items that they called normal too, policies with
   * labels take theirs, beside held-out normals, instead of those of the test part; default false.
   */
  feedback?: boolean;
  /** Put it into `model.json`, for `predict` and `test`; default false. */
  write?: boolean;
  /** Where items of feedback are scored; default `auto`. */
  device?: Device | 'auto';
  onEvent?: Listener;
  signal?: AbortSignal;
}

/** A threshold as it is now, as it was, and what it does on the test part. */
export interface ThresholdResult {
  readonly run: string;
  /** With what it does on the test part, where the run has one. */
  readonly threshold: ThresholdReport;
  /** As it stood before. */
  readonly before: ThresholdReport;
  /** The file that was changed, or null. */
  readonly written: string | null;
}

/**
 * Chooses a threshold. Throws ConfigError for policies that cannot be; DataError `no-labels` for a policy that needs
 * labels where there are none, `no-threshold` when no threshold follows, and those of `readArtifact`.
 * @example await threshold({ run: 'runs/first', policies: [{ by: 'false-alarm-rate', rate: 0.001 }], write: true })
 */
export async function threshold(options: ThresholdOptions): Promise<ThresholdResult> {
  const { run, policies = [], write = false } = options;
  if (policies.length > 2)
    throw new ConfigError(
      'threshold-policies',
      `A threshold takes one policy, or two for a review band; got ${policies.length}.`,
    );
  const isRun = (await readJsonIfThere<RunRecord>(runFiles(run).run)) !== undefined;
  if (isRun) await readFinishedRun(run);
  const { info } = await readArtifact(run);
  if (options.alarms && info.kind !== 'series')
    throw new ConfigError(
      'not-a-series',
      say`Alarms are of series, but ${run} takes other items. Leave ${option('alarms')} out.`,
    );
  const series = info.kind === 'series' ? { ...info.series, alarms: ruleOf(info, options.alarms) } : undefined;
  const test = isRun ? await readPredictions(run) : undefined;
  const { folds, together } = info.threshold;
  const feedback = options.feedback ? await scoreFeedback(options, test?.ids ?? []) : undefined;
  if (feedback && policies.length === 0) throw noPolicy();
  const chosen = policies.map((policy) =>
    choose(policy, info.normalScores, { test, feedback, run, series, origin: { folds, together } }),
  );
  const { alarms: _, ...before } = info.threshold;
  const bare = chosen.length === 0 ? before : joined(chosen, info.normalScores);
  const made = series ? withAlarms(bare, series) : bare;
  const written = write && (chosen.length > 0 || options.alarms) ? artifactFiles(run).json : null;
  if (written) {
    const lock = isRun ? await lockFolder(run) : undefined;
    try {
      await writeJson(written, { ...info, threshold: made, ...(series && { series }) });
    } finally {
      await lock?.release();
    }
  }
  const onTest = (report: ThresholdReport) => (test ? withTest(report, test.scores, test.labels) : report);
  return { run, threshold: onTest(made), before: onTest(info.threshold), written };
}

const noPolicy = () =>
  new ConfigError(
    'threshold-policies',
    say`A threshold from feedback needs a rule, such as ${option('fpr', 0.01)} or ${option('missRate', 0.05)}.`,
  );

/** One threshold, or two with a band between them: what keeps the misses low is the lower one, else what is smaller. */
function joined(chosen: readonly Chosen[], normalScores: readonly number[]): ThresholdReport {
  const [lower, upper] = [...chosen].sort((a, b) => rank(a) - rank(b) || a.found.threshold! - b.found.threshold!);
  if (!upper) return lower.report;
  const { low, high, sawLabels, reason } = reviewBand(lower.found, upper.found);
  const rule = `${upper.report.rule}, with review from ${lower.report.rule}`;
  const report: ThresholdReport = { ...upper.report, rule, sawTest: sawLabels, reason };
  return low < high ? withReview(report, normalScores, low) : report;
}

const rank = ({ found }: Chosen) => (found.rule === 'miss-rate' ? 0 : 1);

/** A threshold as the metrics give it, and as it is kept. */
interface Chosen {
  readonly found: Threshold;
  readonly report: ThresholdReport;
}

function choose(
  policy: ThresholdPolicy,
  normalScores: readonly number[],
  {
    test,
    feedback,
    run,
    series,
    origin,
  }: {
    readonly test?: TestScores;
    readonly feedback?: ScoredFeedback;
    readonly run: string;
    readonly series?: SeriesReading;
    readonly origin: NormalsOrigin;
  },
): Chosen {
  if (policy.by === 'alarm-rate') {
    if (feedback) throw notOfSteps(run);
    const report = calibrateAlarms(policy, series, origin);
    if (report.value === null)
      throw new DataError('no-threshold', `${run} gives no threshold by ${report.rule}. ${report.reason}`);
    return { found: thresholdByValue(report.value), report };
  }
  if (feedback) return chooseWith(feedback, policy, normalScores, { run, series, origin });
  const { found, rule } = find(policy, normalScores, test, run);
  const { threshold: value, sawLabels: sawTest, reason } = found;
  if (value === null) throw new DataError('no-threshold', `${run} gives no threshold by ${rule}. ${reason}`);
  if (policy.by === 'false-alarm-rate') return { found, report: calibrate(normalScores, policy.rate, origin) };
  const report = describeThreshold(normalScores, value, { rule, sawTest, ...given(origin) });
  return { found, report: { ...report, reason: reason ?? report.reason } };
}

/** A threshold in which what people said takes part, and how much of it. */
function chooseWith(
  feedback: ScoredFeedback,
  policy: Exclude<ThresholdPolicy, { readonly by: 'alarm-rate' }>,
  normalScores: readonly number[],
  { run, series, origin }: { readonly run: string; readonly series?: SeriesReading; readonly origin: NormalsOrigin },
): Chosen {
  const { normal, anomalous } = feedback;
  const counts = { normal: normal.length, anomalous: anomalous.length };
  if (policy.by === 'false-alarm-rate') {
    // A segment's highest score is no score of a step.
    if (series) throw notOfSteps(run);
    if (normal.length === 0) throw noneOf('normal', run);
    const all = [...normalScores, ...normal];
    const made = calibrate(all, policy.rate, origin);
    if (made.value === null)
      throw new DataError('no-threshold', `${run} gives no threshold by ${made.rule}. ${made.reason}`);
    const caveat = `People judge what stands out: the ${normal.length} normals from feedback are no fair sample, and the rate is rather lower than counted.`;
    const rule = `${made.rule} and ${normal.length} from feedback`;
    const reason = made.reason === null ? caveat : `${made.reason} ${caveat}`;
    return { found: thresholdByValue(made.value), report: { ...made, rule, reason, feedback: counts } };
  }
  const own = series ? [] : normalScores;
  const scores = Float64Array.from([...own, ...normal, ...anomalous]);
  const labels = Uint8Array.from(scores, (_, i) => Number(i >= own.length + normal.length));
  const on = `on ${counts.normal} normal and ${counts.anomalous} anomalous items from feedback${own.length > 0 ? ` and ${own.length} held-out normals` : ''}`;
  if (policy.by !== 'value' && anomalous.length === 0) throw noneOf('anomalous', run);
  const { found, rule } = fromLabels(policy, { scores, labels }, on);
  const { threshold: value, reason } = found;
  if (value === null) throw new DataError('no-threshold', `${run} gives no threshold by ${rule}. ${reason}`);
  const how = { rule, sawTest: feedback.sawTest, ...given(origin) };
  const report = describeThreshold(normalScores, value, how);
  return { found, report: { ...report, reason: reason ?? report.reason, feedback: counts } };
}

const noneOf = (label: string, run: string) =>
  new DataError(
    'no-feedback',
    say`This rule needs ${label} items in the feedback on ${run} that the detector did not train on, but there are none.
      Say what some are with ${action('feedback')}, or choose another rule.`,
  );

const notOfSteps = (run: string) =>
  new ConfigError(
    'feedback-steps',
    say`Feedback on steps of series cannot tell how often normal steps alarm, because the steps of ${run} that people name
      are a choice. Leave ${option('feedback')} out, or use a rule from labels such as ${option('missRate', 0.05)}.`,
  );

/** Without what is undefined. */
const given = ({ folds, together }: NormalsOrigin): NormalsOrigin => ({
  ...(folds !== undefined && { folds }),
  ...(together !== undefined && { together }),
});

function find(
  policy: Exclude<ThresholdPolicy, { readonly by: 'alarm-rate' }>,
  normalScores: readonly number[],
  test: TestScores | undefined,
  run: string,
): { found: Threshold; rule: string } {
  if (policy.by === 'false-alarm-rate')
    return { found: thresholdForFalseAlarms(normalScores, policy.rate), rule: 'false-positive rate' };
  if (policy.by === 'value') return byHand(policy);
  if (!test) {
    throw new DataError(
      'no-labels',
      `A threshold from labels needs the folder of a run with a labelled test part; ${run} has none. ` +
        'Choose one by false-positive rate or by value.',
    );
  }
  return fromLabels(policy, test, 'on the labelled test part');
}

const byHand = ({ value, sawTest }: Extract<ThresholdPolicy, { readonly by: 'value' }>) => ({
  found: thresholdByValue(value, sawTest),
  rule: sawTest ? 'a value set by hand while looking at the test set' : 'a value set by hand',
});

function fromLabels(
  policy: Exclude<ThresholdPolicy, { readonly by: 'alarm-rate' | 'false-alarm-rate' }>,
  { scores, labels }: Pick<TestScores, 'scores' | 'labels'>,
  on: string,
): { found: Threshold; rule: string } {
  switch (policy.by) {
    case 'value':
      return byHand(policy);
    case 'miss-rate':
      return { found: thresholdForMissRate(scores, labels, policy.rate), rule: `a miss rate of ${policy.rate} ${on}` };
    case 'f-beta':
      return { found: thresholdForFBeta(scores, labels, policy.beta), rule: `the best F-beta (${policy.beta}) ${on}` };
    case 'cost': {
      const { falseAlarm, miss, prevalence } = policy;
      const share = prevalence === undefined ? '' : `, ${Number((100 * prevalence).toPrecision(6))} % anomalous`;
      const rule = `the least cost (false alarm ${falseAlarm}, miss ${miss}${share}) ${on}`;
      return { found: thresholdForCost(scores, labels, { falseAlarm, miss, prevalence }), rule };
    }
  }
}
