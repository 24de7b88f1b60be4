/** What is said of the alarms of a detector of series: the rule that it makes them by, how severe they are and which channels made them. */
import type * as z from 'zod';
import {
  type AlarmChannel,
  type AlarmRule,
  type AlarmSpan,
  alarmRule,
  type EndedAlarm,
  severityOf,
} from '../../core/alarms.ts';
import type { TableEncoding } from '../../data/pure.ts';
import { series as kind } from '../../kinds/index.ts';
import type { ArtifactInfo } from './artifact.ts';

/** The rule of a detector that looks at windows of so many steps: alarms at most a window apart are one, unless it says otherwise. */
export const ruleFor = (window: number, given: AlarmRule = {}): z.output<typeof alarmRule> =>
  alarmRule.parse({ ...given, gap: given.gap ?? window });

/** The median of ascending normal scores; undefined where there are none. */
export const medianOf = (normalScores: readonly number[]): number | undefined => normalScores[normalScores.length >> 1];

/** How severe a peak is; nothing where it cannot be said. */
export function severityIn(
  { threshold, normalScores }: Pick<ArtifactInfo, 'threshold' | 'normalScores'>,
  peak: number,
) {
  const median = medianOf(normalScores);
  if (threshold.value === null || median === undefined) return {};
  return severityOf(peak, { threshold: threshold.value, median }) ?? {};
}

/** Channels with less of the score than this are not named. */
const LEAST_SHARE = 0.01;

/** What is known of a step. */
export interface SeenStep {
  /** `[L, D]`, of the window through which it is seen. */
  readonly map: Float32Array;
  readonly shape: readonly number[];
  readonly encoding: TableEncoding | undefined;
  /** Its values, in their own units. */
  readonly actual: ArrayLike<number>;
  /** What the detector has in their place, in their own units. */
  readonly expected?: ArrayLike<number>;
}

/** The channels that stand out at a step, the first most. */
export function channelsAt({ map, shape, encoding, actual, expected }: SeenStep): AlarmChannel[] {
  if (!encoding) return [];
  const names = encoding.columns.map(({ name }) => name);
  const { columns = [] } = kind.locate(map, { shape: shape as never, mapThreshold: null, encoding });
  return columns
    .filter(({ share }) => share > LEAST_SHARE)
    .map(({ name, share, usual }) => {
      const c = names.indexOf(name);
      const wanted = expected?.[c] ?? Number.NaN;
      return {
        name,
        share,
        actual: rounded(actual[c]),
        ...(typeof usual?.[0] === 'number' && { usual: usual as readonly [number, number] }),
        ...(!Number.isNaN(wanted) && { expected: rounded(wanted) }),
      };
    });
}

const rounded = (value: number) => Number(value.toPrecision(6));

/** An alarm with what is said of its peak. */
export function alarmWith(
  span: AlarmSpan & { readonly end: number },
  info: Pick<ArtifactInfo, 'threshold' | 'normalScores'>,
  channels: readonly AlarmChannel[],
): EndedAlarm {
  return { ...span, ...severityIn(info, span.peak.score), channels };
}
