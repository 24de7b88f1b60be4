import { describe, expect, it } from 'vitest';
import { itemMacroAuroc, itemMinMaxAuroc, macroAuroc, minMaxByClip } from './clip-auroc.ts';
import { measureItems } from './measure.ts';

/** Pairs of an anomalous and a normal frame, the anomalous one above, a tie counting one half. */
function byPairs(scores: readonly number[], labels: readonly number[]): number {
  let [sum, pairs] = [0, 0];
  for (const [i, y] of labels.entries()) {
    for (const [j, z] of labels.entries()) {
      if (!(y === 1 && z === 0)) continue;
      sum += scores[i] > scores[j] ? 1 : scores[i] === scores[j] ? 0.5 : 0;
      pairs++;
    }
  }
  return sum / pairs;
}

const clips = [0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2];
const scores = [0.2, 0.9, 0.4, 0.4, -1, 5, 6, 5.5, 7, 3, 4];
const labels = [0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0];
const apart = (list: readonly number[]) => [0, 1, 2].map((c) => list.filter((_, i) => clips[i] === c));

describe('AUROC of clips', () => {
  it('macro is the mean of clips with two frames added to each', () => {
    const each = apart(scores).map((own, c) => byPairs([0, ...own, Number.MAX_VALUE], [0, ...apart(labels)[c], 1]));
    // Clip 0: 11.5 of 12 pairs; clip 1: 7 of 9; clip 2 has normal frames only.
    expect(each).toEqual([11.5 / 12, 7 / 9, 1]);
    expect(macroAuroc({ scores, labels, clips })).toBeCloseTo((11.5 / 12 + 7 / 9 + 1) / 3, 12);
  });

  it('min-max by clip raises micro where clips differ in their level', () => {
    const scaled = minMaxByClip(scores, clips);
    expect([...scaled.subarray(5)]).toEqual([0, 0.5, 0.25, 1, 0, 1]);
    const { values } = measureItems({ scores, labels, clips }, [itemMacroAuroc, itemMinMaxAuroc]);
    expect(values.minMaxAuroc).toBeCloseTo(byPairs([...scaled], labels), 12);
    expect(minMaxByClip([3, 3], [0, 0])).toEqual(new Float64Array(2));
  });

  it('does not apply where items are of no clips', () => {
    expect(measureItems({ scores, labels }, [itemMacroAuroc, itemMinMaxAuroc]).values).toEqual({});
  });
});
