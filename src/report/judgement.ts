/** What the tables of a report say, computed from scores and labels alone. */
import { clopperPearson, headlineMetrics, measureItems, thresholdForFalseAlarms } from '../metrics/index.ts';
import type { ReportItem, ReportThreshold } from './data.ts';

const [lead] = headlineMetrics;

/** A share with its count and its 95 % interval (Clopper–Pearson). */
export interface Share {
  readonly count: number;
  readonly total: number;
  /** Null when `total` is 0. */
  readonly share: number | null;
  readonly interval: readonly [number, number];
}

/** What a threshold does to the test part. */
export interface Decisions {
  readonly hits: number;
  readonly misses: number;
  readonly falseAlarms: number;
  readonly passes: number;
  /** Of the anomalous items, those that alarm. */
  readonly recall: Share;
  /** Of the normal items, those that alarm. */
  readonly falseAlarmRate: Share;
  /** Of the alarms, those that are right; it depends on the share of anomalies in the test part. */
  readonly precision: Share;
}

/** One kind of item. */
export interface TypeRow {
  readonly type: string;
  readonly label: 0 | 1;
  readonly count: number;
  /** The first headline metric of this type against all normal test items; null for normal types or without normals. */
  readonly value: number | null;
  /** Share that alarms: recall for a defect, false-alarm rate for a normal type; undefined without a threshold. */
  readonly alarms?: Share;
}

/** Positions of items worth looking at, the most telling first. */
export interface Chosen {
  /** Anomalous items with the lowest scores. */
  readonly misses: readonly number[];
  /** Normal items with the highest scores. */
  readonly falseAlarms: readonly number[];
  /** Anomalous items with the highest scores. */
  readonly hits: readonly number[];
}

function shareOf(count: number, total: number): Share {
  return { count, total, share: total > 0 ? count / total : null, interval: clopperPearson(count, total) };
}

/** Counts the decisions of a threshold: anomalous when the score is >= it. */
export function decide(items: readonly ReportItem[], threshold: number): Decisions {
  let [hits, misses, falseAlarms, passes] = [0, 0, 0, 0];
  for (const { label, score } of items) {
    if (score >= threshold) label ? hits++ : falseAlarms++;
    else label ? misses++ : passes++;
  }
  return {
    hits,
    misses,
    falseAlarms,
    passes,
    recall: shareOf(hits, hits + misses),
    falseAlarmRate: shareOf(falseAlarms, falseAlarms + passes),
    precision: shareOf(hits, hits + falseAlarms),
  };
}

/** A row per type, anomalous types first, the hardest of them on top. */
export function byType(items: readonly ReportItem[], threshold: number | null): TypeRow[] {
  const groups = new Map<string, ReportItem[]>();
  for (const item of items) {
    const key = `${item.label} ${item.type}`;
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  const normals = items.filter((i) => i.label === 0).map((i) => i.score);
  const rows = [...groups.values()].map((group): TypeRow => {
    const [{ type, label }] = group;
    const own = group.map((i) => i.score);
    const labels = [...normals.map(() => 0), ...own.map(() => 1)];
    const measure = () => measureItems({ scores: [...normals, ...own], labels }, [lead]).values[lead.name] ?? null;
    return {
      type,
      label,
      count: group.length,
      value: label === 1 ? measure() : null,
      ...(threshold !== null && { alarms: shareOf(own.filter((s) => s >= threshold).length, group.length) }),
    };
  });
  const order = (a: TypeRow, b: TypeRow) =>
    b.label - a.label ||
    (a.value ?? 2) - (b.value ?? 2) ||
    (a.alarms?.share ?? 0) - (b.alarms?.share ?? 0) ||
    (a.type < b.type ? -1 : 1);
  return rows.sort(order);
}

/** What thresholds for other false-alarm rates, from the held-out normals only, would do to the test part. */
export function otherThresholds(
  normalScores: readonly number[],
  items: readonly ReportItem[],
  rates: readonly number[],
  { folds, together }: Pick<ReportThreshold, 'folds' | 'together'> = {},
) {
  return rates.flatMap((rate) => {
    const { threshold, reason, rateInterval } = thresholdForFalseAlarms(normalScores, rate, {
      isCrossFitted: folds !== undefined,
      together,
    });
    if (threshold === null) return [];
    return [{ rate, threshold, rateInterval, guaranteed: reason === null, ...decide(items, threshold) }];
  });
}

/** The worst misses, the worst false alarms and the plainest hits, at most so many of each. */
export function chooseItems(items: readonly ReportItem[], most = { misses: 6, falseAlarms: 6, hits: 3 }): Chosen {
  const rising = items.map((_, i) => i).sort((a, b) => items[a].score - items[b].score || a - b);
  const anomalous = rising.filter((i) => items[i].label === 1);
  const normal = rising.filter((i) => items[i].label === 0);
  const misses = anomalous.slice(0, most.misses);
  return {
    misses,
    falseAlarms: normal.reverse().slice(0, most.falseAlarms),
    hits: anomalous.slice(misses.length).reverse().slice(0, most.hits),
  };
}
