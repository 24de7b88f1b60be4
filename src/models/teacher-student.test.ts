/** Models in which a student learns from a pretrained teacher, against their definitions. */
import { describe, expect, it, test } from 'vitest';
import { sizeOf } from '../core/shape.ts';
import { float32 } from '../core/tensor.ts';
import * as g from '../graph/index.ts';
import * as nn from '../nn/index.ts';
import type { AnyModel } from './index.ts';
import { geometricMean, halfDistance, stfpm } from './stfpm.ts';

const constant = (values: ArrayLike<number>, shape: readonly number[]) => g.constant(float32(values, shape));
const numbers = (y: g.Value) => Array.from(g.evaluate([y], {})[0].data, Number);
function phaseOf(model: AnyModel, options: object, shape: readonly number[]) {
  if (model.learns !== 'gradient') throw new Error(`${model.name} learns by gradient.`);
  return model.phases(model.config.parse(options), shape)[0];
}

describe('stfpm', () => {
  it('compares directions: half the squared distance of unit vectors is 1 − their cosine', () => {
    const [t, s] = [
      [3, 1, 4, 0],
      [0, 2, 0, -5],
    ]; // two channels, two places: (3, 4), (1, 0) and (0, 0), (2, −5)
    const shape = [1, 2, 1, 2];
    const found = numbers(halfDistance(constant(t, shape), constant(s, shape)));
    expect(found[0]).toBeCloseTo(0.5, 5); // nothing of the student: ½ ‖t̂‖²
    expect(found[1]).toBeCloseTo(1 - 2 / Math.hypot(2, 5), 5);
    const scaled = numbers(
      halfDistance(
        constant(
          t.map((v) => 7 * v),
          shape,
        ),
        constant(s, shape),
      ),
    );
    expect(scaled[1]).toBeCloseTo(found[1], 5);
  });

  it('multiplies the maps of the taps, and takes the root', () => {
    const maps = [
      constant([1, 4, 0, 9], [1, 1, 2, 2]),
      constant([4, 4, 5, 1], [1, 1, 2, 2]),
      constant([2, 0.5, 1, 3], [1, 1, 2, 2]),
    ];
    const found = numbers(geometricMean(maps, [2, 2]));
    for (const [i, v] of [2, 2, 0, 3].entries()) expect(found[i]).toBeCloseTo(v, 5);
    const small = constant(new Float32Array(4).fill(1e-12), [1, 1, 2, 2]);
    for (const v of numbers(geometricMean([small, small, small], [2, 2]))) expect(v / 1e-12).toBeCloseTo(1, 3);
  });

  it('trains a student of the published teacher with its three stages, and nothing else', () => {
    const { phase } = phaseOf(stfpm, stfpm.presets.paper, [3, 64, 64]);
    const { trained: specs, specs: all } = nn.assemble(phase, { shape: [2, 3, 64, 64] });
    // ResNet-18 to its third stage: 11,689,512 less the fourth stage (8,393,728) and the classes (513,000).
    expect(specs.reduce((n, { shape }) => n + sizeOf(shape), 0)).toBe(2_782_784);
    expect(specs.every(({ name }) => name.startsWith('student.'))).toBe(true);
    const teacher = all.filter(({ name }) => name.startsWith('backbone.')).map(({ name }) => name.slice(9));
    const student = all.filter(({ name }) => name.startsWith('student.')).map(({ name }) => name.slice(8));
    expect(student.sort()).toEqual(teacher.sort());
  });

  test.each([
    [{}, [1, 31, 64], 'oddity at fine and coarse needs image sides of at least 32, got 31 × 64.'],
    [
      { backbone: 'resnet50_v2' },
      [3, 64, 64],
      'stfpm needs a backbone that can be learnt afresh, and resnet50_v2 cannot. Choose oddity or resnet18.',
    ],
    [{ backbone: 'resnet18' }, [3, 32, 32], undefined],
  ] as const)('what does not fit is a sentence: %j', (options, shape, message) => {
    expect(stfpm.unsuitable!(stfpm.config.parse(options), shape)).toBe(message);
  });
});
