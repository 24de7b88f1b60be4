import { describe, expect, it } from 'vitest';
import { driftOf } from './drift.ts';

const normals = Array.from({ length: 99 }, (_, i) => i);

describe('drift', () => {
  it('is not told of scores like those of the normals', () => {
    const found = driftOf(normals, normals)!;
    expect(found.items).toBe(99);
    expect(found.share).toBeCloseTo(9 / 99, 12);
    expect(found.isDrifting).toBe(false);
  });

  it('is told once more than chance lies in the upper tenth', () => {
    expect(driftOf(normals, [95, 96, 97, 12, 3])!.isDrifting).toBe(true);
    expect(driftOf(normals, [95])!.isDrifting).toBe(false);
  });

  it('needs normals and scores', () => {
    expect(driftOf([], [1])).toBeUndefined();
    expect(driftOf(normals, [])).toBeUndefined();
  });
});
