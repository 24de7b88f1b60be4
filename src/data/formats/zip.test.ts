/** Archives, checksums and budgets: what is damaged or grows too large is refused before it costs memory. */
import { crc32 as crcOfNode, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { DataError } from '../../core/errors.ts';
import { float32, tensor } from '../../core/tensor.ts';
import { ByteBudget } from './budget.ts';
import { crc32 } from './crc32.ts';
import { gunzip } from './gzip.ts';
import { inflate } from './inflate.ts';
import { readNpy, writeNpy } from './npy.ts';
import { readNpz } from './npz.ts';
import { openZip } from './zip.ts';

const fail = (what: string): never => {
  throw new DataError('zip', what);
};
const MIB = 2 ** 20;
const zeros = new Uint8Array(20 * MIB);

test('CRC-32 is that of zlib', () => {
  expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      expect(crc32(bytes)).toBe(crcOfNode(bytes));
    }),
  );
});

describe('inflate', () => {
  test('gives back what was packed, and tells of each part', () => {
    const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => (i * i) % 251);
    let spent = 0;
    expect(inflate(deflateRawSync(bytes), 'deflate', (n) => (spent += n))).toEqual(bytes);
    expect(spent).toBe(bytes.length);
    expect(inflate(deflateSync(bytes), 'zlib', () => {})).toEqual(bytes);
    expect(inflate(deflateSync(new Uint8Array(0)), 'zlib', () => {})).toEqual(new Uint8Array(0));
  });

  test.each([0, 1, 2, 5, 40])('refuses what is cut after %d bytes', (length) => {
    const packed = deflateSync(Uint8Array.from({ length: 500 }, (_, i) => (i * 37) % 251));
    expect(() => inflate(packed.subarray(0, length), 'zlib', () => {})).toThrow();
  });

  test('refuses another checksum', () => {
    const packed = new Uint8Array(deflateSync(Uint8Array.of(1, 2, 3)));
    packed[packed.length - 1] ^= 1;
    expect(() => inflate(packed, 'zlib', () => {})).toThrow('the checksum differs');
  });

  test('is stopped on the way', () => {
    let spent = 0;
    const stop = (n: number) => {
      spent += n;
      if (spent > MIB) throw new Error('enough');
    };
    expect(() => inflate(deflateSync(zeros), 'zlib', stop)).toThrow('enough');
    expect(spent).toBeLessThan(18 * MIB);
  });
});

describe('zip', () => {
  const content = {
    'a.txt': new TextEncoder().encode('stored'),
    'b/c.bin': Uint8Array.from({ length: 999 }, (_, i) => i),
  };
  const at = (bytes: Uint8Array, mark: readonly number[]) => Buffer.from(bytes).indexOf(Buffer.from(mark));
  const entry = [0x50, 0x4b, 1, 2];
  type Damage = (bytes: Uint8Array) => void;
  /** Sets a byte that lies so far behind the mark of the first entry of the central directory. */
  const inEntry =
    (offset: number, value: number): Damage =>
    (bytes) => {
      bytes[at(bytes, entry) + offset] = value;
    };
  const flip =
    (mark: readonly number[], offset = 0): Damage =>
    (bytes) => {
      bytes[at(bytes, mark) + offset] ^= 4;
    };

  test.each([0, 6] as const)('level %d: entries by name', (level) => {
    const zip = openZip(zipSync(content, { level }), fail);
    expect(Object.fromEntries(zip.entries.map((entry) => [entry.name, zip.read(entry)]))).toEqual(content);
    expect(zip.entries[0].isDeflated).toBe(level > 0);
  });

  test('an archive inside other bytes, and one with a comment', () => {
    const zip = zipSync(content);
    const commented = Uint8Array.from([...zip, ...new TextEncoder().encode('hello')]);
    commented[zip.length - 2] = 5;
    expect(openZip(commented, fail).entries.length).toBe(2);
  });

  test.each<[string, 0 | 6, Damage]>([
    ['a flipped bit of stored content', 0, flip([0x73, 0x74, 0x6f, 0x72])],
    ['a flipped bit of deflated content', 6, flip([0x50, 0x4b, 3, 4], 40)],
    ['another CRC', 0, flip(entry, 16)],
    ['a size that is less', 6, inEntry(24, 1)],
    ['a size that is more', 6, inEntry(24, 200)],
    ['no central directory', 0, (bytes) => bytes.fill(0, at(bytes, entry))],
    ['a local header elsewhere', 0, inEntry(42, 200)],
    ['an unknown method', 0, inEntry(10, 99)],
    ['encryption', 0, inEntry(8, 1)],
  ])('%s is refused', (_, level, damage) => {
    const bytes = zipSync(content, { level });
    damage(bytes);
    expect(() => {
      const zip = openZip(bytes, fail);
      for (const entry of zip.entries) zip.read(entry);
    }).toThrow(expect.objectContaining({ code: 'zip' }));
  });
});

describe('bombs', () => {
  const bomb = () => gzipSync(new Uint8Array(200 * MIB));
  const npy = writeNpy(float32(new Float32Array(4), [2, 2]));

  test('what one layer of deflate can honestly give is taken', async () => {
    expect((await gunzip(gzipSync(zeros), 'a.gz')).length).toBe(zeros.length);
    expect((await readNpz(zipSync({ 'X.npy': npy }), 'a.npz')).X.shape).toEqual([2, 2]);
  });

  test.each([
    ['gzip in an .npz', () => readNpz(zipSync({ 'X.npy': new Uint8Array(bomb()) }), 'a.npz')],
    [
      'gzip in each of many entries',
      () => {
        const one = new Uint8Array(gzipSync(writeNpy(tensor('uint8', [30 * MIB], new Uint8Array(30 * MIB)))));
        return readNpz(zipSync(Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`a${i}.npy`, one]))), 'a.npz');
      },
    ],
    [
      'gzip in gzip',
      async () => {
        const budget = new ByteBudget('a.gz', 1000);
        return gunzip(await gunzip(new Uint8Array(gzipSync(bomb())), 'a.gz', budget), 'a.gz', budget);
      },
    ],
    [
      'a claim of entries',
      async () => {
        const zip = zipSync({ 'X.npy': npy, 'Y.npy': npy });
        const mark = Buffer.from(zip).indexOf(Buffer.from([0x50, 0x4b, 1, 2]));
        new DataView(zip.buffer, zip.byteOffset).setUint32(mark + 24, 0x7fffffff, true);
        return readNpz(zip, 'a.npz');
      },
    ],
    ['values', async () => new ByteBudget('a.mat', 100).hold(2 ** 30)],
  ] as const)('%s is refused', async (_, read) => {
    await expect((async () => read())()).rejects.toMatchObject({ code: 'too-large', name: 'DataError' });
  });

  test('an array of .npy whose gzip is damaged says so in words', async () => {
    const packed = gzipSync(npy).subarray(0, 60);
    await expect(readNpy(packed, 'x.npy')).rejects.toThrow(
      'x.npy must be a whole gzip file, but is cut off or damaged.',
    );
  });
});
