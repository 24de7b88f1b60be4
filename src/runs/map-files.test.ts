/** Names of the files of maps: one for each image, whatever images are called. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type MapFormat, MapWriter, mapFormats } from './map-files.ts';

const base = mkdtempSync(join(tmpdir(), 'oddity-maps-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));

async function written(paths: readonly string[], formats: readonly MapFormat[] = mapFormats) {
  const folder = mkdtempSync(join(base, 'x'));
  const writer = new MapWriter(folder, formats);
  const names: string[][] = [];
  for (const path of paths) {
    const files = await writer.write({
      path,
      shape: [1, 4, 4],
      image: new Float32Array(16),
      map: new Float32Array(16).fill(0.5),
      scale: { low: 0, threshold: null, high: 1 },
      mapThreshold: null,
    });
    names.push(Object.values(files).map((file) => basename(file)));
  }
  return { names, there: readdirSync(folder), remark: writer.remark };
}

describe('names of map files', () => {
  it('are those of the images', async () => {
    const { names, remark } = await written(['a/x.png', 'b/y.v2.png']);
    expect(names[0]).toEqual(['x.png', 'x-overlay.png', 'x-map16.png', 'x.npy']);
    expect(names[1][0]).toBe('y.v2.png');
    expect(remark).toBe(undefined);
  });

  it.each<[string, string[]]>([
    ['of one name in two folders', ['a/x.png', 'b/x.png']],
    ['like the overlay of another', ['x.png', 'x-overlay.png']],
    ['the other way round', ['x-overlay.png', 'x.png']],
    ['like the 16-bit map of another', ['x.png', 'x-map16.png']],
    ['in capital letters', ['x.png', 'X.PNG']],
    ['like the number of another', ['x.png', 'x.jpg', 'x-2.png']],
    ['in composed and decomposed letters', ['\u00e4.png', 'a\u0308.png']],
    ['pages of a stack', ['s.tif:1', 's.tif:2', 's-page2.png']],
  ])('%s: no file is written twice', async (_, paths) => {
    const { names, there } = await written(paths);
    const all = names.flat().map((name) => name.normalize('NFC').toLowerCase());
    expect(new Set(all).size).toBe(4 * paths.length);
    expect(there.length).toBe(5 * paths.length); // and the JSON of each 16-bit map
  });

  it('other names are told', async () => {
    const { remark } = await written(['a/x.png', 'b/x.png', 'x-overlay.png']);
    expect(remark).toContain('The map files of 2 images are not named after the image');
    expect(remark).toContain('b/x.png: x-2, x-overlay.png: x-overlay-2.');
  });

  it.each([
    ['letters', 'a'.repeat(240)],
    ['letters of three bytes', '部'.repeat(80)],
    ['letters of four bytes', '😀'.repeat(60)],
  ])('long names of %s are cut, and stay apart', async (_, stem) => {
    const { names, there, remark } = await written([`${stem}.png`, `${stem}.jpg`]);
    expect(new Set(names.flat()).size).toBe(8);
    expect(there.length).toBe(10);
    expect(Math.max(...there.map((name) => Buffer.byteLength(name)))).toBeLessThan(250);
    expect(remark).toContain('2 images');
  });

  it('a backslash is a letter that no file gets', async () => {
    const { names } = await written(['a\\b.png'], ['picture']);
    expect(names).toEqual([[process.platform === 'win32' ? 'b.png' : 'a_b.png']]);
  });
});
