/** What a metric of anomaly maps promises. */
import { Rng } from '../core/random.ts';
import { type MapInput, type MapMeasure, type MapMetric, measureMaps } from '../metrics/index.ts';
import { type Check, checkValue, increasing, must, mustEqual, type Outcome } from './promises.ts';

const THRESHOLD = 0.6;

/** Maps on 64 levels, three of four with one or two rectangular regions that are raised; all normal or anomalous on demand. */
function someMaps(seed: number, count: number, label?: 0 | 1): MapInput[] {
  const rng = new Rng(seed);
  return Array.from({ length: count }, (_, n): MapInput => {
    const [height, width] = [12, 12 + (n % 3)];
    const isInside = (i: number) => {
      const [y, x] = [Math.floor(i / width), i % width];
      return (n % 4 > 0 && y > 1 && y < 5 && x > 2 && x < 6 + (n % 4)) || (n % 4 > 1 && y > 7 && x < 2);
    };
    const mask = Uint8Array.from({ length: height * width }, (_, i) => label ?? (isInside(i) ? 1 : 0));
    const map = Float32Array.from(mask, (m) => (rng.int(48) + 16 * m) / 64);
    return { map, mask, height, width };
  });
}

/** The checks of a metric of maps. */
export function mapChecks(metric: MapMetric): Check[] {
  const maps = () => someMaps(1, 6); // anew for each check: one that changes them must not hide from the next
  return [
    { name: 'values lie in its range', run: () => checkRange(metric) },
    {
      name: 'the order of maps changes nothing',
      run: () => mustEqual(metric, measure(metric, maps()), measure(metric, maps().reverse()), 'Another order of maps'),
    },
    { name: 'a result between two maps changes nothing', run: () => checkResults(metric, maps()) },
    { name: 'two accumulators know nothing of each other', run: () => checkApart(metric, maps()) },
    { name: 'what it is given stays as it is', run: () => checkPurity(metric, maps()) },
    { name: 'normal pixels that do not count change nothing', run: () => checkCounted(metric, maps()) },
    {
      name: 'maps of one kind, NaN and no maps give a value in the range or null and why',
      run: () => checkEdges(metric),
    },
    ...(metric.needs?.includes('threshold')
      ? [{ name: 'without a threshold it is null and says so', run: () => checkNoThreshold(metric, maps()) }]
      : []),
    ...(metric.isOrdinal
      ? [{ name: 'strictly increasing maps of the pixels change nothing', run: () => checkOrdinal(metric, maps()) }]
      : []),
  ];
}

const begin = (metric: MapMetric, threshold: number | null = THRESHOLD) => measureMaps({ threshold }, [metric]);

function outcomeOf({ name }: MapMetric, maps: MapMeasure): Outcome {
  const { values, reasons } = maps.result();
  return { value: values[name] ?? null, reason: reasons[name] };
}

function measure(metric: MapMetric, maps: readonly MapInput[], threshold?: number | null): Outcome {
  const gathering = begin(metric, threshold);
  for (const map of maps) gathering.add(map);
  return outcomeOf(metric, gathering);
}

function checkRange(metric: MapMetric): void {
  for (let seed = 1; seed <= 8; seed++) {
    const outcome = measure(metric, someMaps(seed, 2 + seed));
    checkValue(metric, outcome, 'maps with normal and anomalous pixels');
    must(
      outcome.value !== null || (metric.needsManyPixels === true && !!outcome.reason),
      `${metric.name} must have a value for maps with masks. ${outcome.reason}`,
    );
  }
}

function checkResults(metric: MapMetric, maps: readonly MapInput[]): void {
  const gathering = begin(metric);
  for (const map of maps) {
    gathering.add(map);
    gathering.result();
  }
  mustEqual(metric, measure(metric, maps), outcomeOf(metric, gathering), 'Asking for the result after each map');
}

function checkApart(metric: MapMetric, maps: readonly MapInput[]): void {
  const alone = measure(metric, maps);
  const [one, other] = [begin(metric), begin(metric)];
  for (const input of maps) {
    one.add(input);
    other.add({ ...input, map: input.map.map((v) => 1 - v) });
  }
  mustEqual(metric, alone, outcomeOf(metric, one), 'Another accumulator beside it');
}

function checkPurity(metric: MapMetric, maps: readonly MapInput[]): void {
  const asText = () => JSON.stringify(maps.map(({ map, mask }) => [[...map], [...mask]]));
  const before = asText();
  measure(metric, maps);
  must(asText() === before, `${metric.name} must not change the maps or masks that it is given.`);
}

function checkCounted(metric: MapMetric, maps: readonly MapInput[]): void {
  const counted = maps.map((input) => ({ ...input, counted: input.mask.map((_, i) => (i % 2 === 0 ? 1 : 0)) }));
  const others = counted.map((input) => ({
    ...input,
    map: input.map.map((v, i) => (i % 2 === 1 && input.mask[i] === 0 ? 1 - v : v)),
  }));
  mustEqual(metric, measure(metric, counted), measure(metric, others), 'Normal pixels that are left out');
}

function checkEdges(metric: MapMetric): void {
  const [first, ...rest] = someMaps(1, 6);
  const broken = { ...first, map: first.map.map((v, i) => (i === 3 ? Number.NaN : v)) };
  for (const [what, few] of [
    ['no maps', []],
    ['normal maps only', someMaps(3, 3, 0)],
    ['maps that are anomalous all over', someMaps(3, 3, 1)],
    ['a pixel that is NaN', [broken, ...rest]],
  ] as const)
    checkValue(metric, measure(metric, few), what);
}

function checkNoThreshold(metric: MapMetric, maps: readonly MapInput[]): void {
  const { value, reason } = measure(metric, maps, null);
  must(value === null && !!reason, `${metric.name} must be null without a threshold, and say why.`);
}

function checkOrdinal(metric: MapMetric, maps: readonly MapInput[]): void {
  for (const [what, change] of increasing) {
    const changed = maps.map((input) => ({ ...input, map: input.map.map(change) }));
    mustEqual(metric, measure(metric, maps), measure(metric, changed, change(THRESHOLD)), what);
  }
}
