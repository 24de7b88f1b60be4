import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Event } from '../../core/events.ts';
import { Rng } from '../../core/random.ts';
import { encodePng } from '../formats/png.ts';
import { findProtocol } from '../protocols/index.ts';
import { dataPath, findDataset } from './datasets/index.ts';
import { type FolderSourceOptions, folderSource } from './folder.ts';
import { findImages } from './image-paths.ts';
import type { Layout, LayoutItem } from './layout.ts';

const hasSharp = await import('sharp').then(
  () => true,
  () => false,
);
const root = mkdtempSync(join(tmpdir(), 'oddity-folder-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A grey PNG of one value, with one pixel of another one. */
function png(value: number, { size = 8, mark = value }: { size?: number; mark?: number } = {}): Uint8Array {
  const data = new Uint8Array(size * size).fill(value);
  data[size + 1] = mark;
  return encodePng({ height: size, width: size, channels: 1, data });
}

function put(path: string, content: Uint8Array | string): string {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  return file;
}

/** `train/good 3` images and so on, below a folder of their own. */
function layoutOf(name: string, items: readonly (Partial<LayoutItem> & { content: Uint8Array | string })[]): Layout {
  return {
    root: join(root, name),
    kind: 'mvtec',
    explanation: `${items.length} images.`,
    warnings: [],
    items: items.map(({ content, id = 'x', ...item }, i) => ({
      part: 'train',
      label: 'normal',
      type: 'good',
      ...item,
      id: `${i}-${id}`,
      path: put(`${name}/${i}-${id}`, content),
    })),
  };
}

const small: Partial<FolderSourceOptions> = { size: [4, 4] };
const open = (layout: Layout, options: Partial<FolderSourceOptions> = {}) =>
  folderSource({ ...small, ...options, layout });
const refused = (layout: Layout, options?: Partial<FolderSourceOptions>) =>
  open(layout, options).then(
    () => Promise.reject(new Error('was not refused')),
    (error) => error,
  );
const bad = { label: 'abnormal', part: 'test' } as const;

describe.skipIf(!hasSharp)('folderSource', () => {
  test('classes, parts, pixels and masks, whatever memory holds', async () => {
    const mask = put('s/mask.png', png(0, { mark: 255 }));
    const layout = layoutOf('s', [
      { id: 'a b.png', content: png(10) },
      { id: 'ö-日本.png', content: png(20), part: 'validation' },
      { id: 'c.png', content: png(30), part: 'test' },
      { id: 'd.png', content: png(40), ...bad, type: 'crack', mask },
      { id: 'e.png', content: png(50), ...bad, type: 'hole' },
    ]);
    const source = await open(layout);
    expect(source).toMatchObject({ shape: [1, 4, 4], classes: ['good', 'crack', 'hole'], normalClass: 0 });
    expect(source.items.map((i) => [i.class, i.part])).toEqual([
      [0, 'train'],
      [0, 'validation'],
      [0, 'test'],
      [1, 'test'],
      [2, 'test'],
    ]);
    const out = new Float32Array(32);
    await source.read([4, 0], out);
    expect(out).toEqual(Float32Array.from({ length: 32 }, (_, i) => (i < 16 ? 50 : 10) / 255));
    const masks = new Uint8Array(48).fill(9);
    await source.readMasks?.([3, 0, 4], masks);
    expect([...masks]).toEqual([1, ...Array(47).fill(0)]);
    expect([0, 3, 4].map((i) => source.hasMask?.(i))).toEqual([true, true, false]);
    await expect(source.read([5], new Float32Array(16))).rejects.toThrow('0 … 4, got 5');

    const forgetful = await open(layout, { cacheBytes: 0 });
    expect(forgetful.hash).toBe(source.hash);
    const again = new Float32Array(32);
    await forgetful.read([4, 0], again);
    expect(again).toEqual(out);
    await Promise.all([source.close?.(), forgetful.close?.()]);
    await expect(forgetful.read([0], new Float32Array(16))).rejects.toMatchObject({ code: 'cancelled' });
  });

  test('colour when one file has colour; the hash follows pixels, shape and labels', async () => {
    const colour = encodePng({ height: 8, width: 8, channels: 3, data: new Uint8Array(192) });
    const source = await open(layoutOf('c', [{ content: png(1) }, { content: colour }]));
    expect(source.shape).toEqual([3, 4, 4]);
    const hash = async (content: Uint8Array, options = {}, item = {}) =>
      (await open(layoutOf('h', [{ content, ...item }]), options)).hash;
    const one = await hash(png(1));
    expect(await hash(png(1))).toBe(one);
    expect(await hash(png(2))).not.toBe(one);
    expect(await hash(png(1), { size: [4, 6] })).not.toBe(one);
    expect(await hash(png(1), {}, { part: 'test' })).not.toBe(one);
  });

  test('one broken file is named, of many all', async () => {
    const cut = png(3).subarray(0, 50);
    expect(await refused(layoutOf('b1', [{ content: png(1) }, { id: 'cut.png', content: cut }]))).toMatchObject({
      code: 'unreadable-image',
      message: expect.stringContaining('1-cut.png must be a whole image file'),
    });
    const broken = ['', 'text', ''].map((content) => ({ content }));
    const error = await refused(layoutOf('b2', [{ content: png(1) }, ...broken]));
    expect(error).toMatchObject({ name: 'DataError', code: 'broken-images' });
    expect(error.message).toMatch(/^3 of 4 images cannot be used: .*is empty.*is empty.*Repair or remove them\.$/);
    const gone = layoutOf('b3', [{ content: png(1) }]);
    rmSync(gone.items[0].path);
    expect((await refused(gone)).message).toContain('file not found');
  });

  test('images keep the middle size of their files, in multiples of 32 and within bounds', async () => {
    const layout = layoutOf(
      'sizes',
      [100, 170, 300].map((size) => ({ content: png(1, { size }) })),
    );
    const shapeFor = async (atMost: number) => (await open(layout, { size: { atMost } })).shape;
    expect(await shapeFor(512)).toEqual([1, 160, 160]);
    expect(await shapeFor(128)).toEqual([1, 128, 128]);
    const tiny = layoutOf('tiny', [{ content: png(1, { size: 8 }) }]);
    expect((await open(tiny, { size: { atMost: 512 } })).shape).toEqual([1, 64, 64]);
    expect(await refused(layout, { size: { atMost: 2 } })).toMatchObject({ code: 'image-size' });
  });

  test('huge images, masks of another size, strange sizes and empty layouts are refused', async () => {
    const huge = layoutOf('l', [{ content: png(1) }]);
    expect(await refused(huge, { maxPixels: 63 })).toMatchObject({ code: 'image-too-large' });
    const mask = put('m/mask.png', png(0, { size: 5 }));
    expect((await refused(layoutOf('m', [{ content: png(1), ...bad, type: 'x', mask }]))).message).toMatch(
      /mask\.png is 5x5 and .*0-x is 8x8\. Make the mask again, or remove it\.$/,
    );
    expect(await refused(huge, { size: [0, 4] })).toMatchObject({ code: 'image-size' });
    expect(await refused(huge, { channels: 2 as 1 })).toMatchObject({ code: 'channels' });
    expect(await refused({ ...huge, items: [] })).toMatchObject({ code: 'no-images' });
  });

  test('a name that says another format is a warning', async () => {
    const events: Event[] = [];
    await open(layoutOf('w', [{ id: 'a.jpg', content: png(1) }]), { onEvent: (e) => events.push(e) });
    expect(events).toContainEqual(expect.objectContaining({ type: 'warning', code: 'wrong-ending' }));
  });
});

describe.skipIf(!hasSharp)('protocols of folders', () => {
  const many = (n: number, item: Partial<LayoutItem>, from = 0) =>
    Array.from({ length: n }, (_, i) => ({ content: png(from + i), ...item }));
  const split = async (name: string, items: Parameters<typeof layoutOf>[1], protocol = 'folder', options = {}) => {
    const source = await open(layoutOf(name, items));
    return findProtocol(protocol).split(source, { rng: new Rng(1), ...options });
  };
  const scratch = { ...bad, type: 'scratch' };

  test('folder: official parts; its own validation part', async () => {
    const official = [...many(10, {}), ...many(2, { part: 'test' }, 50), ...many(3, scratch, 90)];
    const made = await split('p1', official);
    expect(made).toMatchObject({ protocol: 'folder', leakFree: true, prevalence: 0.6 });
    expect([made.train.length, made.validation.length]).toEqual([9, 1]);
    expect([...made.trainLabels]).toEqual(Array(9).fill(0));
    expect([...made.test]).toEqual([10, 11, 12, 13, 14]);
    expect([...made.testLabels]).toEqual([0, 0, 1, 1, 1]);
    const own = await split('p2', [...official, ...many(4, { part: 'validation' }, 200)]);
    expect([own.train.length, [...own.validation]]).toEqual([10, [15, 16, 17, 18]]);
  });

  test('folder: without parts a fifth of the normals tests, drawn by the seed', async () => {
    const items = [...many(20, { part: undefined }), ...many(3, { ...scratch, part: undefined }, 90)];
    const made = await split('p3', items);
    expect([made.train.length, made.validation.length, made.test.length]).toEqual([14, 2, 7]);
    expect(made.testLabels.reduce((n, y) => n + y, 0)).toBe(3);
    expect(made.description).toContain('4 normal images, chosen by seed, are used for testing');
    const other = await split('p3', items, 'folder', { rng: new Rng(2) });
    expect(other.test).not.toEqual(made.test);
  });

  test('folder: all normal trains without a measure; one image, or anomalies only, do not', async () => {
    expect((await split('p4', many(10, {}))).prevalence).toBe(0);
    await expect(split('p5', many(1, {}))).rejects.toMatchObject({ code: 'too-few-items' });
    await expect(split('p6', many(5, scratch))).rejects.toMatchObject({ code: 'too-few-items' });
    await expect(split('p6', many(5, scratch), 'folder', { class: 'good' })).rejects.toMatchObject({
      code: 'empty-class',
      message:
        'p6 must hold normal images to train on, but all 5 are anomalous. Name the folder of normal images with `folderNames.normal`, or add some.',
    });
    await expect(split('p4', many(10, {}), 'folder', { class: 3 })).rejects.toMatchObject({ code: 'unknown-class' });
  });

  test('copies of training images in the test part are a leak', async () => {
    const made = await split('p7', [...many(5, {}), ...many(1, { part: 'test' }), ...many(1, scratch, 90)]);
    expect(made.leakFree).toBe(false);
  });

  test('labelled: anomalies of the training part train; a share of them, or half of the test part', async () => {
    const items = [...many(10, {}), ...many(4, { ...scratch, part: 'train' }, 50), ...many(2, { part: 'test' }, 80)];
    const made = await split('p8', [...items, ...many(4, scratch, 90)], 'labelled');
    expect(made.train.length).toBe(13);
    expect([...made.trainLabels]).toEqual(Array.from(made.train, (i) => (i >= 10 ? 1 : 0)));
    expect([...made.validation].every((i) => i < 10)).toBe(true);
    const few = await split('p8', [...items, ...many(4, scratch, 90)], 'labelled', { labelledFraction: 0.25 });
    expect(few.trainLabels.reduce((n, y) => n + y, 0)).toBe(1);
    const halves = await split('p9', [...many(10, {}), ...many(4, scratch, 90)], 'labelled');
    expect(halves.trainLabels.reduce((n, y) => n + y, 0)).toBe(2);
    expect(halves.testLabels.reduce((n, y) => n + y, 0)).toBe(2);
    await expect(split('p10', many(10, {}), 'labelled')).rejects.toMatchObject({ code: 'no-labelled-anomalies' });
  });
});

describe.skipIf(!hasSharp)('data sets by name and path', () => {
  const mvtec = (path: string) => put(`data/mvtec/bottle/${path}`, png(path.length, { mark: 255 }));
  for (const i of [0, 1, 2]) mvtec(`train/good/00${i}.png`);
  mvtec('test/good/000.png');
  mvtec('test/broken_large/000.png');
  mvtec('ground_truth/broken_large/000_mask.png');
  const image = (path: string) => put(`data/visa/${path}`, png(path.length));
  const rows = ['object,split,label,image,mask'];
  for (const i of [0, 1]) {
    rows.push(`candle,train,normal,candle/Data/Images/Normal/000${i}.JPG,`);
    image(`candle/Data/Images/Normal/000${i}.JPG`);
  }
  rows.push('candle,test,anomaly,candle/Data/Images/Anomaly/000.JPG,candle/Data/Masks/Anomaly/000.png');
  image('candle/Data/Images/Anomaly/000.JPG');
  put('data/visa/candle/Data/Masks/Anomaly/000.png', png(0, { mark: 2 }));
  put('data/visa/split_csv/1cls.csv', `${rows.join('\n')}\n`);
  const options = { root: join(root, 'data'), size: [8, 8] as const };

  test('mvtec:bottle asks for its licence and reads the real layout', async () => {
    const bottle = findDataset('mvtec:bottle');
    await expect(bottle.load(options)).rejects.toThrow(
      'mvtec may be used under its licence only: CC BY-NC-SA 4.0: name the authors, no commercial use, share alike. ' +
        'Accept it with `acceptLicence: true`.',
    );
    const source = await bottle.load({ ...options, acceptLicence: true });
    expect(source).toMatchObject({ name: 'mvtec:bottle', classes: ['good', 'broken_large'] });
    expect(source.items.map((i) => i.part).filter((part) => part === 'train').length).toBe(3);
    await expect(findDataset('mvtec:screw').load(options)).rejects.toMatchObject({ code: 'missing-data' });
  });

  test('visa:candle follows its own split; masks are numbers of defects', async () => {
    const source = await findDataset('visa:candle').load({ ...options, acceptLicence: true });
    expect(source.items.map((i) => [i.class, i.part])).toEqual([
      [0, 'train'],
      [0, 'train'],
      [1, 'test'],
    ]);
    const mask = new Uint8Array(64);
    await source.readMasks?.([2], mask);
    expect(mask.indexOf(1)).toBe(9);
  });

  test('names, categories and paths are told apart', () => {
    expect(dataPath('mnist')).toBe(undefined);
    expect(dataPath('mvtec:bottle')).toBe(undefined);
    expect(dataPath('a/b')).toBe(join(process.cwd(), 'a', 'b'));
    expect(dataPath('list.csv')).toBe(join(process.cwd(), 'list.csv'));
    expect(dataPath(root)).toBe(root);
    expect(findDataset(join(root, 'data'))).toMatchObject({ name: 'data', isOfFiles: true });
    expect(() => findDataset('mvtec')).toThrow(expect.objectContaining({ code: 'missing-category' }));
    expect(() => findDataset('mvtec:botle')).toThrow('Did you mean "bottle"?');
    expect(() => findDataset('mnist:1')).toThrow(expect.objectContaining({ code: 'unknown-category' }));
    expect(() => findDataset('mnits')).toThrow('Did you mean "mnist"?');
  });
});

describe('findImages', () => {
  const at = (...parts: string[]) => join(root, 'f', ...parts);
  for (const path of ['10.png', '2.png', 'sub/deep/ü 1.JPG', 'notes.txt']) put(`f/${path}`, 'x');
  put('g/notes.txt', 'x');
  put('elsewhere/secret.png', 'x');
  symlinkSync(join(root, 'elsewhere'), at('link'));

  test('folders, patterns and files', async () => {
    const events: Event[] = [];
    const found = await findImages([at(), at('notes.txt'), at('gone.png')], (e) => events.push(e));
    expect(found).toEqual(['2.png', '10.png', 'sub/deep/ü 1.JPG', 'notes.txt', 'gone.png'].map((p) => at(p)));
    expect(events).toEqual([expect.objectContaining({ type: 'warning', code: 'link-outside' })]);
    expect(await findImages([at('*.png')])).toEqual([at('2.png'), at('10.png')]);
    expect(await findImages([at('**', '?? 1.*')]).catch((e) => e.code)).toBe('no-images');
    expect(await findImages([at('**', '? 1.*')])).toEqual([at('sub/deep/ü 1.JPG')]);
    await expect(findImages([join(root, 'g')])).rejects.toMatchObject({ code: 'no-images' });
  });
});
