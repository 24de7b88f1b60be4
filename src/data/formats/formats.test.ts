import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { float32, int64, type Tensors, tensor } from '../../core/tensor.ts';
import { ByteBudget } from './budget.ts';
import { readCifarBinary } from './cifar-binary.ts';
import { gunzip } from './gzip.ts';
import { readIdx, writeIdx } from './idx.ts';
import { readNpy, writeNpy } from './npy.ts';
import { encodePng } from './png.ts';
import { readSafetensors, writeSafetensors } from './safetensors.ts';
import { readTar } from './tar.ts';

const bytes = (n: number) => Uint8Array.from({ length: n }, (_, i) => (i * 37) % 251);

describe('gzip', () => {
  test('unpacks gzip, passes other bytes through', async () => {
    expect(await gunzip(gzipSync(bytes(5000)), 'a.gz')).toEqual(bytes(5000));
    expect(await gunzip(bytes(10), 'a')).toEqual(bytes(10));
  });

  test('cut, damaged and oversized files are refused', async () => {
    const packed = gzipSync(bytes(5000));
    const damaged = Uint8Array.from(packed);
    damaged[damaged.length - 6] ^= 1; // the CRC
    for (const bad of [packed.subarray(0, 100), damaged]) {
      await expect(gunzip(bad, 'a.gz')).rejects.toMatchObject({ code: 'gzip-corrupt' });
    }
    const spent = new ByteBudget('a.gz', packed.length);
    expect(() => spent.unpack(2 ** 31)).toThrow('must unpack to at most');
  });
});

describe('idx', () => {
  const images = tensor('uint8', [3, 2, 4], bytes(24));

  test('reads what it wrote, plain and packed', async () => {
    expect(await readIdx(writeIdx(images), 'x', 3)).toEqual(images);
    expect(await readIdx(gzipSync(writeIdx(images)), 'x.gz', 3)).toEqual(images);
    // From a Buffer it gives a plain Uint8Array, whose slice() copies.
    expect((await readIdx(Buffer.from(writeIdx(images)), 'x', 3)).data.constructor).toBe(Uint8Array);
  });

  test.each([
    ['another number of axes', (b: Uint8Array) => b, 1, 'bad-magic'],
    ['another type', (b: Uint8Array) => b.with(2, 13), 3, 'bad-magic'],
    ['an empty file', () => new Uint8Array(0), 3, 'bad-magic'],
    ['a cut header', (b: Uint8Array) => b.subarray(0, 9), 3, 'truncated'],
    ['cut pixels', (b: Uint8Array) => b.subarray(0, -1), 3, 'truncated'],
    ['bytes left over', (b: Uint8Array) => Uint8Array.of(...b, 0), 3, 'count-mismatch'],
  ] as const)('%s is refused', async (_, change, axes, code) => {
    await expect(readIdx(change(writeIdx(images)), 'digits', axes)).rejects.toMatchObject({ name: 'DataError', code });
  });

  test('the sentence names file, wanted, found and what to do', async () => {
    await expect(readIdx(writeIdx(images).subarray(0, -5), 'digits', 3)).rejects.toThrow(
      'digits must hold 24 bytes after its header ([3,2,4]), found 19. Fetch it again.',
    );
  });
});

describe('cifar binary', () => {
  test('splits records into labels and pixels', async () => {
    const file = bytes(2 * 3073);
    file[0] = 3;
    file[3073] = 9;
    const { labels, pixels } = await readCifarBinary(gzipSync(file), 'b.gz');
    expect([...labels]).toEqual([3, 9]);
    expect(pixels.length).toBe(2 * 3072);
    expect(pixels[3072]).toBe(file[3074]);
  });

  test('cut records and impossible labels are refused', async () => {
    await expect(readCifarBinary(new Uint8Array(3074), 'b')).rejects.toMatchObject({ code: 'truncated' });
    await expect(readCifarBinary(new Uint8Array(0), 'b')).rejects.toMatchObject({ code: 'truncated' });
    await expect(readCifarBinary(new Uint8Array(3073).fill(10), 'b')).rejects.toMatchObject({ code: 'labels' });
  });
});

describe('tar', () => {
  const entry = (name: string, content: Uint8Array) => {
    const block = new Uint8Array(512 + Math.ceil(content.length / 512) * 512);
    const text = new TextEncoder();
    block.set(text.encode(name));
    block.set(text.encode(content.length.toString(8).padStart(11, '0')), 124);
    block[156] = 0x30;
    block.set(content, 512);
    return block;
  };

  test('gives files by path, and refuses a cut archive', async () => {
    const archive = Uint8Array.of(...entry('a/b.bin', bytes(700)), ...entry('c', bytes(1)), ...new Uint8Array(1024));
    const files = await readTar(gzipSync(archive), 't.tar.gz');
    expect([...files.keys()]).toEqual(['a/b.bin', 'c']);
    expect(files.get('a/b.bin')).toEqual(bytes(700));
    await expect(readTar(archive.subarray(0, 1000), 't.tar')).rejects.toMatchObject({ code: 'tar-corrupt' });
  });
});

describe('safetensors', () => {
  const tensors: Tensors = {
    'layer.bias': float32([1.5, -2]),
    flags: tensor('bool', [3], Uint8Array.of(1, 0, 1)),
    mean: tensor('float64', [1, 2], Float64Array.of(Math.PI, -0)),
    order: int64([5, -7]),
    empty: float32([], [0, 4]),
    scalar: float32(7),
    ünicode: tensor('uint8', [2], Uint8Array.of(250, 3)),
    n: tensor('int32', [1], Int32Array.of(-1)),
  };

  test('reads what it wrote', () => {
    const file = writeSafetensors(tensors, { model: 'autoencoder', note: 'ä"\n' });
    const back = readSafetensors(file, 'm');
    expect(back.tensors).toEqual(tensors);
    expect(back.metadata).toEqual({ model: 'autoencoder', note: 'ä"\n' });
    expect(writeSafetensors(back.tensors, back.metadata)).toEqual(file);
    const shifted = new Uint8Array(file.length + 1);
    shifted.set(file, 1);
    expect(readSafetensors(shifted.subarray(1), 'm').tensors).toEqual(tensors);
    // A Buffer of Node's pool: its slice() does not copy, unlike that of Uint8Array.
    expect(readSafetensors(Buffer.from(shifted).subarray(1), 'm').tensors).toEqual(tensors);
    expect(readSafetensors(writeSafetensors({}), 'm')).toEqual({ tensors: {}, metadata: {} });
  });

  /** A file with a hand-written header. */
  const raw = (header: string, data: Uint8Array) => {
    const json = new TextEncoder().encode(header);
    const file = new Uint8Array(8 + json.length + data.length);
    new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
    file.set(json, 8);
    file.set(data, 8 + json.length);
    return file;
  };

  test('float16 and bfloat16 become float32', () => {
    const header =
      '{"h":{"dtype":"F16","shape":[6],"data_offsets":[0,12]},"b":{"dtype":"BF16","shape":[2],"data_offsets":[12,16]}}';
    const data = new Uint8Array(Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0001, 0x7c00, 0x3555, 0x3f80, 0xc040).buffer);
    const { h, b } = readSafetensors(raw(header, data), 'm').tensors;
    expect([...h.data]).toEqual([1, -2, 65504, 2 ** -24, Number.POSITIVE_INFINITY, 1365 / 4096]);
    expect([...b.data]).toEqual([1, -3]);
  });

  test('float32 is written as float16 where asked, rounded to the nearest', () => {
    const values = [0, -0, 1, -2, 1 / 3, 65504, 65519, 65520, 2 ** -24, 2 ** -25, 3 * 2 ** -25, 2 ** -14 - 2 ** -26];
    const wanted = [0, -0, 1, -2, 1365 / 4096, 65504, 65504, Infinity, 2 ** -24, 0, 2 ** -23, 2 ** -14];
    const file = writeSafetensors({ h: float32(values), d: tensors.mean }, {}, { half: true });
    const { h, d } = readSafetensors(file, 'm').tensors;
    expect([...h.data]).toEqual(wanted);
    expect(d).toEqual(tensors.mean);
    // Every half is what it was after reading and writing it.
    const halves = Uint16Array.from({ length: 65536 }, (_, i) => i).filter((i) => (i & 0x7fff) <= 0x7c00);
    const header = `{"h":{"dtype":"F16","shape":[${halves.length}],"data_offsets":[0,${2 * halves.length}]}}`;
    const read = readSafetensors(raw(header, new Uint8Array(halves.buffer)), 'm').tensors;
    const again = writeSafetensors(read, {}, { half: true });
    expect(Buffer.from(again.subarray(again.length - 2 * halves.length)).equals(Buffer.from(halves.buffer))).toBe(true);
  });

  const entry = (o: object) => JSON.stringify({ a: { dtype: 'U8', shape: [4], data_offsets: [0, 4], ...o } });
  test.each([
    ['a header that is not JSON', '{"a":'],
    ['a header that is an array', '[]'],
    ['a header that is null', 'null'],
    ['an entry without a shape', entry({ shape: undefined })],
    ['a negative size', entry({ shape: [-4] })],
    ['a shape of another size', entry({ shape: [5] })],
    ['an unknown type', entry({ dtype: 'F8_E4M3' })],
    ['offsets beyond the end', entry({ shape: [9], data_offsets: [0, 9] })],
    ['offsets that run backwards', entry({ data_offsets: [4, 0] })],
    ['bytes left over', entry({ shape: [3], data_offsets: [0, 3] })],
    ['a hole at the start', entry({ shape: [3], data_offsets: [1, 4] })],
    ['an overlap', `{"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]},${entry({}).slice(1)}`],
    ['metadata that is not text', `{"__metadata__":{"x":1},${entry({}).slice(1)}`],
  ])('%s is refused', (_, header) => {
    expect(() => readSafetensors(raw(header, bytes(4)), 'model.safetensors')).toThrow(
      expect.objectContaining({ name: 'DataError', code: 'checkpoint-corrupt' }),
    );
  });

  test('a file cut anywhere is refused', () => {
    const file = writeSafetensors(tensors, { a: 'b' });
    for (let n = 0; n < file.length; n++) {
      expect(() => readSafetensors(file.subarray(0, n), 'm')).toThrow(
        expect.objectContaining({ code: 'checkpoint-corrupt' }),
      );
    }
    expect(() => readSafetensors(file.subarray(0, 4), 'm.safetensors')).toThrow(
      'm.safetensors is not a whole safetensors file: it must have at least 8 bytes, found 4. Restore or fetch the file again.',
    );
  });

  test('random damage gives tensors or a DataError, never anything else', () => {
    const file = writeSafetensors(tensors, { a: 'b' });
    fc.assert(
      fc.property(fc.nat(file.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const damaged = Uint8Array.from(file);
        damaged[at] ^= flip;
        try {
          readSafetensors(damaged, 'm');
        } catch (error) {
          expect(error).toMatchObject({ code: 'checkpoint-corrupt' });
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('npy', () => {
  test.each([
    float32([1, 2, 3, 4, 5, 6], [2, 3]),
    float32([1, 2]),
    float32(3),
    tensor('uint8', [2, 1, 2], Uint8Array.of(1, 2, 3, 255)),
    tensor('float64', [1], Float64Array.of(Math.E)),
    int64([1, -2]),
  ])('reads what it wrote: $dtype $shape', async (t) => {
    const file = writeNpy(t);
    expect((file.length - t.data.byteLength) % 64).toBe(0);
    expect(await readNpy(file, 'x.npy')).toEqual(t);
    expect(await readNpy(gzipSync(file), 'x.npy.gz')).toEqual(t);
  });

  test('other byte orders and cut files are refused; the order of columns is no matter to a vector', async () => {
    const file = writeNpy(float32([1, 2]));
    const changed = (from: string, to: string) => {
      const text = Array.from(file, (b) => String.fromCharCode(b)).join('');
      return Uint8Array.from(text.replace(from, to), (c) => c.charCodeAt(0));
    };
    expect((await readNpy(changed('False', 'True '), 'x')).data).toEqual(Float32Array.of(1, 2));
    await expect(readNpy(changed('<f4', '>f4'), 'x')).rejects.toMatchObject({ code: 'npy-unsupported' });
    await expect(readNpy(file.subarray(0, -1), 'x')).rejects.toMatchObject({ code: 'truncated' });
    await expect(readNpy(file.subarray(0, 40), 'x')).rejects.toMatchObject({ code: 'npy-unsupported' });
    await expect(readNpy(bytes(20), 'x')).rejects.toMatchObject({ code: 'bad-magic' });
  });
});

describe('png', () => {
  const sharp = import('sharp').then(
    (m) => m.default,
    () => undefined,
  );

  test('grey, RGB and 16-bit grey come back exactly', async (context) => {
    const decode = await sharp;
    if (!decode) return context.skip('sharp is not installed');
    for (const channels of [1, 3] as const) {
      const data = bytes(5 * 7 * channels);
      const image = decode(encodePng({ height: 5, width: 7, channels, data }));
      expect(await image.metadata()).toMatchObject({ format: 'png', height: 5, width: 7, channels, depth: 'uchar' });
      const back = await image
        .toColourspace(channels === 1 ? 'b-w' : 'srgb')
        .raw()
        .toBuffer();
      expect(Uint8Array.from(back)).toEqual(data);
    }
    const deep = Uint16Array.from({ length: 12 }, (_, i) => i * 5461);
    const image = decode(encodePng({ height: 3, width: 4, channels: 1, data: deep }));
    expect((await image.metadata()).depth).toBe('ushort');
    const back = await image.toColourspace('grey16').raw({ depth: 'ushort' }).toBuffer();
    expect(new Uint16Array(Uint8Array.from(back).buffer)).toEqual(deep);
  });

  test('data that does not fit is refused', () => {
    expect(() => encodePng({ height: 2, width: 2, channels: 3, data: bytes(4) })).toThrow('needs 12 values');
    expect(() => encodePng({ height: 1, width: 1, channels: 3, data: new Uint16Array(3) })).toThrow('grey only');
    expect(() => encodePng({ height: 0, width: 2, channels: 1, data: bytes(0) })).toThrow('PNG of 0x2');
  });
});
