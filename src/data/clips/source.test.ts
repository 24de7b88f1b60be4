import { describe, expect, it } from 'vitest';
import { Rng } from '../../core/random.ts';
import { findProtocol } from '../protocols/index.ts';
import { stepsBefore } from '../series/windows.ts';
import { type Clip, heldClip } from './clip.ts';
import { movingSquares } from './moving-squares.ts';
import { clipSource } from './source.ts';

const about = { name: 'made up', title: 'Made up', licence: 'none' };

/** Frames of 1x1x2 pixels: the number of the frame, and 100 more. */
function counted(id: string, frames: number, more: Partial<Clip> = {}): Clip {
  const bytes = Uint8Array.from({ length: 2 * frames }, (_, i) => (i % 2 === 0 ? i / 2 : 100 + (i - 1) / 2));
  return { ...heldClip({ id, shape: [1, 1, 2], bytes, content: id, train: 0 }), ...more };
}

const made = (clips: Clip[], window?: number, cacheBytes?: number) =>
  clipSource({ ...about, shape: [1, 1, 2], clips, ...(window && { window }), ...(cacheBytes && { cacheBytes }) });

async function frames(source: Awaited<ReturnType<typeof made>>, items: number[]): Promise<number[]> {
  const out = new Float32Array(items.length * source.shape.reduce((n, d) => n * d, 1));
  await source.read(items, out);
  return [...out].filter((_, i) => i % 2 === 0).map((v) => Math.round(255 * v));
}

describe('frames of clips as items', () => {
  it.each([1, 2, 3, 5])('are seen through %i frames that cross no border of a part or a clip', async (window) => {
    const source = await made([counted('a', 9, { train: 9 }), counted('b', 13, { train: 6 })], window);
    for (const [i, item] of source.items.entries()) {
      const [first, from, to] = i < 9 ? [0, 0, 9] : i < 15 ? [9, 0, 6] : [9, 6, 13];
      const start = Math.min(Math.max(i - first - stepsBefore(window), from), to - window);
      expect(await frames(source, [i]), item.id).toEqual(Array.from({ length: window }, (_, k) => start + k));
    }
    expect(source.shape).toEqual([window, 1, 1, 2]);
    expect(source.items.map(({ part }) => part).join()).toBe(
      [...Array(15).fill('train'), ...Array(7).fill('test')].join(),
    );
  });

  it('are the same where no memory is left to keep them, and over blocks', async () => {
    const clips = [counted('a', 100, { train: 100 }), counted('b', 90)];
    const [kept, again] = [await made(clips, 4), await made(clips, 4, 1)];
    const items = [0, 64, 66, 67, 99, 100, 163, 165, 189, 3];
    expect(await frames(again, items)).toEqual(await frames(kept, items));
    expect(again.hash).toBe(kept.hash);
  });

  it('read a block anew that failed before', async () => {
    let calls = 0;
    const read = async (from: number, to: number) => {
      if (++calls === 1) throw new Error('broken');
      return new Uint8Array(2 * (to - from));
    };
    const source = await made([counted('a', 5, { read })], 1);
    await expect(frames(source, [0])).rejects.toThrow('broken');
    expect(await frames(source, [0, 1])).toEqual([0, 0]);
    expect(calls).toBe(2);
  });

  it('can be seen through other windows, with another hash', async () => {
    const source = await made([counted('a', 9, { train: 9 })]);
    expect([source.shape[0], source.series?.windowFrom]).toEqual([2, 'usual']);
    const wider = await source.seenThrough!(5, 'model');
    expect([wider.shape[0], wider.series?.windowFrom]).toEqual([5, 'model']);
    expect(wider.hash).not.toBe(source.hash);
  });

  it('are refused where they are too few, or do not fit their labels', async () => {
    await expect(made([counted('a', 1)])).rejects.toThrow(
      'The part that is judged of the clip a (made up) must be at least one window of 2 frames long, but has 1 frame.',
    );
    await expect(made([])).rejects.toThrow('made up must hold at least one clip, but has none.');
    await expect(made([counted('a', 3, { labels: new Uint8Array(2) })])).rejects.toThrow('has 3 frames, but 2 labels');
    await expect(made([counted('a', 3), counted('a', 3)])).rejects.toThrow('must have a name of its own');
  });

  it('are split like steps: those that train end before those that are held out', async () => {
    const source = await made([counted('a', 60, { train: 60 }), counted('b', 20)], 3);
    const split = findProtocol('prefix').split(source, { rng: new Rng(1) });
    expect([Math.max(...split.train) < Math.min(...split.validation), split.test.length]).toEqual([true, 20]);
    expect(split.validation.length).toBeGreaterThan(3);
  });

  it('are held out by whole clips where there are many', async () => {
    const clips = ['a', 'b', 'c', 'd', 'e'].map((id) => counted(id, 10, { train: 10 }));
    const source = await made([...clips, counted('f', 10)], 3);
    const split = findProtocol('prefix').split(source, { rng: new Rng(1) });
    expect(split.description).toBe('Prefix: 50 frames of 5 of 6 clips train, in windows of 3 frames. Held out: e.');
    expect([...split.validation].every((i) => source.items[i].id.startsWith('e:'))).toBe(true);
    expect(split.train).toHaveLength(32);
  });
});

describe('moving squares', () => {
  it('have normal training clips, and test clips of one kind of anomaly each, the same for the same seed', async () => {
    const options = { size: 32, frames: 60, train: 1, test: 1 };
    const [one, again, other] = await Promise.all(
      [options, options, { ...options, seed: 1 }].map(async (o) => clipSource(await movingSquares(o))),
    );
    expect([again.hash === one.hash, other.hash === one.hash]).toEqual([true, false]);
    expect(one.series?.spans.map(({ id, train }) => [id, train])).toEqual([
      ['train/1', 60],
      ['test/fast-1', 0],
      ['test/reversed-1', 0],
      ['test/stopped-1', 0],
      ['test/foreign-object-1', 0],
    ]);
    for (const [c, { first, steps }] of one.series!.spans.entries()) {
      const kinds = new Set(one.items.slice(first, first + steps).map((item) => item.class));
      expect(kinds).toEqual(c === 0 ? new Set([0]) : new Set([0, c]));
    }
    const odd = one.items.findIndex((item) => item.class === 3);
    const mask = new Uint8Array(32 * 32);
    await one.readMasks!([odd], mask);
    expect(mask.reduce((n, v) => n + v, 0)).toBeGreaterThan(4);
    await one.readMasks!([0], mask);
    expect(mask.every((v) => v === 0)).toBe(true);
  });
});
