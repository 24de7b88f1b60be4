/** What shards can be put together, by what they are parts of. Another kind is an entry here. Node only. */
import { resolve } from 'node:path';
import { mergeBench } from '../bench/merge.ts';
import { ConfigError, unknownName } from '../core/errors.ts';
import { option, say } from '../core/text.ts';
import { mergePredictions } from '../runs/merge-predictions.ts';
import { type FoundShard, readShards } from '../runs/shards.ts';
import { mergeSweep } from './merge.ts';

type Merge = (shards: readonly [FoundShard, ...FoundShard[]], out: string) => Promise<object>;

const mergers = { sweep: mergeSweep, bench: mergeBench, predict: mergePredictions } satisfies Readonly<
  Record<string, Merge>
>;

/** What came of shards, by what they are parts of. */
export type Merged = {
  [K in keyof typeof mergers]: { readonly of: K } & Awaited<ReturnType<(typeof mergers)[K]>>;
}[keyof typeof mergers];

/**
 * Puts the shards in some folders together in another, whatever they are parts of.
 * @throws as `readShards`; ConfigError `out-is-a-shard` where `out` is one of them.
 */
export async function mergeShards(folders: readonly string[], out: string): Promise<Merged> {
  const shards = await readShards(folders);
  const same = folders.find((folder) => resolve(folder) === resolve(out));
  if (same !== undefined) {
    throw new ConfigError(
      'out-is-a-shard',
      say`${same} is one of the shards, and shards stay as they are. Choose another folder with ${option('out')}.`,
    );
  }
  const { of } = shards[0];
  const known = Object.keys(mergers);
  if (!known.includes(of)) throw unknownName('kind of shards', of, known);
  const kind = of as keyof typeof mergers;
  return { of: kind, ...(await mergers[kind](shards, out)) } as Merged;
}
