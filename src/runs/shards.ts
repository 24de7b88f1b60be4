/**
 * What a shard leaves beside its part of a result: `shard.json`, which says what it is a part of. Parts are put together once all
 * of them are there and are parts of the same. Node only.
 */
import { join } from 'node:path';
import * as z from 'zod';
import { ConfigError, DataError } from '../core/errors.ts';
import { type Shard, shardText } from '../core/shard.ts';
import { parseStored } from '../core/stored.ts';
import { option, say } from '../core/text.ts';
import { readJsonIfThere, writeJson } from './files.ts';
import { oddityVersion } from './versions.ts';

const schema = z.strictObject({
  format: z.literal('oddity-shard-1'),
  of: z.string(),
  index: z.int().min(1),
  count: z.int().min(1),
  plan: z.string(),
  oddity: z.string(),
  isDone: z.boolean(),
  about: z.record(z.string(), z.unknown()),
});

/** `shard.json`. */
export interface ShardRecord extends Shard {
  /** What it is a part of: `sweep`, `bench`, `predict`. */
  readonly of: string;
  /** Identifies the whole: the parts of one whole have the same. */
  readonly plan: string;
  /** The version that made it. */
  readonly oddity: string;
  /** False while it is being made. */
  readonly isDone: boolean;
  /** What putting the parts together needs to know beside them. */
  readonly about: Readonly<Record<string, unknown>>;
}

/** A shard in its folder. */
export interface FoundShard extends ShardRecord {
  readonly folder: string;
}

const fileOf = (folder: string) => join(folder, 'shard.json');

/** Writes the record of a shard; the folder must be there. Throws ConfigError `other-shard` for a folder of another shard. */
export async function writeShard(folder: string, record: Omit<ShardRecord, 'oddity'>): Promise<void> {
  const before = await readShard(folder);
  if (before && (before.of !== record.of || before.index !== record.index || before.count !== record.count)) {
    throw new ConfigError(
      'other-shard',
      say`${folder} holds shard ${shardText(before)} of a ${before.of}. Choose another folder with ${option('out')} for shard
        ${shardText(record)}.`,
    );
  }
  await writeJson(fileOf(folder), { format: 'oddity-shard-1', ...record, oddity: oddityVersion() });
}

/** The record of a shard; undefined for a folder without one. Throws DataError `shard-damaged`. */
export async function readShard(folder: string): Promise<ShardRecord | undefined> {
  const path = fileOf(folder);
  const value = await readJsonIfThere<object>(path, 'shard-damaged');
  if (!value) return undefined;
  const damaged = (what: string) =>
    new DataError('shard-damaged', `${path} is damaged: ${what}. Make the shard again.`);
  const { format: _, ...record } = parseStored(schema, value, damaged);
  return record;
}

/**
 * The shards of one whole, in their order.
 * @throws ConfigError `no-shard` for a folder without one, `different-shards` for parts of different wholes, `repeated-shard`;
 * DataError `missing-shards`, with their names, and `unfinished-shard`.
 */
export async function readShards(folders: readonly string[]): Promise<readonly [FoundShard, ...FoundShard[]]> {
  const shards = await Promise.all(
    folders.map(async (folder) => {
      const record = await readShard(folder);
      if (record) return { ...record, folder };
      throw new ConfigError(
        'no-shard',
        say`${folder} must be the folder of a shard, with a shard.json, but has none. Name the folders that were made with
          ${option('shard')}.`,
      );
    }),
  );
  const [first, ...others] = shards;
  if (!first) throw new ConfigError('no-shard', 'There must be folders of shards to put together, and there are none.');
  for (const other of others) checkSame(first, other);
  const sorted = shards.sort((a, b) => a.index - b.index);
  const twice = sorted.find(({ index }, i) => index === sorted[i - 1]?.index);
  if (twice) {
    const both = sorted.filter(({ index }) => index === twice.index).map(({ folder }) => folder);
    throw new ConfigError(
      'repeated-shard',
      `Shard ${shardText(twice)} is given twice: ${both.join(' and ')}. Name it once.`,
    );
  }
  const all = Array.from({ length: first.count }, (_, i) => i + 1);
  const missing = all.filter((index) => !sorted.some((one) => one.index === index));
  if (missing.length > 0) {
    const names = missing.map((index) => shardText({ index, count: first.count }));
    throw new DataError(
      'missing-shards',
      `All ${first.count} shards must be there, but ${names.join(', ')} ${names.length === 1 ? 'is' : 'are'} missing. Name ${
        names.length === 1 ? 'its folder' : 'their folders'
      }, or make ${names.length === 1 ? 'it' : 'them'}.`,
    );
  }
  const unfinished = sorted.find(({ isDone }) => !isDone);
  if (unfinished) {
    throw new DataError(
      'unfinished-shard',
      `Shard ${shardText(unfinished)} in ${unfinished.folder} is not finished. Repeat its command, which resumes it.`,
    );
  }
  return sorted as unknown as readonly [FoundShard, ...FoundShard[]];
}

function checkSame(a: FoundShard, b: FoundShard): void {
  const differing = (
    [
      ['of', (one: FoundShard) => `part of a ${one.of}`],
      ['oddity', (one: FoundShard) => `made by oddity ${one.oddity}`],
      ['count', (one: FoundShard) => `one of ${one.count}`],
      ['plan', (one: FoundShard) => `of the plan ${one.plan.slice(0, 12)}`],
    ] as const
  ).find(([key]) => a[key] !== b[key]);
  if (!differing) return;
  const [, words] = differing;
  throw new ConfigError(
    'different-shards',
    `Shards must be parts of the same, but ${a.folder} is ${words(a)} and ${b.folder} is ${words(b)}. Put together those that belong together.`,
  );
}
