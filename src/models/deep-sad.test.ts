import { describe, expect, it } from 'vitest';
import { float32 } from '../core/tensor.ts';
import { evaluate } from '../graph/evaluate.ts';
import { constant } from '../graph/leaf.ts';
import { deepSad, sadTerms } from './deep-sad.ts';
import { deepSvdd } from './deep-svdd.ts';

describe('deep-sad', () => {
  it('adds squared distances of normal items and inverse ones of anomalies', () => {
    const apart = constant(float32([4, 0.5, 2, 0], [4]));
    const labels = constant(float32([0, 1, 1, 0], [4]));
    const [terms] = evaluate([sadTerms(apart, labels, 3)], {});
    for (const [i, wanted] of [4, 3 / 0.5, 3 / 2, 0].entries()) expect(Number(terms.data[i])).toBeCloseTo(wanted, 4);
  });

  it('trains the networks of deep-svdd in the same phases', () => {
    if (deepSad.learns !== 'gradient' || deepSvdd.learns !== 'gradient') throw new Error('Both learn by gradient.');
    const shape = [1, 28, 28] as const;
    const names = (phases: readonly { phase: { name: string } }[]) => phases.map(({ phase }) => phase.name);
    expect(names(deepSad.phases(deepSad.config.parse({}), shape))).toEqual(
      names(deepSvdd.phases(deepSvdd.config.parse({}), shape)),
    );
    expect(deepSad.unsuitable!(deepSad.config.parse({ network: 'lenet-28' }), [1, 32, 32])).toContain('28 × 28');
  });
});
