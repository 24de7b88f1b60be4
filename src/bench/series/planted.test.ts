import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { plantedSeries } from './planted.ts';

const root = process.env.ODDITY_DATA ?? '';
const isHere = ['skab', 'smd'].every((name) => existsSync(join(root, name)));

describe.skipIf(!isHere)('planted anomalies (skipped where ODDITY_DATA has no folders skab and smd)', () => {
  it('are 64 in SKAB and 64 in training parts of SMD, finite, labelled, the same for the same seed', async () => {
    const all = await plantedSeries(root, 1);
    const families = all.map(({ family }) => family);
    expect([all.length, families.filter((one) => one === 'smd').length]).toEqual([128, 64]);
    for (const { id, family, values, labels } of all) {
      if (family === 'smd') expect(id).toMatch(/^machine-\d-\d\/train /);
      expect(values.every(Number.isFinite)).toBe(true);
      expect(new Set(labels).size).toBe(2);
    }
    expect((await plantedSeries(root, 1))[100]).toEqual(all[100]);
  });
});
