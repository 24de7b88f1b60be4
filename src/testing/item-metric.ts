/** What a metric of items promises. */
import { Rng } from '../core/random.ts';
import { type ItemGiven, type ItemMetric, itemIntervals, measureItems } from '../metrics/index.ts';
import { type Check, checkValue, increasing, must, mustEqual, type Outcome } from './promises.ts';

/** Everything that a metric of items can need. */
interface Items extends ItemGiven {
  readonly scores: Float64Array;
  readonly labels: Uint8Array;
  readonly heldOut: Uint8Array;
  readonly clips: Uint8Array;
}

/** `n` items on 64 levels, so that scores tie; a third of them anomalous unless all have one label. */
function someItems(seed: number, n: number, label?: 0 | 1): Items {
  const rng = new Rng(seed);
  const labels = Uint8Array.from({ length: n }, (_, i) => label ?? (i % 3 === 0 ? 1 : 0));
  const scores = Float64Array.from(labels, (y) => (rng.int(48) + 16 * y) / 64);
  return {
    scores,
    labels,
    heldOut: labels.map((y, i) => y & (i >> 1) & 1),
    clips: labels.map((_, i) => i % 4),
    share: 1 / 3,
    threshold: 0.5,
  };
}

/** The checks of a metric of items. */
export function itemChecks(metric: ItemMetric): Check[] {
  const items = () => someItems(1, 90); // anew for each check: one that changes them must not hide from the next
  return [
    { name: 'values lie in its range', run: () => checkRange(metric) },
    {
      name: 'the order of items changes nothing',
      run: () =>
        mustEqual(metric, measure(metric, items()), measure(metric, shuffled(items())), 'Another order of the items'),
    },
    { name: 'what it is given stays as it is, and the same gives the same', run: () => checkPurity(metric, items()) },
    {
      name: 'items of one label, or none, give a value in the range or null and why',
      run: () => checkOneLabel(metric),
    },
    { name: 'a score that is NaN gives null and why, or is refused', run: () => checkNotANumber(metric, items()) },
    ...(metric.isOrdinal
      ? [{ name: 'strictly increasing maps of the scores change nothing', run: () => checkOrdinal(metric, items()) }]
      : []),
    ...(metric.interval
      ? [{ name: 'it has a bootstrap interval within its range', run: () => checkInterval(metric, items()) }]
      : []),
  ];
}

function measure(metric: ItemMetric, items: ItemGiven): Outcome {
  const { values, reasons } = measureItems(items, [metric]);
  return { value: values[metric.name] ?? null, reason: reasons[metric.name] };
}

function shuffled({ scores, labels, heldOut, clips, ...rest }: Items): Items {
  const order = new Rng(2).permutation(labels.length);
  return {
    ...rest,
    scores: Float64Array.from(order, (i) => scores[i]),
    labels: Uint8Array.from(order, (i) => labels[i]),
    heldOut: Uint8Array.from(order, (i) => heldOut[i]),
    clips: Uint8Array.from(order, (i) => clips[i]),
  };
}

function checkRange(metric: ItemMetric): void {
  for (let seed = 1; seed <= 20; seed++) {
    const outcome = measure(metric, someItems(seed, 6 + 3 * seed));
    checkValue(metric, outcome, 'normal and anomalous items');
    must(outcome.value !== null, `${metric.name} must have a value for items of both labels. ${outcome.reason}`);
  }
  const items = someItems(1, 30);
  checkValue(metric, measure(metric, { ...items, scores: items.scores.map(() => 0.5) }), 'a constant score');
}

function checkPurity(metric: ItemMetric, items: Items): void {
  const asText = () => JSON.stringify([[...items.scores], [...items.labels], [...items.heldOut]]);
  const before = asText();
  const { value } = measure(metric, items);
  must(asText() === before, `${metric.name} must not change the scores, labels or classes that it is given.`);
  must(value === measure(metric, items).value, `${metric.name} must give the same value for the same items.`);
}

function checkOneLabel(metric: ItemMetric): void {
  for (const [what, few] of [
    ['normal items only', someItems(3, 12, 0)],
    ['anomalous items only', someItems(3, 12, 1)],
    ['no items', someItems(3, 0)],
  ] as const)
    checkValue(metric, measure(metric, few), what);
}

function checkNotANumber(metric: ItemMetric, items: Items): void {
  let outcome: Outcome;
  try {
    outcome = measure(metric, { ...items, scores: items.scores.map((v, i) => (i === 4 ? Number.NaN : v)) });
  } catch (error) {
    must(error instanceof Error && error.message !== '', `${metric.name} must refuse NaN with a sentence.`);
    return;
  }
  checkValue(metric, outcome, 'a score that is NaN');
}

function checkOrdinal(metric: ItemMetric, items: Items): void {
  const { threshold, ...rest } = items; // another scale has another threshold
  for (const [what, change] of increasing) {
    const changed = { ...rest, scores: items.scores.map(change), threshold: change(threshold!) };
    mustEqual(metric, measure(metric, items), measure(metric, changed), what);
  }
}

function checkInterval(metric: ItemMetric, items: Items): void {
  const { [metric.name]: interval } = itemIntervals(items, { seed: 1, rounds: 50 }, [metric]);
  must(!!interval, `${metric.name} must have an interval for items of both labels.`);
  for (const value of interval!) checkValue(metric, { value }, 'an end of its interval');
}
