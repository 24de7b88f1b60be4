import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { writeTiff } from '../../../test/helpers/tiff.ts';
import { DataError } from '../../core/errors.ts';
import { readBmp } from '../formats/bmp.ts';
import { checkHeader } from '../formats/check-header.ts';
import { isImageName, readHeader } from '../formats/header.ts';
import { encodePng } from '../formats/png.ts';
import { decodeImage } from './decode-image.ts';
import { dataRoot } from './root.ts';

const sharp = await import('sharp').then(
  (m) => m.default,
  () => undefined,
);
const photos = join(dataRoot(), 'photos');
const code = (wanted: string) => expect.objectContaining({ name: 'DataError', code: wanted });

/** 2x3 pixels of colours that lie far apart, large enough for JPEG: each 8x8 times. */
const colours = [
  [255, 0, 0],
  [0, 255, 0],
  [0, 0, 255],
  [255, 255, 255],
  [0, 0, 0],
  [128, 128, 128],
];
const picture = Uint8Array.from({ length: 16 * 24 * 3 }, (_, i) => {
  const [c, x, y] = [i % 3, Math.floor(i / 3) % 24, Math.floor(i / 72)];
  return colours[Math.floor(y / 8) * 3 + Math.floor(x / 8)][c];
});
const raw = () => sharp!(picture, { raw: { width: 24, height: 16, channels: 3 } });

/** The pixel in the middle of block (row, column). */
const block = (p: { width: number; channels: number; data: ArrayLike<number> }, row: number, column: number) =>
  Array.from({ length: p.channels }, (_, c) => p.data[((8 * row + 4) * p.width + 8 * column + 4) * p.channels + c]);

describe.skipIf(!sharp)('decodeImage', () => {
  test.each(['png', 'webp', 'tiff', 'gif'] as const)('%s comes back exactly', async (format) => {
    const bytes = new Uint8Array(
      await raw()
        .toFormat(format, { lossless: true, ...(format === 'tiff' && { compression: 'lzw' }) })
        .toBuffer(),
    );
    expect(readHeader(bytes)).toMatchObject({ format, height: 16, width: 24, channels: 3, bits: 8 });
    const image = await decodeImage(bytes, 'x');
    expect(image).toMatchObject({ height: 16, width: 24, channels: 3 });
    expect(Uint8Array.from(image.data)).toEqual(picture);
  });

  test('JPEG in colour, in grey and as CMYK', async () => {
    const colour = await decodeImage(await raw().jpeg({ quality: 95, chromaSubsampling: '4:4:4' }).toBuffer(), 'x');
    expect(Math.abs(block(colour, 0, 1)[1] - 255)).toBeLessThan(5);
    const greyBytes = await raw().toColourspace('b-w').jpeg().toBuffer();
    expect(readHeader(greyBytes)).toMatchObject({ format: 'jpeg', height: 16, width: 24, channels: 1 });
    expect((await decodeImage(greyBytes, 'x')).channels).toBe(1);
    const cmykBytes = await raw().toColourspace('cmyk').jpeg({ quality: 95 }).toBuffer();
    expect(readHeader(cmykBytes)?.channels).toBe(4);
    const cmyk = await decodeImage(cmykBytes, 'x');
    expect(cmyk.channels).toBe(3);
    const [red] = block(cmyk, 0, 0);
    expect(red).toBeGreaterThan(200);
    expect(Math.min(...block(cmyk, 1, 0))).toBeGreaterThan(240);
  });

  test('16 bits stay 16 bits, in PNG and TIFF', async () => {
    const data = Uint16Array.from({ length: 12 }, (_, i) => i * 5461);
    const png = encodePng({ height: 3, width: 4, channels: 1, data });
    expect(readHeader(png)).toMatchObject({ channels: 1, bits: 16 });
    expect((await decodeImage(png, 'x')).data).toEqual(data);
    const tiff = await sharp!(png).toColourspace('grey16').tiff({ compression: 'none' }).toBuffer();
    expect(readHeader(tiff)).toMatchObject({ format: 'tiff', channels: 1, bits: 16 });
    expect((await decodeImage(tiff, 'x')).data).toEqual(data);
    const colour = await raw().toColourspace('rgb16').png().toBuffer();
    const deep = await decodeImage(colour, 'x');
    expect(deep.data).toBeInstanceOf(Uint16Array);
    expect(block(deep, 0, 0)).toEqual([65535, 0, 0]);
  });

  test('EXIF turns are made', async () => {
    const turned = await raw().withMetadata({ orientation: 6 }).jpeg({ quality: 95 }).toBuffer();
    const image = await decodeImage(turned, 'x');
    expect([image.height, image.width]).toEqual([24, 16]); // 6: turn to the right; the first row becomes the last column
    expect(block(image, 0, 1)[0]).toBeGreaterThan(240);
    expect(block(image, 0, 1)[2]).toBeLessThan(15);
  });

  test('transparent pixels are laid over white, those of masks over black; opaque ones stay', async () => {
    const half = new Uint8Array(await raw().ensureAlpha(0.5).png().toBuffer());
    const image = await decodeImage(half, 'x');
    expect(image.channels).toBe(3);
    const over = (behind: number) => picture.map((v) => Math.floor(behind + ((v - behind) * 127) / 255 + 0.5));
    expect(Uint8Array.from(image.data)).toEqual(over(255));
    expect(Uint8Array.from((await decodeImage(half, 'x', undefined, 'black')).data)).toEqual(over(0));
    const opaque = await decodeImage(await raw().ensureAlpha(1).png().toBuffer(), 'x');
    expect(Uint8Array.from(opaque.data)).toEqual(picture);
    const two = Uint8Array.from({ length: 2 * 12 }, (_, i) => (i % 2 === 0 ? 40 : i < 12 ? 0 : 255));
    const grey = await sharp!(two, { raw: { width: 4, height: 3, channels: 2 } })
      .toColourspace('b-w')
      .png()
      .toBuffer();
    const laid = await decodeImage(grey, 'x');
    expect([laid.channels, [...laid.data]]).toEqual([1, Array.from({ length: 12 }, (_, p) => (p < 6 ? 255 : 40))]);
    const deep = await raw().ensureAlpha(0).toColourspace('rgb16').png().toBuffer();
    expect((await decodeImage(deep, 'x')).data.every((v) => v === 65_535)).toBe(true);
  });

  test('a fourth channel of TIFF that is no transparency is left out', async () => {
    const data = Uint8Array.from({ length: 4 * 12 }, (_, i) => 5 * i);
    const rgb = data.filter((_, i) => i % 4 < 3);
    const file = (extra: number) => writeTiff([{ height: 3, width: 4, channels: 4, data, extra }]);
    expect(Uint8Array.from((await decodeImage(file(0), 'x')).data)).toEqual(rgb);
    expect(Uint8Array.from((await decodeImage(file(2), 'x')).data)).not.toEqual(rgb);
  });

  test.each([
    ['floats', Float32Array.from({ length: 12 }, (_, i) => 30 * i - 100.5)],
    ['signed', Int16Array.from({ length: 12 }, (_, i) => 300 * i - 1000)],
    ['32 bits', Uint32Array.from({ length: 12 }, (_, i) => 100_000 * i)],
  ])('%s are the numbers of the file', async (_, data) => {
    const image = await decodeImage(writeTiff([{ height: 3, width: 4, data }]), 'x.tif');
    expect(image).toEqual({ height: 3, width: 4, channels: 1, data: Float32Array.from(data), isRaw: true });
  });

  test('floats in colour, and those that are no numbers', async () => {
    const data = Float32Array.from({ length: 36 }, (_, i) => i / 7 - 1);
    expect(await decodeImage(writeTiff([{ height: 3, width: 4, channels: 3, data }]), 'x')).toMatchObject({
      channels: 3,
      data,
    });
    data[5] = Number.NaN;
    await expect(decodeImage(writeTiff([{ height: 3, width: 4, channels: 3, data }]), 'x.tif')).rejects.toThrow(
      'x.tif must have finite values, but 1 of its 36 are NaN or infinite.',
    );
  });

  test('what is broken is refused with its own sentence', async () => {
    const jpeg = new Uint8Array(await raw().jpeg().toBuffer());
    const png = encodePng({ height: 16, width: 24, channels: 3, data: picture });
    await expect(decodeImage(new Uint8Array(0), 'a.png')).rejects.toThrow('a.png must be an image, but it is empty');
    await expect(decodeImage(new TextEncoder().encode('no image'), 'a.png')).rejects.toThrow(code('not-an-image'));
    await expect(decodeImage(jpeg.subarray(0, jpeg.length - 60), 'a.jpg')).rejects.toThrow(code('unreadable-image'));
    await expect(decodeImage(png.subarray(0, 60), 'a.png')).rejects.toThrow('It is damaged or truncated.');
    await expect(decodeImage(png, 'a.png', 383)).rejects.toThrow(
      'a.png must have at most 383 pixels, found 16x24 pixels. Make it smaller, or raise `maxPixels`.',
    );
    expect((await decodeImage(png, 'a.png', 384)).width).toBe(24);
    const bands = Uint8Array.of(0xff, 0xd8, 0xff, 0xc0, 0, 23, 8, 0, 8, 0, 8, 5); // a JPEG frame of 8x8 with 5 components
    expect(() => checkHeader(bands, 'a.tif')).toThrow(
      'a.tif must be grey, RGB or CMYK, found 5 channels. Convert it first.',
    );
  });
});

describe('bmp', () => {
  /** A BMP with a header of 40 bytes. */
  function bmp(o: {
    width: number;
    height: number;
    bits: number;
    rows: number[];
    palette?: number[];
    packing?: number;
  }) {
    const palette = o.palette ?? [];
    const bytes = new Uint8Array(54 + palette.length + o.rows.length);
    const view = new DataView(bytes.buffer);
    bytes.set([0x42, 0x4d]);
    view.setUint32(10, 54 + palette.length, true);
    view.setUint32(14, 40, true);
    view.setInt32(18, o.width, true);
    view.setInt32(22, o.height, true);
    view.setUint16(26, 1, true);
    view.setUint16(28, o.bits, true);
    view.setUint32(30, o.packing ?? 0, true);
    view.setUint32(46, palette.length / 4, true);
    bytes.set([...palette, ...o.rows], 54);
    return bytes;
  }

  test('24 bits from the bottom up and from the top down', () => {
    const rows = [3, 2, 1, 6, 5, 4, 0, 0, 9, 8, 7, 12, 11, 10, 0, 0]; // blue, green, red; rows end at four bytes
    const up = readBmp(bmp({ width: 2, height: 2, bits: 24, rows }), 'x');
    expect(up).toEqual({
      height: 2,
      width: 2,
      channels: 3,
      data: Uint8Array.of(7, 8, 9, 10, 11, 12, 1, 2, 3, 4, 5, 6),
    });
    const down = readBmp(bmp({ width: 2, height: -2, bits: 24, rows }), 'x');
    expect([...down.data]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  });

  test('palettes, grey palettes, 16 and 32 bits', () => {
    const palette = [0, 0, 0, 0, 30, 20, 10, 0];
    const one = bmp({ width: 3, height: 1, bits: 1, rows: [0b01000000, 0, 0, 0], palette });
    expect(readBmp(one, 'x')).toMatchObject({ channels: 3, data: Uint8Array.of(0, 0, 0, 10, 20, 30, 0, 0, 0) });
    const grey = bmp({ width: 2, height: 1, bits: 8, rows: [1, 0, 0, 0], palette: [5, 5, 5, 0, 9, 9, 9, 0] });
    expect(readHeader(grey)).toEqual({ format: 'bmp', height: 1, width: 2, channels: 1, bits: 8 });
    expect(readBmp(grey, 'x')).toMatchObject({ channels: 1, data: Uint8Array.of(9, 5) });
    expect([...readBmp(bmp({ width: 1, height: 1, bits: 16, rows: [0x00, 0x7c, 0, 0] }), 'x').data]).toEqual([
      255, 0, 0,
    ]);
    expect([...readBmp(bmp({ width: 1, height: 1, bits: 32, rows: [3, 2, 1, 99] }), 'x').data]).toEqual([1, 2, 3]);
  });

  test('what is cut, packed or strange is refused', () => {
    const whole = bmp({ width: 2, height: 2, bits: 24, rows: new Array(16).fill(0) });
    expect(() => readBmp(whole.subarray(0, -1), 'x.bmp')).toThrow('it is truncated');
    expect(() => readBmp(bmp({ width: 2, height: 2, bits: 8, packing: 1, rows: [0, 0] }), 'x.bmp')).toThrow(
      'it is packed',
    );
    const palette = [0, 0, 0, 0];
    expect(() => readBmp(bmp({ width: 1, height: 1, bits: 8, rows: [9, 0, 0, 0], palette }), 'x')).toThrow(DataError);
  });

  test.skipIf(!existsSync(photos) || !sharp)('real files are upright and in the right colours', async () => {
    const bytes = new Uint8Array(readFileSync(join(photos, 'sunflower.bmp')));
    expect(readHeader(bytes)).toMatchObject({ format: 'bmp', width: 512, height: 340, channels: 3 });
    const { data, width } = await decodeImage(bytes, 'sunflower.bmp');
    const at = (170 * width + 256) * 3;
    expect(data.length).toBe(512 * 340 * 3);
    const begin = new DataView(bytes.buffer).getUint32(10, true) + (169 * 512 + 256) * 3; // rows from the bottom up
    expect([...data.subarray(at, at + 3)]).toEqual([...bytes.subarray(begin, begin + 3)].reverse());
  });
});

test('names of images', () => {
  expect(['a.JPG', 'b c.tiff', 'ö.webp'].every(isImageName)).toBe(true);
  expect(['a.txt', 'png', '.png/readme', 'a.png.bak'].some(isImageName)).toBe(false);
});
