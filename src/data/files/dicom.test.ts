import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { readHeader } from '../formats/header.ts';
import { decodeImage } from './decode-image.ts';

const [HEIGHT, WIDTH] = [3, 4];
type Element = readonly [group: number, element: number, type: string, value: Uint8Array];

const text = (value: string, pad = ' ') => new TextEncoder().encode(value.length % 2 ? value + pad : value);
const short = (value: number, little = true) =>
  Uint8Array.of(...(little ? [value & 255, value >> 8] : [value >> 8, value & 255]));

/** A DICOM file of elements, explicit types; the head is little-endian, the rest as asked. */
function dicom(elements: readonly Element[], { syntax = '1.2.840.10008.1.2.1', implicit = false, little = true } = {}) {
  const encode = ([group, element, type, value]: Element, isLittle: boolean, isPlain: boolean): number[] => {
    const tag = [...short(group, isLittle), ...short(element, isLittle)];
    const long = (n: number) => [...short(n & 0xffff, true), ...short(n >>> 16, true)];
    const size = isLittle ? long(value.length) : long(value.length).reverse();
    if (isPlain) return [...tag, ...size, ...value];
    const name = [...text(type)];
    const isLong = ['OB', 'OW'].includes(type);
    return [...tag, ...name, ...(isLong ? [0, 0, ...size] : short(value.length, isLittle)), ...value];
  };
  const head = encode([2, 0x10, 'UI', text(syntax, '\0')], true, false);
  const body = elements.flatMap((element) => encode(element, little, implicit));
  const length = encode([2, 0, 'UL', Uint8Array.of(head.length, 0, 0, 0)], true, false);
  return Uint8Array.from([...new Array(128).fill(0), ...text('DICM'), ...length, ...head, ...body]);
}

/** What every image has, and `more` of them in the order of their numbers. */
function image(
  pixels: Uint8Array,
  more: readonly Element[] = [],
  { bits = 16, little = true, samples = 1, colours = 'MONOCHROME2' } = {},
): Element[] {
  const at = (element: number, value: number): Element => [0x28, element, 'US', short(value, little)];
  const all: Element[] = [
    at(0x02, samples),
    [0x28, 0x04, 'CS', text(colours)],
    at(0x10, HEIGHT),
    at(0x11, WIDTH),
    at(0x100, bits),
    at(0x101, bits),
    ...more,
  ];
  const sorted = [...all].sort((a, b) => a[1] - b[1]);
  return [...sorted, [0x7fe0, 0x10, bits > 8 ? 'OW' : 'OB', pixels]];
}
const ds = (element: number, value: string): Element => [0x28, element, 'DS', text(value)];
const signed: Element = [0x28, 0x103, 'US', short(1)];
const values = Int16Array.from({ length: 12 }, (_, i) => 100 * i - 400);
const bytesOf = (data: Int16Array | Uint16Array) => new Uint8Array(data.buffer.slice(0));
const swapped = (bytes: Uint8Array) => bytes.map((_, i) => bytes[i ^ 1]);

describe('DICOM', () => {
  it('numbers after slope and intercept, in all plain encodings', async () => {
    const more = [signed, ds(0x1052, '-24'), ds(0x1053, '2')];
    const wanted = {
      height: 3,
      width: 4,
      channels: 1,
      isRaw: true,
      data: Float32Array.from(values, (v) => 2 * v - 24),
    };
    const explicit = dicom(image(bytesOf(values), more));
    expect(readHeader(explicit)).toEqual({ format: 'dicom', height: 3, width: 4, channels: 1, bits: 16 });
    expect(await decodeImage(explicit, 'x')).toEqual(wanted);
    const implicit = dicom(image(bytesOf(values), more), { syntax: '1.2.840.10008.1.2', implicit: true });
    expect(readHeader(implicit)).toMatchObject({ height: 3, width: 4 });
    expect(await decodeImage(implicit, 'x')).toEqual(wanted);
    const bigSigned: Element = [0x28, 0x103, 'US', short(1, false)];
    const big = dicom(image(swapped(bytesOf(values)), [bigSigned, ...more.slice(1)], { little: false }), {
      syntax: '1.2.840.10008.1.2.2',
      little: false,
    });
    expect(await decodeImage(big, 'x')).toEqual(wanted);
  });

  it('the window of the file makes black and white; MONOCHROME1 turns them round', async () => {
    const more = [signed, ds(0x1050, '100.5'), ds(0x1051, '401')];
    const shown = await decodeImage(dicom(image(bytesOf(values), more)), 'x');
    expect([...shown.data]).toEqual(
      Array.from(values, (v) => Math.round(65_535 * Math.min(1, Math.max(0, (v + 100) / 400)))),
    );
    const inverted = await decodeImage(dicom(image(bytesOf(values), more, { colours: 'MONOCHROME1' })), 'x');
    expect([...inverted.data]).toEqual(Array.from(shown.data, (v) => 65_535 - v));
  });

  it('bytes stay bytes; RGB by pixel and by plane', async () => {
    const grey = Uint8Array.from({ length: 12 }, (_, i) => 20 * i);
    expect(await decodeImage(dicom(image(grey, [], { bits: 8 })), 'x')).toMatchObject({ channels: 1, data: grey });
    const rgb = Uint8Array.from({ length: 36 }, (_, i) => 7 * i);
    const options = { bits: 8, samples: 3, colours: 'RGB' };
    expect(await decodeImage(dicom(image(rgb, [], options)), 'x')).toMatchObject({ channels: 3, data: rgb });
    const planes = rgb.map((_, i) => rgb[(i % 12) * 3 + Math.floor(i / 12)]);
    const planar: Element = [0x28, 0x06, 'US', short(1)];
    expect(await decodeImage(dicom(image(planes, [planar], options)), 'x')).toMatchObject({ channels: 3, data: rgb });
  });

  it('a baseline JPEG inside is decoded', async () => {
    const grey = new Uint8Array(12).fill(90);
    const jpeg = new Uint8Array(
      await sharp(grey, { raw: { height: 3, width: 4, channels: 1 } })
        .toColourspace('b-w')
        .jpeg()
        .toBuffer(),
    );
    const padded = jpeg.length % 2 ? Uint8Array.from([...jpeg, 0]) : jpeg;
    const item = (bytes: Uint8Array) => [0xfe, 0xff, 0x00, 0xe0, bytes.length & 255, bytes.length >> 8, 0, 0, ...bytes];
    const stream = [...item(new Uint8Array(0)), ...item(padded), 0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0];
    const file = dicom(image(new Uint8Array(0), [], { bits: 8 }), { syntax: '1.2.840.10008.1.2.4.50' });
    const open = file.slice();
    open.set([255, 255, 255, 255], open.length - 4); // a length that is not known
    const image8 = await decodeImage(Uint8Array.from([...open, ...stream]), 'x');
    expect(image8).toMatchObject({ height: 3, width: 4, channels: 1 });
    expect([...image8.data].every((v) => Math.abs(v - 90) < 3)).toBe(true);
  });

  const whole = dicom(image(bytesOf(values)));
  it.each<[string, Uint8Array, string, string]>([
    [
      'JPEG 2000',
      dicom(image(bytesOf(values)), { syntax: '1.2.840.10008.1.2.4.90' }),
      'dicom-encoding',
      'packed as JPEG 2000. Unpack it first: gdcmconv',
    ],
    [
      'run lengths',
      dicom(image(bytesOf(values)), { syntax: '1.2.840.10008.1.2.5' }),
      'dicom-encoding',
      'run lengths (RLE)',
    ],
    [
      'an unknown encoding',
      dicom(image(bytesOf(values)), { syntax: '1.2.3' }),
      'dicom-encoding',
      'transfer syntax 1.2.3',
    ],
    ['several frames', dicom(image(bytesOf(values), [[0x28, 0x08, 'IS', text('2')]])), 'several-pages', 'has 2 frames'],
    [
      'a palette',
      dicom(image(bytesOf(values), [], { colours: 'PALETTE COLOR' })),
      'dicom-pixels',
      'found PALETTE COLOR',
    ],
    ['no pixels', dicom(image(bytesOf(values)).slice(0, -1)), 'unreadable-image', 'it holds no pixels'],
    ['cut pixels', dicom(image(bytesOf(values).subarray(0, 10))), 'unreadable-image', 'its pixels have 10 of 24 bytes'],
    ['a cut file', whole.subarray(0, whole.length - 9), 'unreadable-image', 'must be a whole DICOM file'],
    ['a head alone', whole.subarray(0, 140), 'unreadable-image', 'must be a whole DICOM file'],
    ['too many pixels', whole, 'image-too-large', 'must have at most 11 pixels'],
  ])('%s is refused', async (_, bytes, code, words) => {
    const failed = decodeImage(bytes, 'a.dcm', words.includes('11') ? 11 : undefined);
    await expect(failed).rejects.toMatchObject({ code, message: expect.stringContaining(words) });
    await expect(failed).rejects.not.toThrow(/undefined|NaN|Error:/);
  });
});
