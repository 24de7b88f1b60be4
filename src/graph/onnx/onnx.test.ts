import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import onnxProto from 'onnx-proto';
import { describe, expect, it } from 'vitest';
import { DataError } from '../../core/errors.ts';
import { type DType, float32, int64, type Tensor, tensor } from '../../core/tensor.ts';
import type { OnnxModel } from './messages.ts';
import { decodeModel } from './read.ts';
import { encodeModel } from './write.ts';

const { onnx } = onnxProto;

/** Every kind of attribute, value and tensor once. */
const sample: OnnxModel = {
  irVersion: 8,
  opsets: [
    { domain: '', version: 17 },
    { domain: 'ai.onnx.ml', version: 3 },
  ],
  producer: 'oddity',
  producerVersion: '0.1.0',
  metadata: { 'oddity.model': 'padim', ['__proto__']: 'a name like any other' },
  graph: {
    name: 'main',
    nodes: [
      {
        op: 'Everything',
        domain: 'test',
        name: 'n1',
        inputs: ['x', ''],
        outputs: ['y'],
        attributes: {
          alpha: { f: 0.5 },
          zero: { f: 0 },
          axis: { i: -1 },
          end: { i: Number.MAX_SAFE_INTEGER },
          mode: { s: 'größe' },
          empty: { s: '' },
          value: { t: int64([1, -2], [2]) },
          floats: { floats: [1, -0.25] },
          ints: { ints: [0, 1, -3] },
          none: { ints: [] },
          strings: { strings: ['a', ''] },
          body: {
            g: {
              name: 'body',
              nodes: [{ op: 'Identity', inputs: ['i'], outputs: ['o'], attributes: {} }],
              inputs: [{ name: 'i', dtype: 'bool', shape: [] }],
              outputs: [{ name: 'o', dtype: 'bool', shape: [] }],
              initializers: [],
            },
          },
        },
      },
    ],
    inputs: [{ name: 'x', dtype: 'float32', shape: ['N', 3, '?'] }],
    outputs: [
      { name: 'y', dtype: 'other' },
      { name: 'z', dtype: 'float16', shape: [] },
    ],
    initializers: [
      { name: 'w', tensor: float32([1, 2, 3, 4, 5, 6], [2, 3]) },
      { name: 'd', tensor: tensor('float64', [1], Float64Array.of(Math.PI)) },
      { name: 'b', tensor: tensor('bool', [2], Uint8Array.of(1, 0)) },
      { name: 'u', tensor: tensor('uint8', [0], new Uint8Array(0)) },
      { name: 'i', tensor: tensor('int32', [], Int32Array.of(-7)) },
      { name: 'large', tensor: float32(Float32Array.from({ length: 3000 }, (_, i) => i)) },
    ],
  },
};

const isDataError = (run: () => unknown): boolean => {
  try {
    run();
    return true;
  } catch (error) {
    return error instanceof DataError;
  }
};

describe('encodeModel and decodeModel', () => {
  it('are inverse', () => {
    expect(decodeModel(encodeModel(sample).model)).toEqual(sample);
  });

  it('are inverse with weights in a side buffer, aligned', () => {
    const { model, external } = encodeModel(sample, { externalAbove: 20, externalName: 'side.bin' });
    expect(external?.byteLength).toBe(64 + 12000);
    expect(decodeModel(model, { external })).toEqual(sample);
    const weights = onnx.ModelProto.decode(model).graph?.initializer?.find((t) => t.name === 'large');
    const entries = Object.fromEntries(weights?.externalData?.map((e) => [e.key, e.value]) ?? []);
    expect(entries).toEqual({ location: 'side.bin', offset: '64', length: '12000' });
    expect(() => decodeModel(model)).toThrow(expect.objectContaining({ code: 'onnx-external' }));
    expect(() => decodeModel(model, { external: external?.subarray(0, 100) })).toThrow(/which has 100/);
  });

  it('write what an independent reader reads', () => {
    const theirs = onnx.ModelProto.toObject(onnx.ModelProto.decode(encodeModel(sample).model) as never, {
      longs: Number,
    });
    expect(theirs).toMatchObject({
      irVersion: 8,
      producerName: 'oddity',
      producerVersion: '0.1.0',
      opsetImport: [
        { domain: '', version: 17 },
        { domain: 'ai.onnx.ml', version: 3 },
      ],
      graph: {
        name: 'main',
        input: [
          {
            name: 'x',
            type: { tensorType: { elemType: 1, shape: { dim: [{ dimParam: 'N' }, { dimValue: 3 }, {}] } } },
          },
        ],
      },
    });
    const node = theirs.graph.node[0];
    expect(node).toMatchObject({ opType: 'Everything', domain: 'test', name: 'n1', input: ['x', ''], output: ['y'] });
    const attributes = Object.fromEntries(node.attribute.map((a: { name: string }) => [a.name, a]));
    expect(attributes.alpha).toMatchObject({ type: 1, f: 0.5 });
    expect(attributes.axis).toMatchObject({ type: 2, i: -1 });
    expect(attributes.mode).toMatchObject({ type: 3, s: new TextEncoder().encode('größe') });
    expect(attributes.value.t).toMatchObject({ dims: [2], dataType: 7 });
    expect(attributes.body.g.node[0].opType).toBe('Identity');
    expect(attributes.floats).toMatchObject({ type: 6, floats: [1, -0.25] });
    expect(attributes.ints).toMatchObject({ type: 7, ints: [0, 1, -3] });
    expect(attributes.strings.strings.map((s: Uint8Array) => new TextDecoder().decode(s))).toEqual(['a', '']);
    expect(theirs.graph.initializer[0]).toMatchObject({ name: 'w', dims: [2, 3], dataType: 1 });
  });

  it('read every storage form that an independent writer writes', () => {
    const read = (proto: object): Tensor => {
      const graph = { name: 'g', initializer: [{ name: 't', dims: [2], ...proto }] };
      const bytes = onnx.ModelProto.encode(onnx.ModelProto.create({ irVersion: 3, graph } as never)).finish();
      return decodeModel(bytes).graph.initializers[0].tensor;
    };
    const cases: [object, DType, ArrayLike<number | bigint>][] = [
      [{ dataType: 1, floatData: [1.5, -2] }, 'float32', [1.5, -2]],
      [{ dataType: 11, doubleData: [1.5, -2] }, 'float64', [1.5, -2]],
      [{ dataType: 6, int32Data: [1, -2] }, 'int32', [1, -2]],
      [{ dataType: 7, int64Data: [1, -2] }, 'int64', [1n, -2n]],
      [{ dataType: 9, int32Data: [1, 0] }, 'bool', [1, 0]],
      [{ dataType: 2, int32Data: [1, 255] }, 'uint8', [1, 255]],
      [{ dataType: 3, rawData: Uint8Array.of(1, 255) }, 'int32', [1, -1]],
      [{ dataType: 13, uint64Data: [1, 2] }, 'int64', [1n, 2n]],
      // float16: 1.5 and the smallest subnormal; then infinity and −2.
      [{ dataType: 10, int32Data: [0x3e00, 1] }, 'float32', [1.5, 2 ** -24]],
      [{ dataType: 10, rawData: Uint8Array.of(0, 0x7c, 0, 0xc0) }, 'float32', [Number.POSITIVE_INFINITY, -2]],
      [{ dataType: 16, rawData: Uint8Array.of(0xc0, 0x3f, 0, 0xc0) }, 'float32', [1.5, -2]],
    ];
    for (const [proto, dtype, values] of cases) {
      const found = read(proto);
      expect([found.dtype, found.shape, Array.from(found.data as never)]).toEqual([dtype, [2], values]);
    }
    expect(() => read({ dataType: 8, stringData: [] })).toThrow(expect.objectContaining({ code: 'onnx-unsupported' }));
  });

  it('keeps "to the end" (2⁶³ − 1) through numbers that cannot hold it', () => {
    const end = { ...sample.graph.nodes[0], attributes: { end: { i: 2 ** 63 } } };
    const bytes = encodeModel({ ...sample, graph: { ...sample.graph, nodes: [end] } }).model;
    expect(decodeModel(bytes).graph.nodes[0].attributes.end).toEqual({ i: 2 ** 63 });
  });

  it('writes 100 MB of weights and reads them back', () => {
    const data = new Float32Array(25e6);
    data[data.length - 1] = 7;
    const large = { name: 'w', tensor: float32(data) };
    const { model } = encodeModel({ ...sample, graph: { ...sample.graph, initializers: [large] } });
    expect(model.byteLength).toBeGreaterThan(1e8);
    expect(decodeModel(model).graph.initializers[0].tensor.data.at(-1)).toBe(7);
  });
});

describe('decodeModel distrusts', () => {
  const whole = encodeModel(sample).model;

  it('every truncation', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: whole.length - 1 }), (length) => {
        expect(() => decodeModel(whole.subarray(0, length))).toThrow(DataError);
      }),
      { numRuns: 500 },
    );
  });

  it('changed bytes: it reads something or throws DataError', () => {
    const small = encodeModel({
      ...sample,
      graph: { ...sample.graph, initializers: sample.graph.initializers.slice(0, 3) },
    });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(small.model.length - 1), fc.nat(255)), { maxLength: 8 }), (changes) => {
        const bytes = small.model.slice();
        for (const [at, value] of changes) bytes[at] = value;
        return isDataError(() => decodeModel(bytes));
      }),
      { numRuns: 1000 },
    );
  });

  it('arbitrary bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => isDataError(() => decodeModel(bytes))),
      { numRuns: 1000 },
    );
    for (const text of ['', 'not a model', '<html></html>', '\x89PNG\r\n\x1a\n']) {
      expect(() => decodeModel(Buffer.from(text, 'latin1'))).toThrow(expect.objectContaining({ code: 'onnx-corrupt' }));
    }
  });

  it('sizes: a tensor that claims more than it holds takes no memory', () => {
    const graph = { name: 'g', initializer: [{ name: 't', dims: [2 ** 40], dataType: 1, rawData: new Uint8Array(4) }] };
    const bytes = onnx.ModelProto.encode(onnx.ModelProto.create({ irVersion: 8, graph } as never)).finish();
    expect(() => decodeModel(bytes)).toThrow(/should hold 4398046511104 bytes and holds 4/);
  });

  it('nesting without end', () => {
    let graph: OnnxModel['graph'] = { name: '', nodes: [], inputs: [], outputs: [], initializers: [] };
    for (let i = 0; i < 40; i++) {
      graph = { ...graph, nodes: [{ op: 'If', inputs: [], outputs: [], attributes: { body: { g: graph } } }] };
    }
    expect(() => decodeModel(encodeModel({ ...sample, graph }).model)).toThrow(/nested more than 32 deep/);
  });
});

const data = process.env.ODDITY_DATA ?? '';
const weights = join(data, 'weights', 'onnx');
const files = data && existsSync(weights) ? readdirSync(weights).filter((name) => name.endsWith('.onnx')) : [];

describe.skipIf(files.length === 0)('real files (ODDITY_DATA)', () => {
  it.each(files)('%s survives a round trip and agrees with the independent reader', (name) => {
    const bytes = readFileSync(join(weights, name));
    const model = decodeModel(bytes);
    // As bytes: comparing a million numbers one by one takes seconds.
    const again = encodeModel(model).model;
    expect(Buffer.compare(encodeModel(decodeModel(again)).model, again)).toBe(0);
    const theirs = onnx.ModelProto.decode(bytes).graph;
    expect(model.graph.nodes.map((node) => node.op)).toEqual(theirs?.node?.map((node) => node.opType));
    expect(model.graph.initializers.map((i) => i.tensor.shape)).toEqual(
      theirs?.initializer?.map((i) => i.dims?.map(Number)),
    );
    for (const { tensor } of model.graph.initializers) {
      if (tensor.dtype === 'float32') expect((tensor.data as Float32Array).every(Number.isFinite)).toBe(true);
    }
  });
});
