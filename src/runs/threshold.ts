/**
 * A run's threshold, chosen again: from the scores of held-out normals in its artefact, or from the labels of its test
 * part, which is then said wherever the threshold is shown. Node only.
 */
import type { AlarmRule } from '../core/alarms.ts';
import { ConfigError, DataError } from '../core/errors.ts';
import { option, say } from '../core/text.ts';
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
import { artifactFiles, readArtifact } from './artifact.ts';
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
  | { readonly by: 'cost'; readonly falseAlarm: number; readonly miss: number }
  | { readonly by: 'value'; readonly value: number };

/** Options of `threshold`. */
export interface ThresholdOptions {
  /** A run's folder; an artefact's folder or `model.onnx` for policies without labels. */
  run: string;
  /** None: the threshold as it is. One: the threshold. Two: the higher one, and a review band from the lower one on. */
  policies?: readonly ThresholdPolicy[];
  /** Of series: how steps become alarms; default as trained. */
  alarms?: AlarmRule;
  /** Put it into `model.json`, for `predict` and `test`; default false. */
  write?: boolean;
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
  const chosen = policies.map((policy) =>
    choose(policy, info.normalScores, { test, run, series, origin: { folds, together } }),
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
    run,
    series,
    origin,
  }: {
    readonly test?: TestScores;
    readonly run: string;
    readonly series?: SeriesReading;
    readonly origin: NormalsOrigin;
  },
): Chosen {
  if (policy.by === 'alarm-rate') {
    const report = calibrateAlarms(policy, series, origin);
    if (report.value === null)
      throw new DataError('no-threshold', `${run} gives no threshold by ${report.rule}. ${report.reason}`);
    return { found: thresholdByValue(report.value), report };
  }
  const { found, rule } = find(policy, normalScores, test, run);
  const { threshold: value, sawLabels: sawTest, reason } = found;
  if (value === null) throw new DataError('no-threshold', `${run} gives no threshold by ${rule}. ${reason}`);
  if (policy.by === 'false-alarm-rate') return { found, report: calibrate(normalScores, policy.rate, origin) };
  const report = describeThreshold(normalScores, value, { rule, sawTest, ...given(origin) });
  return { found, report: { ...report, reason: reason ?? report.reason } };
}

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
  if (policy.by === 'value') return { found: thresholdByValue(policy.value), rule: 'a value set by hand' };
  if (!test) {
    throw new DataError(
      'no-labels',
      `A threshold from labels needs the folder of a run with a labelled test part; ${run} has none. ` +
        'Choose one by false-positive rate or by value.',
    );
  }
  const { scores, labels } = test;
  const on = 'on the labelled test part';
  switch (policy.by) {
    case 'miss-rate':
      return { found: thresholdForMissRate(scores, labels, policy.rate), rule: `a miss rate of ${policy.rate} ${on}` };
    case 'f-beta':
      return { found: thresholdForFBeta(scores, labels, policy.beta), rule: `the best F-beta (${policy.beta}) ${on}` };
    case 'cost': {
      const { falseAlarm, miss } = policy;
      const rule = `the least cost (false alarm ${falseAlarm}, miss ${miss}) ${on}`;
      return { found: thresholdForCost(scores, labels, { falseAlarm, miss }), rule };
    }
  }
}
