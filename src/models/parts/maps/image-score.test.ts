import { expect, it } from 'vitest';
import { Rng } from '../../../core/random.ts';
import { float32 } from '../../../core/tensor.ts';
import { judgeScores } from '../../../engine/choosing/rank.ts';
import { evaluate } from '../../../graph/evaluate.ts';
import { input } from '../../../graph/leaf.ts';
import { type ImageScore, meanOfTop, onlyWith, scoreOfPlaces } from './image-score.ts';

const PLACES = 64;
const places = input('places', ['N', PLACES]);
const map = input('map', ['N', 1, 4, 4]);

/** Scores of items by a way, from their places. */
function scores(how: Exclude<ImageScore, 'all'>, items: readonly Float32Array[], top = 0.1): Float32Array {
  const rows = float32(Float32Array.from(items.flatMap((item) => [...item])), [items.length, PLACES]);
  const maps = float32(Float32Array.from(items.flatMap((item) => [...item.subarray(0, 16)])), [items.length, 1, 4, 4]);
  const [score] = evaluate([scoreOfPlaces(how, top, places, map)], { places: rows, map: maps });
  return score.data as Float32Array;
}

it('is the largest place, the mean of a top share of at least one, or the largest of the map', () => {
  const item = Float32Array.from({ length: PLACES }, (_, p) => p);
  expect(scores('largest', [item])[0]).toBe(63);
  expect(scores('top', [item])[0]).toBe(60.5); // six places of 64
  expect(scores('smoothed', [item])[0]).toBe(15);
  const [one] = evaluate([meanOfTop(places, 1e-4)], { places: float32(item, [1, PLACES]) });
  expect(one.data[0]).toBe(63);
  expect(onlyWith(true, 'this needs', 'largest', 'top')).toBeDefined();
  expect(onlyWith(false, 'this needs', 'largest', 'top')).toBeUndefined();
});

it('the top share wins where single places are noisy, the largest where defects are of one place', () => {
  const jury = { judge: [] as number[], kind: [] as ('stain' | undefined)[] };
  const make = (specks: boolean, wide: number, height: number) => {
    const items = Array.from({ length: 80 }, (_, i) => {
      const rng = new Rng(3).split(i);
      const values = rng.normals(PLACES).map((v) => 1 + 0.05 * v);
      if (specks) values[rng.int(PLACES)] += 2 * rng.uniform();
      if (i >= 40) for (let k = 0; k < wide; k++) values[(7 * i + k) % PLACES] += height;
      return values;
    });
    jury.judge = items.map((_, i) => i % 40);
    jury.kind = items.map((_, i) => (i >= 40 ? 'stain' : undefined));
    const of = (how: 'largest' | 'top') => judgeScores(jury, scores(how, items, 0.3), new Rng(1)).figure;
    return [of('top'), of('largest')];
  };
  const [topOfNoisy, largestOfNoisy] = make(true, 6, 0.4);
  expect(topOfNoisy).toBeGreaterThan(largestOfNoisy + 0.1);
  const [topOfClean, largestOfClean] = make(false, 1, 0.16);
  expect(largestOfClean).toBeGreaterThan(topOfClean + 0.05);
});
