/** Files of several pages, from their bytes to items. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { writeTiff } from '../../../test/helpers/tiff.ts';
import { encodePng } from '../formats/png.ts';
import { decodeFile } from './decode.ts';
import { decodeImage } from './decode-image.ts';
import { folderSource } from './folder.ts';
import { inspect } from './inspect/index.ts';
import { readLayout } from './layout.ts';
import { pagePaths, splitPage } from './page-path.ts';

const base = mkdtempSync(join(tmpdir(), 'oddity-pages-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));
let made = 0;
function folder(files: Readonly<Record<string, Uint8Array | string>>): string {
  const root = join(base, String(made++));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return root;
}

/** A page of one value, 8 by 6. */
const page = (value: number, subfile?: number) => ({
  height: 6,
  width: 8,
  data: new Uint8Array(48).fill(value),
  ...(subfile !== undefined && { subfile }),
});
const stack = (...values: number[]) => writeTiff(values.map((value) => page(value)));
const firstOf = async (path: string) => (await decodeFile({ path, as: 'image', shape: [1, 6, 8] })).data[0];

describe('pages of a file', () => {
  it('are paths; copies and masks of pages are none', async () => {
    const root = folder({
      'a.tif': stack(10, 20, 30),
      'one.tif': stack(7),
      'copies.tif': writeTiff([page(1), page(2, 1), page(3), page(4, 4)]),
    });
    const at = (name: string) => join(root, name);
    expect(pagePaths(at('a.tif'))).toEqual([1, 2, 3].map((n) => at(`a.tif:${n}`)));
    expect(pagePaths(at('one.tif'))).toEqual([at('one.tif')]);
    expect(await Promise.all(pagePaths(at('a.tif')).map(firstOf))).toEqual([10, 20, 30]);
    expect(await Promise.all(pagePaths(at('copies.tif')).map(firstOf))).toEqual([1, 3]);
    await expect(firstOf(at('a.tif:4'))).rejects.toThrow(`${at('a.tif')} has no page 4; it has 3.`);
    await expect(firstOf(at('a.tif:0'))).rejects.toMatchObject({ code: 'no-page' });
    await expect(firstOf(at('none.tif:2'))).rejects.toMatchObject({ code: 'unreadable-file' });
    await expect(firstOf(at('a.tif'))).rejects.toThrow('a.tif has 3 pages, and an image is one of them. Name the page');
  });

  it('a file that is named so comes first', async () => {
    const root = folder({ 'a.tif:2': stack(9), 'a.tif': stack(1, 2) });
    expect(await firstOf(join(root, 'a.tif:2'))).toBe(9);
    expect(splitPage(join(root, 'a.tif:2'))).toEqual({ file: join(root, 'a.tif:2') });
  });

  it.each(['gif', 'webp'] as const)('of an animated %s', async (format) => {
    const frames = [40, 90, 140].map((value) =>
      encodePng({ height: 6, width: 8, channels: 3, data: new Uint8Array(144).fill(value) }),
    );
    const bytes = await sharp(frames, { join: { animated: true } })
      .toFormat(format, { lossless: true })
      .toBuffer();
    const root = folder({ [`a.${format}`]: new Uint8Array(bytes) });
    const paths = pagePaths(join(root, `a.${format}`));
    expect(paths.length).toBe(3);
    expect(await Promise.all(paths.map(firstOf))).toEqual([40, 90, 140]);
    await expect(decodeImage(new Uint8Array(bytes), 'x')).rejects.toMatchObject({ code: 'several-pages' });
  });

  it('are not read from a file that is cut, which is named', async () => {
    const whole = stack(1, 2, 3);
    const root = folder({ 'a.tif': whole.subarray(0, whole.length - 40) });
    expect(pagePaths(join(root, 'a.tif'))).toEqual([join(root, 'a.tif')]);
    await expect(firstOf(join(root, 'a.tif'))).rejects.toThrow(
      'must be a whole TIFF file, but it ends before its pages do',
    );
  });
});

describe('a folder with stacks', () => {
  const files = {
    'train/good/z.tif': stack(1, 2, 3),
    'train/good/one.tif': stack(4),
    'test/crack/y.tif': stack(5, 6),
    'ground_truth/crack/y_mask.tif': stack(0, 255),
    'test/crack/x.tif': stack(7, 8),
    'ground_truth/crack/x.tif': stack(255),
  };

  it('has an item for each page, with its mask', async () => {
    const { items, explanation, warnings, root } = await readLayout(folder(files));
    expect(items.map(({ id, mask }) => [id, mask?.slice(root.length + 1)])).toEqual([
      ['test/crack/x.tif:1', undefined],
      ['test/crack/x.tif:2', undefined],
      ['test/crack/y.tif:1', 'ground_truth/crack/y_mask.tif:1'],
      ['test/crack/y.tif:2', 'ground_truth/crack/y_mask.tif:2'],
      ['train/good/one.tif', undefined],
      ['train/good/z.tif:1', undefined],
      ['train/good/z.tif:2', undefined],
      ['train/good/z.tif:3', undefined],
    ]);
    expect(explanation).toContain(
      '8 images; train: 4 normal; test: 4 anomalous (crack 4); 2 masks; 3 files of several pages give 7 of the images.',
    );
    expect(warnings).toEqual([expect.objectContaining({ code: 'mask-pages', paths: ['test/crack/x.tif'] })]);
  });

  it('is read page by page; pages of one value are not copies of others', async () => {
    const source = await folderSource({ layout: await readLayout(folder(files)), size: [6, 8] });
    const out = new Float32Array(48 * 8);
    await source.read([0, 1, 2, 3, 4, 5, 6, 7], out);
    expect(Array.from({ length: 8 }, (_, i) => Math.round(255 * out[48 * i]))).toEqual([7, 8, 5, 6, 4, 1, 2, 3]);
    const masks = new Uint8Array(96);
    await source.readMasks?.([2, 3], masks);
    expect([masks[0], masks[48]]).toEqual([0, 1]);
    expect(new Set(source.items.map(({ content }) => content)).size).toBe(8);
    await source.close?.();
  });

  it('is inspected page by page', async () => {
    const found = await inspect({ path: folder(files) });
    expect(found).toMatchObject({ counts: { train: { good: 4 }, test: { crack: 4 } }, sizes: { '8x6': 8 }, masks: 2 });
    expect(found.findings.map(({ check }) => check)).not.toContain('wrong-extension');
  });

  it('a list names a stack, or one of its pages', async () => {
    const list = 'path,label\na.tif,0\nb.tif:2,crack\n';
    const { items } = await readLayout(
      join(folder({ 'list.csv': list, 'a.tif': stack(1, 2), 'b.tif': stack(3, 4) }), 'list.csv'),
    );
    expect(items.map(({ id, type }) => `${id} ${type}`)).toEqual(['a.tif:1 good', 'a.tif:2 good', 'b.tif:2 crack']);
  });
});
