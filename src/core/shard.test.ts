import { expect, it } from 'vitest';
import { ofShard, parseShard, shardText } from './shard.ts';

it('reads what it writes, and refuses other texts', () => {
  expect(parseShard('2/8')).toEqual({ index: 2, count: 8 });
  expect(shardText(parseShard('8/8'))).toBe('8/8');
  for (const text of ['0/8', '9/8', '1', '1/0', 'a/b', '1/8/2', '-1/8', '1.5/8', '']) {
    expect(() => parseShard(text), text).toThrow(/`shard` must be a number and a count/);
  }
});

it('puts each piece into one shard, evenly', () => {
  const pieces = Array.from({ length: 11 }, (_, i) => i);
  const shards = [1, 2, 3, 4].map((index) => ofShard(pieces, { index, count: 4 }));
  expect(shards.flat().sort((a, b) => a - b)).toEqual(pieces);
  expect(shards.map((shard) => shard.length)).toEqual([3, 3, 3, 2]);
  expect(ofShard(pieces, { index: 1, count: 1 })).toEqual(pieces);
});
