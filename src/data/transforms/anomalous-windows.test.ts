import { expect, it } from 'vitest';
import { Rng } from '../../core/random.ts';
import { plantWindows, windowAnomalies } from './anomalous-windows.ts';

const windows = Float32Array.from({ length: 8 * 9 * 2 }, (_, i) => Math.sin(i));

it('changes the middle of every window in one channel, kinds in turn, and keeps what it is given', () => {
  const before = windows.slice();
  const { values, kinds } = plantWindows(windows, [9, 2], new Rng(1));
  expect(windows).toEqual(before);
  expect(kinds).toEqual([...windowAnomalies, ...windowAnomalies]);
  for (let i = 0; i < 8; i++) {
    const changed = Array.from({ length: 18 }, (_, k) => k).filter((k) => values[i * 18 + k] !== windows[i * 18 + k]);
    expect(new Set(changed.map((k) => k % 2)).size).toBeLessThanOrEqual(1);
    if (kinds[i] === 'spike') expect(changed.map((k) => k >> 1)).toEqual([4]);
    else expect(changed.length).toBeGreaterThanOrEqual(4);
  }
});

it('is the same for the same seed and another for another', () => {
  const of = (seed: number) => plantWindows(windows, [9, 2], new Rng(seed)).values;
  expect(of(1)).toEqual(of(1));
  expect(of(1)).not.toEqual(of(2));
});
