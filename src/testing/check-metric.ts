/**
 * What every metric promises, as checks for any test runner: `for (const { name, run } of checkMetric(mine)) test(name, run)`.
 * Data are made from fixed seeds.
 */
import type { Metric } from '../metrics/index.ts';
import { itemChecks } from './item-metric.ts';
import { mapChecks } from './map-metric.ts';
import { type Check, isInside, must } from './promises.ts';
import { seriesChecks } from './series-metric.ts';

export type { Check } from './promises.ts';

/**
 * The checks of a metric: its values lie in its range, it is null with a reason where it is undefined, it changes nothing
 * that it is given, the order of items or maps does not matter, and what else it claims holds.
 */
export function checkMetric(metric: Metric): Check[] {
  return [{ name: 'its words and its range are whole', run: () => checkDescription(metric) }, ...checksOf(metric)];
}

function checksOf(metric: Metric): Check[] {
  if (metric.level === 'item') return itemChecks(metric);
  return metric.level === 'map' ? mapChecks(metric) : seriesChecks(metric);
}

function checkDescription({ name, title, short, meaning, range, chance }: Metric): void {
  must(/^[a-z][a-zA-Z0-9]*$/.test(name), `The name must be in camel case, got "${name}".`);
  for (const [what, text] of Object.entries({ title, short, meaning })) {
    must(text === undefined || text.trim() === text, `The ${what} must not begin or end with a space.`);
    must(text !== '', `The ${what} must not be empty.`);
  }
  must(!meaning.endsWith('.'), `The meaning is a phrase and must end without a full stop, got "${meaning}".`);
  must(range[0] < range[1], `The range must run from its least to its largest value, got ${range.join(' to ')}.`);
  must(
    typeof chance !== 'number' || isInside(chance, range),
    `What random scores get must lie in the range, got ${chance}.`,
  );
}
