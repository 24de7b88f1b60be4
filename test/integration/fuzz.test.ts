/** Every reader on damaged files: a bounded, seeded part of what `npm run fuzz` does for as long as one likes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isSentence, judge, openTargets, type Target } from '../../scripts/fuzz/targets.ts';
import { DataError } from '../../src/core/errors.ts';

/** Mutants of each target, and milliseconds after which the rest are left out. */
const [MUTANTS, MOST_MS] = [150, 2500];

let open: Awaited<ReturnType<typeof openTargets>>;
beforeAll(async () => {
  open = await openTargets();
});
afterAll(() => open.close());

const named = (name: string): Target => open.targets.find((target) => target.name === name)!;

describe('mutants', () => {
  it('of every kind of file end in a value or a sentence', { timeout: 180_000 }, async () => {
    const faults: string[] = [];
    for (const target of open.targets) {
      const begin = performance.now();
      for (let n = 0; n < MUTANTS && performance.now() - begin < MOST_MS; n++) {
        const fault = await judge(target, 1, n);
        if (fault) faults.push(fault);
      }
    }
    expect(faults).toEqual([]);
  });

  it('are a function of the seed and their number', async () => {
    const { Rng } = await import('../../src/core/random.ts');
    for (const name of ['a.csv', 'run.json', 'weights.pth']) {
      const [one, two] = [new Rng(3).split(name), new Rng(3).split(name)].map((rng) => named(name).mutant(rng));
      expect(one).toEqual(two);
    }
  });
});

it('what counts as a sentence', () => {
  expect(isSentence(new DataError('x', 'The file is damaged.'))).toBe(true);
  for (const text of ["Cannot read properties of undefined (reading 'x')", 'Invalid array length', 'undefined'])
    expect(isSentence(new DataError('x', text))).toBe(false);
  expect(isSentence(new RangeError('x'))).toBe(false);
});
