/** Masks beside their images, by what files hold. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import type { Event } from '../../core/events.ts';
import { encodePng } from '../formats/png.ts';
import { findImages } from './image-paths.ts';
import { inspect } from './inspect/index.ts';
import { readLayout } from './layout.ts';

const base = mkdtempSync(join(tmpdir(), 'oddity-beside-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));

const SIDE = 24;
const grey = (value: (x: number, y: number) => number, side = SIDE) => ({
  height: side,
  width: side,
  channels: 1 as const,
  data: Uint8Array.from({ length: side * side }, (_, p) => value(p % side, Math.floor(p / side))),
});
const png = (...given: Parameters<typeof grey>) => encodePng(grey(...given));
const photo = (n: number) => (x: number, y: number) => 120 + 60 * Math.sin(x / 3 + n) + 50 * Math.cos(y / 4 + n * n);
const square =
  (value: number, from = 4, to = 10) =>
  (x: number, y: number) =>
    x >= from && x < to && y >= from && y < to ? value : 0;
const jpeg = async (value: (x: number, y: number) => number, side = SIDE) => {
  const { data, height, width } = grey(value, side);
  return new Uint8Array(
    await sharp(data, { raw: { height, width, channels: 1 } })
      .toColourspace('b-w')
      .jpeg()
      .toBuffer(),
  );
};

let made = 0;
async function folder(files: Readonly<Record<string, Uint8Array | Promise<Uint8Array>>>): Promise<string> {
  const root = join(base, String(made++));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), await content);
  }
  return root;
}

/** `good/0.jpg` and its empty mask, `crack/0.jpg` and its mask, and so on. */
function parts(mask: Uint8Array | Promise<Uint8Array> = png(square(255)), ending = 'png', empty = png(() => 0)) {
  const files: Record<string, Uint8Array | Promise<Uint8Array>> = {};
  for (let i = 0; i < 6; i++) {
    files[`good/${i}.jpg`] = jpeg(photo(i));
    files[`good/${i}.${ending}`] = empty;
  }
  for (let i = 0; i < 3; i++) {
    files[`crack/${i}.jpg`] = jpeg(photo(10 + i));
    files[`crack/${i}.${ending}`] = mask;
  }
  return files;
}

describe('a mask beside its image', () => {
  it('is paired, is no image, and is told', async () => {
    const { items, explanation, warnings, root } = await readLayout(await folder(parts()));
    expect(explanation).toBe(
      'Folders by label: 9 images; not split: 6 normal and 3 anomalous (crack 3); 3 masks; 9 files beside images of the ' +
        'same name are masks by what they hold (crack/0.png, crack/1.png, crack/2.png, …).',
    );
    expect(items.every(({ id }) => id.endsWith('.jpg'))).toBe(true);
    expect(items.filter(({ mask }) => mask).map(({ id, mask }) => [id, mask?.slice(root.length + 1)])).toEqual([
      ['crack/0.jpg', 'crack/0.png'],
      ['crack/1.jpg', 'crack/1.png'],
      ['crack/2.jpg', 'crack/2.png'],
    ]);
    expect(warnings).toEqual([]);
  });

  it('goes through inspect', async () => {
    const found = await inspect({ path: await folder(parts()) });
    expect(found).toMatchObject({ masks: 3, errors: 0, counts: { none: { good: 6, crack: 3 } } });
    expect(found.findings.map(({ check }) => check)).not.toContain('duplicates');
  });

  it.each([
    ['numbers of defects', png((x, y) => square(1)(x, y) + square(2, 12, 18)(x, y)), 'png'],
    ['soft edges', png((x, y) => square(255, 4, 16)(x, y) || (x === 16 && y > 3 && y < 9 ? 90 + 20 * y : 0)), 'png'],
    [
      'three channels',
      encodePng({ ...grey(() => 0), channels: 3, data: new Uint8Array(3 * SIDE * SIDE).fill(255, 0, 90) }),
      'png',
    ],
    [
      '16 bits',
      encodePng({ ...grey(() => 0), data: Uint16Array.from(grey(square(65_535)).data, (v) => (v ? 65_535 : 0)) }),
      'png',
    ],
    ['half of the image', png((x) => (x < 12 ? 255 : 0)), 'png'],
  ])('%s', async (_, mask, ending) => {
    const { items } = await readLayout(await folder(parts(mask, ending)));
    expect([items.length, items.filter((item) => item.mask).length]).toEqual([9, 3]);
  });

  it('packed as JPEG, beside PNG images', async () => {
    const files: Record<string, Uint8Array | Promise<Uint8Array>> = { 'good/0.png': png(photo(1)) };
    for (let i = 0; i < 3; i++) {
      files[`dent/${i}.png`] = png(photo(2 + i), 64);
      files[`dent/${i}.jpg`] = jpeg(square(255, 8, 32), 64);
    }
    const { items, root } = await readLayout(await folder(files));
    expect(items.map(({ id, mask }) => [id, mask?.slice(root.length + 1)])).toEqual([
      ['dent/0.png', 'dent/0.jpg'],
      ['dent/1.png', 'dent/1.jpg'],
      ['dent/2.png', 'dent/2.jpg'],
      ['good/0.png', undefined],
    ]);
  });

  it('of a normal image stays where it marks something, for inspect to say', async () => {
    const found = await inspect({ path: await folder({ ...parts(), 'good/2.png': png(square(255)) }) });
    expect(found.findings.map(({ check, paths }) => [check, paths])).toContainEqual(['mask-on-normal', ['good/2.jpg']]);
  });

  it('named _seg or -mask is known without a look', async () => {
    const files = { 'good/0.png': png(photo(0)), 'bad/1.jpg': jpeg(photo(1)), 'bad/1_seg.png': png(photo(2)) };
    const { items } = await readLayout(await folder(files));
    expect(items.map(({ id, mask }) => [id, mask !== undefined])).toEqual([
      ['bad/1.jpg', true],
      ['good/0.png', false],
    ]);
  });
});

describe('what is not clear is asked', () => {
  const code = (wanted: string) => expect.objectContaining({ name: 'DataError', code: wanted });

  it.each([
    [
      'most of the values are not 0',
      { 'bad/1.jpg': jpeg(photo(1)), 'bad/1.png': png((x, y) => (square(1)(x, y) ? 0 : 7)) },
    ],
    [
      'both have few values',
      { 'bad/1.bmp.png': png(photo(1)), 'bad/2.png': png(square(9)), 'bad/2.gif': gif(square(7)) },
    ],
    ['another size', { 'bad/1.jpg': jpeg(photo(1)), 'bad/1.png': png(square(255), 12) }],
    [
      'three files of one name',
      { 'bad/1.jpg': jpeg(photo(1)), 'bad/1.webp': webp(photo(2)), 'bad/1.png': png(square(255)) },
    ],
    ['masks beside some, images beside others', { ...parts(), 'crack/2.png': png(photo(7)) }],
  ])('%s', async (_, files) => {
    const root = await folder({ 'good/0.png': png(photo(0)), ...files });
    await expect(readLayout(root)).rejects.toThrow(code('mask-or-image'));
    await expect(inspect({ path: root })).rejects.toThrow('_mask.png), or put them into a folder named masks');
    await expect(findImages([root])).rejects.toThrow(code('mask-or-image'));
  });

  it('names the files and what they hold', async () => {
    const files = {
      'good/0.png': png(photo(0)),
      'bad/1.jpg': jpeg(photo(1)),
      'bad/1.png': png((x) => (x < 6 ? 0 : 7)),
    };
    await expect(readLayout(await folder(files))).rejects.toThrow(
      'Are these images, or is one the mask of the other? bad/1.jpg has many values, 1 % of its pixels are 0; bad/1.png has ' +
        '2 values, 25 % of its pixels are 0. Give masks the name of their image and _mask (bad/1_mask.png), or put them',
    );
  });

  it('two pictures of one name are two images, and a broken one is left to the decoder', async () => {
    const two = {
      'good/0.png': png(photo(0)),
      'good/0.jpg': jpeg(photo(0)),
      'good/1.png': new Uint8Array(0),
      'good/1.jpg': jpeg(photo(2)),
    };
    expect((await readLayout(await folder(two))).items.length).toBe(4);
  });
});

describe('predict', () => {
  const hear = () => {
    const events: Event[] = [];
    return { events, onEvent: (event: Event) => events.push(event) };
  };

  it('leaves masks out of folders, patterns and lists, and says so', async () => {
    const root = await folder({ ...parts(), 'masks/crack/7.png': png(square(1)) });
    const images = [...Array(3).keys()].map((i) => join(root, 'crack', `${i}.jpg`));
    const good = [...Array(6).keys()].map((i) => join(root, 'good', `${i}.jpg`));
    const { events, onEvent } = hear();
    expect(await findImages([root], onEvent)).toEqual([...images, ...good]);
    expect(events).toEqual([expect.objectContaining({ code: 'masks-left-out' })]);
    expect(await findImages([join(root, 'crack', '*')])).toEqual(images);
    expect(await findImages([...images, join(root, 'crack', '1.png')])).toEqual(images);
    await expect(findImages([join(root, '*/*.png')])).rejects.toThrow('there are masks of images only, such as');
  });

  it('takes a mask that is named alone', async () => {
    const root = await folder(parts());
    expect(await findImages([join(root, 'crack', '1.png')])).toEqual([join(root, 'crack', '1.png')]);
  });
});

function gif(value: (x: number, y: number) => number): Promise<Uint8Array> {
  return picture(value)
    .gif()
    .toBuffer()
    .then((bytes) => new Uint8Array(bytes));
}
function webp(value: (x: number, y: number) => number): Promise<Uint8Array> {
  return picture(value)
    .webp({ lossless: true })
    .toBuffer()
    .then((bytes) => new Uint8Array(bytes));
}
function picture(value: (x: number, y: number) => number) {
  const { data, height, width } = grey(value);
  return sharp(data, { raw: { height, width, channels: 1 } });
}
