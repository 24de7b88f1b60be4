/** `oddity threshold <run>`: what the threshold of a trained model is, and another one by another rule. */
import type { Command } from 'commander';
import { ConfigError } from '../../core/errors.ts';
import { act } from '../act.ts';
import { engine, type ThresholdPolicy, type ThresholdReport } from '../engine.ts';
import { type AlarmOptions, addAlarmFlags, addSpeech, alarmRuleOf, between, commaList, number } from '../options.ts';
import { table } from '../render.ts';
import { alarmRateText, chosenBy, forecastText, percent, sawTestBanner } from '../report.ts';

interface Options extends AlarmOptions {
  readonly alarmsPerDay?: number;
  readonly alarmsPer1000?: number;
  readonly fpr?: number[];
  readonly missRate?: number;
  readonly fBeta?: number;
  readonly cost?: { falseAlarm: number; miss: number; prevalence?: number };
  readonly value?: number;
  readonly review?: number[];
  readonly sawTest?: boolean;
  readonly feedback?: boolean;
  readonly write?: boolean;
}

export function addThreshold(command: Command): void {
  command
    .argument('<run>', 'a run folder, or an exported model where no labels are needed')
    .optionsGroup('From held-out normals:')
    .option(
      '--fpr <share>',
      'wanted false-positive rate (false alarms); two, such as 0.001,0.05, make a review band',
      shares('--fpr'),
    )
    .option('--alarms-per-day <n>', 'of series: wanted false alarms a day', number('--alarms-per-day'))
    .option('--alarms-per-1000 <n>', 'of series: wanted false alarms in 1,000 steps', number('--alarms-per-1000'))
    .optionsGroup(
      'From the labels of the test set, so it can no longer evaluate it (with --feedback from those of people):',
    )
    .option('--miss-rate <share>', 'wanted share of missed anomalies', between('--miss-rate', 0, 1))
    .option('--f-beta <beta>', 'the best F-beta; recall counts beta times as much as precision', number('--f-beta'))
    .option('--cost <fa=n,miss=n>', 'the least cost: fa=1,miss=10, or fa=1,miss=10,prevalence=0.01', costs)
    .optionsGroup('By hand:')
    .option('--value <score>', 'this score and all above are anomalous', number('--value'))
    .option('--review <low,high>', 'low to high: manual review; above high: anomalous', band)
    .option('--saw-test', 'they were chosen by looking at scores of the test set, which is then said')
    .optionsGroup('Alarms of series:');
  addAlarmFlags(command, 'as trained');
  command
    .optionsGroup('What people said:')
    .option(
      '--feedback',
      'count the items that people judged (oddity feedback): normals with --fpr, and labels in place of the test set',
    )
    .optionsGroup('What becomes of it:')
    .option('--write', 'put it into model.json, for predict and test (default: only show it)');
  addSpeech(command);
  act(command, async (terminal, options: Options, run: string) => {
    const policies = policiesOf(options);
    const alarms = alarmRuleOf(options);
    if (options.write && policies.length === 0 && !alarms) {
      throw new ConfigError('threshold-policies', '--write needs a rule, for example --fpr 0.01.');
    }
    const { feedback, write } = options;
    const { listener: onEvent, signal } = terminal;
    const result = await (await engine()).threshold({ run, policies, alarms, feedback, write, onEvent, signal });
    const { threshold, before, written } = result;
    const warning = threshold.sawTest ? sawTestBanner : null;
    const parts = [
      ...(warning ? [warning] : []),
      factsOf(threshold),
      ...(threshold.reason ? [threshold.reason] : []),
      ...(policies.length > 0 ? [`before: ${before.value?.toPrecision(5) ?? 'none'}, ${chosenBy(before.rule)}`] : []),
      ...(written
        ? [`written to ${written}; the page shows it after: oddity report ${run}`]
        : policies.length > 0 || alarms
          ? ['Nothing was changed; --write keeps it.']
          : []),
    ];
    terminal.answer({ ...result, warning }, parts.join('\n\n'));
  });
}

function policiesOf({
  fpr = [],
  alarmsPerDay,
  alarmsPer1000,
  missRate,
  fBeta,
  cost,
  value,
  review = [],
  sawTest,
}: Options): ThresholdPolicy[] {
  if (sawTest && value === undefined && review.length === 0)
    throw new ConfigError('threshold-policies', '--saw-test is about scores that are given with --value or --review.');
  const seen = sawTest ? { sawTest } : {};
  return [
    ...fpr.map((rate): ThresholdPolicy => ({ by: 'false-alarm-rate', rate })),
    ...(alarmsPerDay === undefined ? [] : [{ by: 'alarm-rate', rate: alarmsPerDay, per: 'day' } as const]),
    ...(alarmsPer1000 === undefined ? [] : [{ by: 'alarm-rate', rate: alarmsPer1000, per: '1000 steps' } as const]),
    ...(missRate === undefined ? [] : [{ by: 'miss-rate', rate: missRate } as const]),
    ...(fBeta === undefined ? [] : [{ by: 'f-beta', beta: fBeta } as const]),
    ...(cost === undefined ? [] : [{ by: 'cost', ...cost } as const]),
    ...(value === undefined ? [] : [{ by: 'value', value, ...seen } as const]),
    ...review.map((bound): ThresholdPolicy => ({ by: 'value', value: bound, ...seen })),
  ];
}

function factsOf(threshold: ThresholdReport): string {
  const { value, rule, normals, folds, empiricalRate, interval, review, ...test } = threshold;
  const between = ([low, high]: readonly [number, number]) => `95 %: ${percent(low)} … ${percent(high)}`;
  const share = (rate: number | null, range: readonly [number, number]) =>
    rate === null
      ? 'not known'
      : `${percent(rate)} of ${normals} ${folds === undefined ? 'held-out normals' : `normals in ${folds} folds`} (${between(range)})`;
  const rows = [
    ['threshold', value === null ? 'none' : String(value)],
    ['rule', rule],
    ['false alarms', share(empiricalRate, interval)],
  ];
  const expected = forecastText(threshold);
  if (threshold.feedback) {
    const { normal, anomalous } = threshold.feedback;
    rows.push(['feedback', `${normal} normal and ${anomalous} anomalous items`]);
  }
  if (threshold.alarms)
    rows.push([threshold.alarms.per === 'day' ? 'a day' : 'in 1,000 steps', alarmRateText(threshold.alarms)]);
  if (expected !== undefined) rows.push(['expect', `${expected} to reach it`]);
  const { testFalseAlarmRate: alarms, testRecall: found } = test;
  if (alarms !== undefined) rows.push(['', `${percent(alarms)} of the test normals`]);
  if (found !== undefined) rows.push(['found', `${percent(found)} of the test anomalies`]);
  if (review) {
    rows.push(['review from', String(review.from)], ['to review', share(review.empiricalRate, review.interval)]);
    if (review.testNormals !== undefined) rows.push(['', `${percent(review.testNormals)} of the test normals`]);
    if (review.testAnomalies !== undefined) rows.push(['', `${percent(review.testAnomalies)} of the test anomalies`]);
  }
  return table([], rows);
}

/** One or two shares between 0 and 1. */
function shares(flag: string) {
  return (text: string): number[] => {
    const list = commaList(text).map(between(flag, 0, 1));
    if (list.length <= 2) return list;
    throw new ConfigError('option-range', `${flag} takes one or two shares, got "${text}".`);
  };
}

function costs(text: string): NonNullable<Options['cost']> {
  const found = /^fa=([^,]+),miss=([^,]+)(?:,prevalence=([^,]+))?$/.exec(text.replace(/\s/g, ''));
  if (!found)
    throw new ConfigError('option-range', `--cost takes fa=number,miss=number[,prevalence=share], got "${text}".`);
  const [falseAlarm, miss] = found.slice(1, 3).map(number('--cost'));
  return { falseAlarm, miss, ...(found[3] !== undefined && { prevalence: between('--cost', 0, 1)(found[3]) }) };
}

function band(text: string): number[] {
  const list = commaList(text).map(number('--review'));
  if (list.length === 2 && list[0] < list[1]) return list;
  throw new ConfigError('option-range', `--review takes two scores, the lower one first; got "${text}".`);
}
