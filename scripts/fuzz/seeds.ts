/** The small files from which mutants are made: every format that is read, written here. */
import { gzipSync, zipSync, zlibSync } from 'fflate';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { float32, tensor } from '../../src/core/tensor.ts';
import { writeIdx } from '../../src/data/formats/idx.ts';
import { encodePng, writeNpy, writeSafetensors } from '../../src/data/index.ts';

const text = (s: string) => new TextEncoder().encode(s);
const X = float32([1, 2, 3, 4, 5, 6, 7, 8], [4, 2]);
const y = tensor('uint8', [4], Uint8Array.of(0, 1, 0, 0));

/** A MATLAB level 5 file of one matrix, deflated if wanted. */
function mat(isDeflated: boolean): Uint8Array {
  const element = (type: number, data: Uint8Array) => {
    const head = Buffer.alloc(8);
    head.writeUInt32LE(type, 0);
    head.writeUInt32LE(data.length, 4);
    return Buffer.concat([head, data, Buffer.alloc(type === 15 ? 0 : (8 - (data.length % 8)) % 8)]);
  };
  const matrix = element(
    14,
    Buffer.concat([
      element(6, Uint8Array.of(6, 0, 0, 0, 0, 0, 0, 0)),
      element(5, new Uint8Array(Int32Array.of(4, 2).buffer)),
      element(1, text('X')),
      element(9, new Uint8Array(Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8).buffer)),
    ]),
  );
  const head = Buffer.concat([Buffer.alloc(124, ' '), Buffer.from([0, 1, 0x49, 0x4d])]);
  return new Uint8Array(Buffer.concat([head, isDeflated ? element(15, zlibSync(matrix)) : matrix]));
}

const parquet = (codec: 'SNAPPY' | 'UNCOMPRESSED') =>
  new Uint8Array(
    parquetWriteBuffer({
      codec,
      columnData: [
        { name: 'size', data: [1.5, 2, null, 4], type: 'DOUBLE', nullable: true },
        { name: 'way', data: ['up', 'down', 'down', 'up'], type: 'STRING' },
        { name: 'when', data: [1n, 2n, 3n, 4n], type: 'INT64' },
      ],
    }),
  );

const csv = text('size,way,label\n1.5,"up, high",0\n2,down,1\n,down,0\n4,up,0\n');
const arff = text('@relation r\n@attribute size real\n@attribute way {up,down}\n@data\n1,up\n2,down\n?,up\n');
const plain = text('1 2 a\n3 ? b\n5 6 a\n');

/** Files of rows, by name. */
export const rows: Readonly<Record<string, Uint8Array>> = {
  'a.csv': csv,
  'b.csv.gz': gzipSync(csv),
  'c.tsv': text('size\tway\n1\tup\n2\tdown\n'),
  'd.data': plain,
  'e.arff': arff,
  'f.parquet': parquet('SNAPPY'),
  'g.parquet': parquet('UNCOMPRESSED'),
  'h.mat': mat(false),
  'i.mat': mat(true),
  'j.npz': zipSync({ 'X.npy': writeNpy(X), 'y.npy': writeNpy(y) }, { level: 0 }),
  'k.npz': zipSync({ 'X.npy': writeNpy(X), 'y.npy': writeNpy(y) }),
  'l.npy': writeNpy(X),
  'm.npy.gz': gzipSync(writeNpy(X)),
};

/** A checkpoint of PyTorch: one tensor of six numbers. */
function torch(): Uint8Array {
  const ascii = (s: string) => [...text(s)];
  const word = (n: number) => [n & 255, (n >>> 8) & 255, 0, 0];
  const string = (s: string) => [0x58, ...word(s.length), ...ascii(s)];
  const global = (module: string, name: string) => ascii(`c${module}\n${name}\n`);
  const storage = [0x28, ...string('storage'), ...global('torch', 'FloatStorage'), ...string('0'), ...string('cpu')];
  const value = [
    ...[0x80, 2, 0x7d, 0x28, ...string('w'), ...global('torch._utils', '_rebuild_tensor_v2'), 0x28],
    ...[...storage, 0x4b, 6, 0x74, 0x51, 0x4b, 0, 0x4b, 2, 0x4b, 3, 0x86, 0x4b, 3, 0x4b, 1, 0x86, 0x89],
    ...[...global('collections', 'OrderedDict'), 0x29, 0x52, 0x74, 0x52, 0x75, 0x2e],
  ];
  const numbers = new Uint8Array(Float32Array.of(1, 2, 3, 4, 5, 6).buffer);
  return zipSync({ 'net/data.pkl': Uint8Array.from(value), 'net/data/0': numbers }, { level: 0 });
}

export const weights: Readonly<Record<string, Uint8Array>> = {
  'a.pth': torch(),
  'b.safetensors': writeSafetensors({ w: X, y }, { note: 'x' }),
  'c.npz': rows['k.npz'],
};

export const idx = writeIdx(
  tensor(
    'uint8',
    [2, 3, 3],
    Uint8Array.from({ length: 18 }, (_, i) => i),
  ),
);

/** A small picture as PNG. */
export const png = (seed = 1) =>
  encodePng({
    height: 12,
    width: 10,
    channels: 3,
    data: Uint8Array.from({ length: 360 }, (_, i) => (i * i * seed * 7) % 256),
  });

/** A BMP of 24 bits. */
export function bmp(): Uint8Array {
  const [width, height, stride] = [5, 4, 16];
  const out = new Uint8Array(54 + stride * height).map((_, i) => (i * 37) % 256);
  const view = new DataView(out.buffer);
  out.fill(0, 0, 54);
  out.set(text('BM'));
  view.setUint32(2, out.length, true);
  view.setUint32(10, 54, true);
  view.setUint32(14, 40, true);
  view.setInt32(18, width, true);
  view.setInt32(22, height, true);
  view.setUint16(26, 1, true);
  view.setUint16(28, 24, true);
  return out;
}

/** A tar archive of one file. */
export function tar(): Uint8Array {
  const block = new Uint8Array(2048);
  block.set(text('a/b.bin'));
  block.set(text('00000000017'), 124);
  block[156] = 0x30;
  block.set(text('fifteen letters'), 512);
  return block;
}

export const yaml = text(
  'model: pca\ndata: synthetic\nseed: 3\nconfig:\n  components: 4\n  variance: 0.9\ntile: 8x8\ncolumn:\n  - a=ignore\n',
);
export const list = text('path,label,split\na.png,0,train\na.png,1,test\n');
