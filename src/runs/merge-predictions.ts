/** Shards of predictions put together: the files that one process would have written. Node only. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../core/errors.ts';
import { shardText } from '../core/shard.ts';
import { makeFolder, writeFailure } from './files.ts';
import { type FileFacts, headOf, type PredictedCounts } from './predicted-files.ts';
import type { FoundShard } from './shards.ts';

/** What was put together. */
export interface MergedPredictions extends PredictedCounts {
  /** By name, in the folder of the whole. */
  readonly files: Readonly<Record<string, FileFacts>>;
}

/** What `shard.json` says of predictions. */
interface About {
  readonly counts: PredictedCounts;
  readonly ofRows: boolean;
  readonly files: Readonly<Record<string, FileFacts>>;
}

/**
 * Writes the files of shards, which `readShards` found to be all of one whole, one after the other.
 * @throws DataError `shard-damaged` for a file that is not as it was written, `unwritable`, `disk`.
 */
export async function mergePredictions(
  shards: readonly [FoundShard, ...FoundShard[]],
  out: string,
): Promise<MergedPredictions> {
  await makeFolder(out);
  const abouts = shards.map(({ about }) => about as unknown as About);
  const names = [...new Set(abouts.flatMap(({ files }) => Object.keys(files)))];
  const files: Record<string, FileFacts> = {};
  for (const name of names) {
    const parts = shards.flatMap((shard, i) => {
      const facts = abouts[i].files[name];
      return facts ? [{ shard, facts, path: join(shard.folder, name) }] : [];
    });
    files[name] = await joined(join(out, name), headOf(name, abouts[0].ofRows), parts);
  }
  if (!names.includes('failed.csv')) await rm(join(out, 'failed.csv'), { force: true });
  const sum = (key: keyof PredictedCounts) => abouts.reduce((n, { counts }) => n + counts[key], 0);
  return { scored: sum('scored'), anomalous: sum('anomalous'), failed: sum('failed'), files };
}

/** Writes a head, and behind it the parts without theirs. */
async function joined(
  path: string,
  head: string,
  parts: readonly { shard: FoundShard; facts: FileFacts; path: string }[],
): Promise<FileFacts> {
  const beside = `${path}.tmp`;
  const hash = createHash('sha256').update(head);
  let bytes = Buffer.byteLength(head);
  try {
    const file = await open(beside, 'w');
    try {
      await file.writeFile(head);
      for (const part of parts) {
        const own = createHash('sha256');
        let skip = Buffer.byteLength(head);
        for await (const piece of createReadStream(part.path, { highWaterMark: 2 ** 20 }) as AsyncIterable<Buffer>) {
          own.update(piece);
          const rest = piece.subarray(skip);
          skip = Math.max(0, skip - piece.length);
          hash.update(rest);
          bytes += rest.length;
          await file.writeFile(rest);
        }
        if (own.digest('hex') !== part.facts.sha256)
          throw new DataError(
            'shard-damaged',
            `${part.path} is not as shard ${shardText(part.shard)} wrote it. Make the shard again.`,
          );
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true }).catch(() => {});
    throw writeFailure(error, path);
  }
  return { bytes, sha256: hash.digest('hex') };
}
