/** A choice of thresholds as somebody would type it. */
import { type OptionReference, option } from '../../core/text.ts';
import type { ThresholdPolicy } from '../../runs/index.ts';

/** The options of a choice of thresholds. */
export function thresholdOptions(
  policies: readonly ThresholdPolicy[],
  { feedback, write }: { readonly feedback?: boolean; readonly write?: boolean },
): OptionReference[] {
  const rates = policies.flatMap((policy) => (policy.by === 'false-alarm-rate' ? [policy.rate] : []));
  const values = policies.flatMap((policy) => (policy.by === 'value' ? [policy.value] : [])).sort((a, b) => a - b);
  const others = policies.flatMap((policy) => {
    switch (policy.by) {
      case 'alarm-rate':
        return [option(policy.per === 'day' ? 'alarmsPerDay' : 'alarmsPer-1000', policy.rate)];
      case 'miss-rate':
        return [option('missRate', policy.rate)];
      case 'f-beta':
        return [option('fBeta', policy.beta)];
      case 'cost': {
        const { falseAlarm: fa, miss, prevalence } = policy;
        return [option('cost', { fa, miss, ...(prevalence !== undefined && { prevalence }) })];
      }
      default:
        return [];
    }
  });
  return [
    ...(rates.length > 0 ? [option('fpr', rates)] : []),
    ...others,
    ...(values.length === 1 ? [option('value', values[0])] : values.length > 1 ? [option('review', values)] : []),
    ...(policies.some((policy) => policy.by === 'value' && policy.sawTest) ? [option('sawTest', true)] : []),
    ...(feedback ? [option('feedback', true)] : []),
    ...(write ? [option('write', true)] : []),
  ];
}
