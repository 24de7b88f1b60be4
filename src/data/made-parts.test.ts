import { describe, expect, it } from 'vitest';
import { type MadeSet, madeParts } from './made-parts.ts';

describe.each<MadeSet>(['grain', 'cracks', 'turned'])('made parts: %s', (set) => {
  it('has normal images to learn from, and small defects with masks that test', async () => {
    const source = await madeParts({ set, count: 8, size: 64, channels: 3 });
    expect(source.shape).toEqual([3, 64, 64]);
    expect(source.normalClass).toBe(0);
    const test = [...source.items.keys()].filter((i) => source.items[i].part === 'test');
    expect(source.items.length).toBe(16);
    expect(test.length).toBe(8);
    const masks = new Uint8Array(test.length * 64 * 64);
    await source.readMasks!(test, masks);
    for (const [k, i] of test.entries()) {
      const share = masks.subarray(k * 4096, (k + 1) * 4096).reduce((n, v) => n + v, 0) / 4096;
      if (source.items[i].class === 0) expect(share).toBe(0);
      else {
        expect(share).toBeGreaterThan(0.001);
        expect(share).toBeLessThan(0.3);
      }
    }
    expect((await madeParts({ set, count: 8, size: 64, channels: 3 })).hash).toBe(source.hash);
    expect((await madeParts({ set, count: 8, size: 64, channels: 3, seed: 1 })).hash).not.toBe(source.hash);
    await expect(madeParts({ set, size: 16 })).rejects.toMatchObject({ code: 'synthetic' });
  });
});
