import fc from 'fast-check';
import { zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { DataError } from '../../core/errors.ts';
import { float32, int64, tensor } from '../../core/tensor.ts';
import { readTorch } from './torch.ts';

/** Opcodes of a pickle, written as Python's pickler of protocol 2 does. */
type Bytes = readonly number[];
const ascii = (s: string): Bytes => [...new TextEncoder().encode(s)];
const word = (n: number): Bytes => [n & 255, (n >>> 8) & 255, (n >>> 16) & 255, (n >>> 24) & 255];
const text = (s: string): Bytes => [0x58, ...word(ascii(s).length), ...ascii(s)];
const int = (n: number): Bytes => (n >= 0 && n < 256 ? [0x4b, n] : [0x4a, ...word(n)]);
const global = (module: string, name: string): Bytes => ascii(`c${module}\n${name}\n`);
const tuple = (...parts: Bytes[]): Bytes => [0x28, ...parts.flat(), 0x74];
const call = (callable: Bytes, ...args: Bytes[]): Bytes => [...callable, ...tuple(...args), 0x52];
const dict = (entries: Record<string, Bytes>): Bytes => [
  ...[0x7d, 0x28],
  ...Object.entries(entries).flatMap(([name, value]) => [...text(name), ...value]),
  0x75,
];
const ordered: Bytes = [...global('collections', 'OrderedDict'), 0x29, 0x52];
const False: Bytes = [0x89];
const storage = (type: string, key: string, length: number): Bytes => [
  ...tuple(text('storage'), global('torch', `${type}Storage`), text(key), text('cpu'), int(length)),
  0x51,
];
interface View {
  type?: string;
  key?: string;
  /** Elements of the storage. */
  length: number;
  offset?: number;
  shape: number[];
  strides?: number[];
}
const stored = ({ type = 'Float', key = '0', length, offset = 0, shape, strides }: View): Bytes => {
  const rowMajor = shape.map((_, i) => shape.slice(i + 1).reduce((n, d) => n * d, 1));
  return call(
    global('torch._utils', '_rebuild_tensor_v2'),
    ...[storage(type, key, length), int(offset), tuple(...shape.map(int)), tuple(...(strides ?? rowMajor).map(int))],
    ...[False, ordered],
  );
};
const pickle = (value: Bytes): Uint8Array => Uint8Array.from([0x80, 2, ...value, 0x2e]);

const bytesOf = (data: ArrayBufferView) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
/** A checkpoint of a pickled value and storages. */
const checkpoint = (value: Bytes, storages: Record<string, ArrayBufferView>, more: Record<string, Uint8Array> = {}) =>
  zipSync(
    {
      'net/data.pkl': pickle(value),
      'net/byteorder': Uint8Array.from(ascii('little')),
      ...Object.fromEntries(Object.entries(storages).map(([key, data]) => [`net/data/${key}`, bytesOf(data)])),
      ...more,
      'net/version': Uint8Array.from(ascii('3\n')),
    },
    { level: 0 },
  );

const six = Float32Array.of(1, 2, 3, 4, 5, 6);
const whole: View = { length: 6, shape: [2, 3] };

describe('torch', () => {
  test('reads every type', () => {
    const types: [string, ArrayBufferView, object][] = [
      ['Float', Float32Array.of(1.5, -2), float32([1.5, -2])],
      ['Double', Float64Array.of(Math.PI, -0), tensor('float64', [2], Float64Array.of(Math.PI, -0))],
      ['Half', Uint16Array.of(0x3c00, 1), float32([1, 2 ** -24])],
      ['BFloat16', Uint16Array.of(0x3f80, 0xc040), float32([1, -3])],
      ['Long', BigInt64Array.of(5n, -7n), int64([5, -7])],
      ['Int', Int32Array.of(5, -7), tensor('int32', [2], Int32Array.of(5, -7))],
      ['Short', Int16Array.of(300, -7), tensor('int32', [2], Int32Array.of(300, -7))],
      ['Char', Int8Array.of(5, -7), tensor('int32', [2], Int32Array.of(5, -7))],
      ['Byte', Uint8Array.of(5, 250), tensor('uint8', [2], Uint8Array.of(5, 250))],
      ['Bool', Uint8Array.of(1, 0), tensor('bool', [2], Uint8Array.of(1, 0))],
    ];
    const entries = types.map(([type], i) => [type, stored({ type, key: `${i}`, length: 2, shape: [2] })]);
    const storages = Object.fromEntries(types.map(([, data], i) => [i, data]));
    const file = checkpoint(dict(Object.fromEntries(entries)), storages);
    const wanted = Object.fromEntries(types.map(([type, , values]) => [type, values]));
    expect(readTorch(file, 'm.pth')).toEqual(wanted);
    // A view into a larger buffer, and one of Node's pool, whose slice() does not copy.
    const shifted = Buffer.alloc(file.length + 1);
    shifted.set(file, 1);
    expect(readTorch(shifted.subarray(1), 'm.pth')).toEqual(wanted);
  });

  test('respects strides, offsets and shared storages, and gives each tensor its own memory', () => {
    const views = {
      whole: stored(whole),
      turned: stored({ length: 6, shape: [3, 2], strides: [1, 3] }),
      row: stored({ length: 6, offset: 3, shape: [3] }),
      column: stored({ length: 6, offset: 1, shape: [2, 1], strides: [3, 9] }),
      repeated: stored({ length: 6, offset: 5, shape: [2, 2], strides: [0, 0] }),
      scalar: stored({ length: 6, offset: 2, shape: [] }),
      empty: stored({ length: 6, offset: 6, shape: [0, 4] }),
    };
    const found = readTorch(checkpoint(dict(views), { 0: six }), 'm.pth');
    expect(found).toEqual({
      whole: float32([1, 2, 3, 4, 5, 6], [2, 3]),
      turned: float32([1, 4, 2, 5, 3, 6], [3, 2]),
      row: float32([4, 5, 6]),
      column: float32([2, 5], [2, 1]),
      repeated: float32([6, 6, 6, 6], [2, 2]),
      scalar: float32(3),
      empty: float32([], [0, 4]),
    });
    expect(new Set(Object.values(found).map((t) => t.data.buffer)).size).toBe(7);
    const alone = readTorch(checkpoint(dict({ turned: views.turned }), { 0: six }), 'm.pth');
    expect(alone.turned).toEqual(found.turned);
  });

  test('goes through dicts and lists, passes over what is no tensor, and remembers what is shared', () => {
    const parameter = call(global('torch._utils', '_rebuild_parameter'), stored(whole), [0x88], ordered);
    const half = [0x47, 0x3f, 0xe0, 0, 0, 0, 0, 0, 0];
    const long = [0x8a, 2, 0x00, 0xff];
    // The parameter is memoised as 7 and met again; 300 takes the long forms.
    const state = [...ordered, 0x28, ...text('w'), ...parameter, 0x71, 7, ...text('ä.w'), 0x68, 7, 0x75];
    const value = dict({
      epoch: int(70_000),
      note: text('trained'),
      rate: half,
      old: long,
      none: [0x4e],
      state_dict: [...state, ...dict({ _metadata: ordered }), 0x62],
      list: [0x5d, 0x72, ...word(300), 0x28, ...stored(whole), 0x4d, 1, 2, 0x65, ...stored(whole), 0x61],
      again: [0x6a, ...word(300)],
    });
    const found = readTorch(checkpoint(value, { 0: six }), 'm.pth');
    const names = ['state_dict.w', 'state_dict.ä.w', 'list.0', 'list.2', 'again.0', 'again.2'];
    expect(Object.keys(found)).toEqual(names);
    for (const t of Object.values(found)) expect(t).toEqual(float32(six, [2, 3]));
  });

  test.each([
    ['posix.system', call(global('posix', 'system'), text('touch /tmp/x'))],
    ['builtins.eval', dict({ w: call(global('builtins', 'eval'), text('1')) })],
    ['torchvision.models.resnet.ResNet', global('torchvision.models.resnet', 'ResNet')],
    ['torch.ComplexFloatStorage', dict({ w: stored({ ...whole, type: 'ComplexFloat' }) })],
    ['a?[31mb.constructor', global('a\u001b[31mb', 'constructor')],
  ])('a pickle that wants %s is refused, and nothing is called', (name, value) => {
    const read = () => readTorch(checkpoint(value, { 0: six }), 'm.pth');
    expect(read).toThrow(expect.objectContaining({ name: 'DataError', code: 'checkpoint-code' }));
    expect(read).toThrow(
      `m.pth asks to call ${name}, but only tensors are read and no code from a file is run. Where you trust the ` +
        "file, save its weights only: torch.save(model.state_dict(), 'weights.pth').",
    );
  });

  test('other formats of PyTorch are refused with a way out', () => {
    const old = Uint8Array.of(0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e);
    expect(() => readTorch(old, 'old.pth')).toThrow(
      'old.pth is in the format of PyTorch before 1.6, which is not read. Save it anew with PyTorch: ' +
        "torch.save(torch.load('old.pth', weights_only=True), 'new.pth').",
    );
    const program = checkpoint(dict({}), {}, { 'net/constants.pkl': Uint8Array.of(0) });
    expect(() => readTorch(program, 'm.pt')).toThrow(expect.objectContaining({ code: 'checkpoint-unsupported' }));
    const big = checkpoint(dict({}), {}, { 'net/byteorder': Uint8Array.from(ascii('big')) });
    expect(() => readTorch(big, 'm.pt')).toThrow('byte order of another processor');
  });

  const itself = [0x7d, 0x71, 0, ...text('a'), 0x68, 0, 0x73];
  const doubled = Array.from({ length: 40 }, (_, i) => [0x5d, 0x28, 0x68, i, 0x68, i, 0x65, 0x71, i + 1]).flat();
  test.each<[string, Bytes]>([
    ['no dict', stored(whole)],
    ['a tensor beyond its storage', dict({ w: stored({ ...whole, offset: 1 }) })],
    ['a stride beyond its storage', dict({ w: stored({ ...whole, strides: [4, 1] }) })],
    ['a negative stride', dict({ w: stored({ ...whole, offset: 5, strides: [-3, -1] }) })],
    ['a negative offset', dict({ w: stored({ ...whole, offset: -1 }) })],
    ['fewer strides than sizes', dict({ w: stored({ ...whole, strides: [1] }) })],
    ['a storage that claims more', dict({ w: stored({ ...whole, length: 7 }) })],
    ['a storage that claims less', dict({ w: stored({ length: 3, shape: [3] }) })],
    ['a storage that is absent', dict({ w: stored({ ...whole, key: '1' }) })],
    ['a storage outside its folder', dict({ w: stored({ ...whole, key: '../version' }) })],
    ['a storage of two types', dict({ a: stored(whole), b: stored({ ...whole, type: 'Int' }) })],
    ['values repeated beyond measure', dict({ w: stored({ length: 6, shape: [2 ** 30], strides: [0] }) })],
    ['two tensors of one name', dict({ 'a.b': stored(whole), a: dict({ b: stored(whole) }) })],
    ['a dict that holds itself', itself],
    ['lists that double forty times', dict({ w: [0x28, 0x5d, 0x71, 0, ...doubled, 0x74] })],
    ['lists in lists without end', dict({ w: [...new Array(1000).fill(0x5d), ...new Array(999).fill(0x61)] })],
    [
      'a call with more arguments than a stack holds',
      call(global('collections', 'OrderedDict'), new Array(3e5).fill(0x4e)),
    ],
    ['an opcode that no tensors need', [0x93]],
    ['a call of what is no function', call(global('torch', 'FloatStorage'))],
    ['arguments that are no tuple', [...global('collections', 'OrderedDict'), 0x4e, 0x52]],
    ['attributes of a tensor', dict({ w: [...stored(whole), 0x7d, 0x62] })],
    ['a parameter of nothing', dict({ w: call(global('torch._utils', '_rebuild_parameter'), [0x4e]) })],
    ['a persistent id of another kind', [...tuple(text('module')), 0x51]],
    ['a text longer than the file', [0x58, 255, 255, 255, 255]],
    ['a text that is not UTF-8', [0x58, 1, 0, 0, 0, 0xff]],
    ['a name without end', ascii('ctorch')],
    ['an empty stack', []],
    ['values left over', [0x4e, ...dict({})]],
    ['a mark left over', [0x28, ...dict({})]],
    ['a memo that is not there', [0x68, 3]],
    ['an entry of no dict', [0x4e, ...text('a'), 0x4e, 0x73]],
    ['protocol 4', [0x80, 4, ...dict({})]],
  ])('%s is refused', (_, value) => {
    expect(() => readTorch(checkpoint(value, { 0: six }), 'm.pth')).toThrow(
      expect.objectContaining({ name: 'DataError', code: 'checkpoint-corrupt' }),
    );
  });

  test('archives that are packed, cut or none are refused', () => {
    const value = pickle(dict({ w: stored(whole) }));
    const corrupt = expect.objectContaining({ code: 'checkpoint-corrupt' });
    const packed = zipSync({ 'net/data.pkl': value, 'net/data/0': bytesOf(new Float32Array(6)) });
    expect(() => readTorch(packed, 'm.pth')).toThrow('is compressed, which torch.save never does');
    expect(() => readTorch(zipSync({ 'net/weights': value }, { level: 0 }), 'm.pth')).toThrow('one data.pkl, found 0');
    const two = zipSync({ 'a/data.pkl': value, 'b/data.pkl': value }, { level: 0 });
    expect(() => readTorch(two, 'm.pth')).toThrow('one data.pkl, found 2');
    const file = checkpoint(dict({ w: stored(whole) }), { 0: six });
    for (let n = 0; n < file.length; n++) expect(() => readTorch(file.subarray(0, n), 'm.pth')).toThrow(corrupt);
    expect(() => readTorch(file.subarray(0, 9), 'm.pth')).toThrow(
      'm.pth is not a whole PyTorch checkpoint: it is cut off or damaged. Fetch or save it again.',
    );
  });

  test('random damage gives tensors or a DataError, never anything else', () => {
    const file = checkpoint(dict({ w: stored(whole), v: stored({ ...whole, offset: 1, shape: [2] }) }), { 0: six });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(file.length - 1), fc.nat(255)), { maxLength: 4 }), (changes) => {
        const damaged = Uint8Array.from(file);
        for (const [at, value] of changes) damaged[at] = value;
        try {
          readTorch(damaged, 'm.pth');
        } catch (error) {
          expect(error).toBeInstanceOf(DataError);
        }
      }),
      { numRuns: 3000 },
    );
  });
});
