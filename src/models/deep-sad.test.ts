import { describe, expect, it } from 'vitest';
import { float32 } from '../core/tensor.ts';
import { evaluate } from '../graph/evaluate.ts';
import { constant } from '../graph/leaf.ts';
import { deepSad, sadTerms } from './deep-sad.ts';

describe('deep-sad', () => {
  it('adds squared distances of normal items and inverse ones of anomalies', () => {
    const apart = constant(float32([4, 0.5, 2, 0], [4]));
    const labels = constant(float32([0, 1, 1, 0], [4]));
    const [terms] = evaluate([sadTerms(apart, labels, 3)], {});
    for (const [i, wanted] of [4, 3 / 0.5, 3 / 2, 0].entries()) expect(Number(terms.data[i])).toBeCloseTo(wanted, 4);
  });

  it('trains the autoencoder first, then finds the centre', () => {
    if (deepSad.learns !== 'gradient') throw new Error('deep-sad learns by gradient.');
    const phases = deepSad.phases(deepSad.config.parse({}), [1, 28, 28]);
    expect(phases.map(({ phase }) => phase.name)).toEqual(['range', 'autoencoder', 'centre', 'fit']);
    expect(deepSad.unsuitable!(deepSad.config.parse({ network: 'lenet-28' }), [1, 32, 32])).toContain('28 × 28');
  });
});
