import { describe, expect, it } from 'vitest';
import { DataError } from '../core/errors.ts';
import type { BatchScore } from '../engine/scoring/detector.ts';
import { openBatcher } from './batcher.ts';

/** A detector of rows of two values whose score is their sum; its calls end when they are let go. */
function slowDetector() {
  const calls: { n: number; end(): void }[] = [];
  const score = (values: Float32Array, n: number): Promise<BatchScore> =>
    new Promise((resolve, reject) => {
      const sums = Float32Array.from({ length: n }, (_, i) => values[2 * i] + values[2 * i + 1]);
      const end = () => {
        if (values.includes(-1)) reject(new DataError('not-finite', 'Rows must not hold −1.'));
        else resolve({ scores: sums, maps: values.slice() });
      };
      calls.push({ n, end });
    });
  const finish = async () => {
    for (let quiet = 0; quiet < 3; quiet++) {
      const call = calls.shift();
      if (call) quiet = -1;
      call?.end();
      await new Promise((after) => setTimeout(after));
    }
  };
  return { detector: { shape: [2], score } as never, calls, finish };
}

const row = (a: number, b: number) => Float32Array.of(a, b);

describe('openBatcher', () => {
  it('joins what comes together and while the detector is busy, and gives each request its own part', async () => {
    const { detector, finish } = slowDetector();
    const sizes: number[] = [];
    const batcher = openBatcher(detector, { mostWaiting: 100, onBatch: (items) => sizes.push(items) });
    const ask = (v: number) => batcher.score(row(v, 10 * v), 1);
    const turn = () => new Promise((after) => setImmediate(after));
    const answers = [ask(1), ask(2)];
    await turn();
    answers.push(ask(3));
    await turn();
    answers.push(ask(4), ask(5)); // two calls are under way
    await turn();
    expect(batcher.waiting).toBe(5);
    await finish();
    const found = await Promise.all(answers);
    expect(found.map(({ scores }) => [...scores])).toEqual([[11], [22], [33], [44], [55]]);
    expect(found.map(({ maps }) => [...maps])[4]).toEqual([5, 50]);
    expect(sizes).toEqual([2, 1, 2]);
    expect(batcher.waiting).toBe(0);
  });

  it('hands over the values that it joined, and never those of a request', async () => {
    const given: [values: Float32Array, transfer: boolean | undefined][] = [];
    const score = async (values: Float32Array, n: number, options: { transfer?: boolean }): Promise<BatchScore> => {
      given.push([values, options.transfer]);
      return { scores: new Float32Array(n), maps: new Float32Array(2 * n) };
    };
    const batcher = openBatcher({ shape: [2], score } as never, { mostWaiting: 100 });
    const [one, two, three] = [row(1, 2), row(3, 4), row(5, 6)];
    await batcher.score(one, 1);
    await Promise.all([batcher.score(two, 1), batcher.score(three, 1)]);
    expect(given).toEqual([
      [one, false],
      [Float32Array.of(3, 4, 5, 6), true],
    ]);
    expect(given[0][0]).toBe(one);
  });

  it('refuses items beyond those that may wait, and takes them again later', async () => {
    const { detector, finish } = slowDetector();
    const batcher = openBatcher(detector, { mostWaiting: 2 });
    const first = [batcher.score(row(1, 1), 1), batcher.score(row(1, 1), 1)];
    await expect(batcher.score(row(1, 1), 1)).rejects.toMatchObject({ status: 429, code: 'busy' });
    await finish();
    await Promise.all(first);
    const again = batcher.score(row(2, 2), 1);
    await finish();
    expect((await again).scores[0]).toBe(4);
  });

  it('lets the other requests of a batch go on where the values of one cannot be scored', async () => {
    const { detector, finish } = slowDetector();
    const batcher = openBatcher(detector, { mostWaiting: 100 });
    const all = [row(1, 1), row(2, 2), row(-1, 0), row(3, 3)].map((values) => batcher.score(values, 1));
    const settled = Promise.allSettled(all);
    await finish();
    const found = await settled;
    expect(found.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect(found[2]).toMatchObject({ reason: { code: 'not-finite' } });
  });

  it('does not begin what nobody waits for any more', async () => {
    const { detector, calls, finish } = slowDetector();
    const batcher = openBatcher(detector, { mostWaiting: 100 });
    const turn = () => new Promise((after) => setImmediate(after));
    const busy = [batcher.score(row(1, 1), 1)];
    await turn();
    busy.push(batcher.score(row(1, 1), 1));
    await turn();
    const late = new AbortController();
    const waiting = batcher.score(row(2, 2), 1, { signal: late.signal });
    late.abort();
    await expect(waiting).rejects.toMatchObject({ status: 504 });
    await expect(batcher.score(row(2, 2), 1, { within: 5 })).rejects.toMatchObject({ status: 504 });
    await finish();
    await Promise.all(busy);
    expect(calls).toEqual([]);
    expect(batcher.waiting).toBe(0);
  });
});
