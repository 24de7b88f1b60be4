/** Shards of a benchmark: what each notes, and how they become one. Times are those that were measured where a row was made. Node only. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { DataError } from '../core/errors.ts';
import type { Shard } from '../core/shard.ts';
import { makeFolder, writeJson } from '../runs/files.ts';
import type { FoundShard, ShardRecord } from '../runs/shards.ts';
import type { Bench } from './bench.ts';
import { findBench } from './benches.ts';
import { type BenchChoice, planBench } from './jobs.ts';
import type { RowOrigin } from './summary.ts';
import { keyOf, readKept, type SweepJob } from './sweep.ts';
import { type WrittenBench, writeBench } from './write.ts';

/** What a shard of a benchmark notes beside its rows. */
interface About {
  readonly name: string;
  readonly choice: Omit<BenchChoice, 'dataRoot'>;
  /** Names of all jobs, in the order of the tables. */
  readonly keys: readonly string[];
  readonly origin: RowOrigin;
}

/** The record of a shard. */
export function recordOf(
  { name }: Bench,
  of: {
    readonly shard: Shard;
    readonly choice: About['choice'];
    readonly jobs: readonly SweepJob[];
    readonly root: string;
    readonly origin: RowOrigin;
  },
): Omit<ShardRecord, 'oddity' | 'isDone'> {
  const keys = of.jobs.map((job) => keyOf(job, of.root));
  const plan = createHash('sha256')
    .update(JSON.stringify([name, keys]))
    .digest('hex');
  const about: About = { name, choice: of.choice, keys, origin: of.origin };
  return { of: 'bench', ...of.shard, plan, about: { ...about } };
}

/** A benchmark that was put together. */
export interface MergedBench extends WrittenBench {
  readonly name: string;
  readonly quick: boolean;
}

/**
 * Puts the shards of a benchmark together in a folder: the files of its results, and the rows, from which the benchmark goes on.
 * Throws DataError `shard-damaged` for one that lacks a row.
 */
export async function mergeBench(shards: readonly [FoundShard, ...FoundShard[]], out: string): Promise<MergedBench> {
  const { name, choice, keys, origin } = shards[0].about as unknown as About;
  const bench = findBench(name);
  const planned = planBench(bench, { ...choice, dataRoot: '' });
  await makeFolder(out);
  const found = [];
  for (const key of keys) {
    const row = await rowOf(shards, key);
    await writeJson(join(out, `${key}.json`), row.report);
    found.push(row);
  }
  const file = `${name}${origin.quick ? '-quick' : ''}.csv`;
  return { name, quick: origin.quick, ...(await writeBench(bench, planned, found, join(out, file))) };
}

async function rowOf(shards: readonly FoundShard[], key: string) {
  for (const { folder, about } of shards) {
    const report = await readKept(folder, key);
    if (report) return { report, origin: (about as unknown as About).origin };
  }
  const folders = shards.map(({ folder }) => folder).join(', ');
  throw new DataError('shard-damaged', `The row ${key} is in none of ${folders}. Make the shards again.`);
}
