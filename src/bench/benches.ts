/** The benchmarks by name. */
import { unknownName } from '../core/errors.ts';
import type { ItemKind } from '../core/item-shape.ts';
import type { SplitOptions } from '../data/index.ts';
import type { Bench } from './bench.ts';
import { ganBenches } from './lists/gans.ts';
import { imageBenches } from './lists/images.ts';
import { rowBenches } from './lists/rows.ts';

/** How `--quick` draws splits; rows train on all items, since their steps are short. */
const quickSplit: SplitOptions = { validationFraction: 0.01, testLimit: 2000 };
export const quickSplits: Readonly<Partial<Record<ItemKind, SplitOptions>>> = {
  image: { ...quickSplit, trainLimit: 500 },
  table: quickSplit,
};
/** The same for entries that have a split of their own, because they score slowly. */
export const quickSlowSplit: SplitOptions = { testLimit: 50 };

/** All benchmarks, in the order in which lists show them. */
export const benches: readonly Bench[] = [...imageBenches, ...rowBenches, ...ganBenches];

/** The benchmark of a name; throws ConfigError, offering the nearest name. */
export function findBench(name: string): Bench {
  const found = benches.find((bench) => bench.name === name);
  if (found) return found;
  throw unknownName(
    'benchmark',
    name,
    benches.map((bench) => bench.name),
  );
}
