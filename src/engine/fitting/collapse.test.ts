import { describe, expect, it } from 'vitest';
import { watchCollapse } from './collapse.ts';

const watched = [
  { metric: 'g.generated-spread', kind: 'generated' },
  { metric: 'd.data-spread', kind: 'data' },
  { metric: 'e.code-spread', kind: 'code' },
] as const;

/** Codes of the warnings of each epoch. */
function codes(epochs: number, metrics: Record<string, number>[]): string[][] {
  const watch = watchCollapse(epochs, watched);
  return metrics.map((m, i) =>
    watch({ phase: 'gan', epoch: i + 1, trainingLoss: 0, metrics: m }).map((warning) => warning.code),
  );
}
const generated = (...values: number[]) => values.map((v) => ({ 'g.generated-spread': v, 'd.data-spread': 0.5 }));
const coded = (...values: number[]) => values.map((v) => ({ 'e.code-spread': v }));

describe('a generator', () => {
  it('that falls below a tenth of the spread of the data has collapsed, and that is told once', () => {
    expect(codes(20, generated(0.3, 0.051, 0.049, 0.2, 0.01))).toEqual([[], [], ['collapse-generated'], [], []]);
  });

  it('that begins near 0 has half of the phase to rise', () => {
    expect(codes(6, generated(0.001, 0.01, 0.2, 0.3)).flat()).toEqual([]);
    expect(codes(6, generated(0.001, 0.01, 0.02, 0.02))).toEqual([[], [], ['collapse-generated'], []]);
  });

  it('is not judged where the data is not watched beside it', () => {
    expect(codes(2, [{ 'g.generated-spread': 0 }, { 'g.generated-spread': 0 }]).flat()).toEqual([]);
  });
});

describe('an encoder', () => {
  it('whose codes fall below a tenth of their largest spread has collapsed', () => {
    expect(codes(20, coded(1, 4, 0.41, 0.39))).toEqual([[], [], [], ['collapse-code']]);
  });

  it('whose codes never differ has collapsed', () => {
    expect(codes(4, coded(0, 0, 0))).toEqual([[], ['collapse-code'], []]);
  });
});

it('codes that are drawn around one mean have collapsed if they still are at the end', () => {
  const found = (...spreads: number[]) => {
    const watch = watchCollapse(spreads.length, [{ metric: 'fit.posterior-spread', kind: 'posterior' }]);
    return spreads.flatMap((spread, i) =>
      watch({ phase: 'fit', epoch: i + 1, trainingLoss: 0, metrics: { 'fit.posterior-spread': spread } }),
    );
  };
  expect(found(0.04, 0.01, 0.6)).toEqual([]);
  expect(found(0.9, 0.2, 0.01).map(({ code }) => code)).toEqual(['collapse-posterior']);
  expect(found(0.01)[0].message).toContain('means of codes differ by 0.01');
});

it('says what was found, where, and what it should be', () => {
  const watch = watchCollapse(1, watched);
  const metrics = { 'g.generated-spread': 0.0123, 'd.data-spread': 0.5 };
  const [warning] = watch({ phase: 'gan', epoch: 1, trainingLoss: 0, metrics });
  expect(warning.message).toContain('Epoch 1 of phase "gan" (g.generated-spread): generated items differ by 0.012');
  expect(warning.message).toContain('(0.5)');
});
