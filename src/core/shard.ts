/** A part of work that several processes share without talking to each other: number `index` of `count`, from 1. */
import { ConfigError } from './errors.ts';

export interface Shard {
  /** From 1. */
  readonly index: number;
  readonly count: number;
}

/** `2/8` as a shard. Throws ConfigError `shard` for a text that is none. */
export function parseShard(text: string): Shard {
  const [, index, count] = /^(\d{1,6})\/(\d{1,6})$/.exec(text.trim())?.map(Number) ?? [];
  if (index >= 1 && index <= count) return { index, count };
  throw new ConfigError('shard', {
    option: 'shard',
    value: text,
    must: 'a number and a count, from 1/n to n/n, such as 2/8',
  });
}

/** `2/8`. */
export const shardText = ({ index, count }: Shard): string => `${index}/${count}`;

/** The pieces of a shard, in their order: each piece is in exactly one shard, and shards differ by one piece at most. */
export function ofShard<T>(pieces: readonly T[], { index, count }: Shard): T[] {
  return pieces.filter((_, i) => i % count === index - 1);
}
