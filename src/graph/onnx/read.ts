/**
 * Bytes → OnnxModel, for files of any origin: nothing is believed. Every failure is a DataError, sizes are checked
 * against the bytes present before memory is taken, and nested graphs go at most 32 deep. Element types that the
 * project has no tensor for are widened: float16 and bfloat16 to float32, small integers to int32, uint32 and uint64
 * to int64.
 */
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { DataError, OddityError } from '../../core/errors.ts';
import type { Dim } from '../../core/shape.ts';
import type { DType, Tensor, TypedArray } from '../../core/tensor.ts';
import { halfToFloat } from './half.ts';
import type { OnnxAttribute, OnnxGraph, OnnxInitializer, OnnxModel, OnnxNode, OnnxValue } from './messages.ts';
import { attributeType, type ElementName, EXTERNAL, elementType, field, UNKNOWN_DIM } from './wire.ts';

export interface DecodeOptions {
  /** The side buffer with the weights that lie outside the file, if there are any. */
  external?: Uint8Array;
}

const MAX_DEPTH = 32;
const MAX_RANK = 64;

/**
 * Reads an ONNX file. Throws DataError: `onnx-corrupt` for bytes that are no whole ONNX file, `onnx-external` when
 * weights lie outside it and were not given, `onnx-unsupported` for tensors of strings and the like.
 */
export function decodeModel(bytes: Uint8Array, options: DecodeOptions = {}): OnnxModel {
  try {
    return readModel(bytes, { external: options.external, depth: 0 });
  } catch (error) {
    if (error instanceof OddityError) throw error;
    // What the wire reader throws: truncation, bad varints, unknown wire types.
    throw corrupt((error as Error).message);
  }
}

interface Context {
  readonly external?: Uint8Array;
  readonly depth: number;
}

function corrupt(reason: string): DataError {
  return new DataError('onnx-corrupt', `These bytes are not a whole ONNX file: ${reason}. Fetch or export it again.`);
}

/** Takes one field off the reader; the wire type is still to be checked. */
type Take = (reader: BinaryReader, wire: WireType) => void;

/** Walks the fields of a message; unknown ones are skipped. */
function walk(bytes: Uint8Array, fields: Record<number, Take>): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    const take = fields[number];
    if (take) take(reader, wire);
    else reader.skip(wire, number);
  }
}

/** A field of one wire type. */
function of<T>(expected: WireType, read: (reader: BinaryReader) => T, set: (value: T) => void): Take {
  return (reader, wire) => {
    if (wire !== expected) throw corrupt('a field has the wrong wire type');
    set(read(reader));
  };
}

/** A repeated numeric field, packed or not. */
function each<T>(expected: WireType, read: (reader: BinaryReader) => T, add: (value: T) => void): Take {
  return (reader, wire) => {
    if (wire !== WireType.LengthDelimited) return of(expected, read, add)(reader, wire);
    const packed = new BinaryReader(reader.bytes());
    while (packed.pos < packed.len) add(read(packed));
  };
}

const readInt = (reader: BinaryReader) => Number(reader.int64());
const readBigInt = (reader: BinaryReader) => BigInt(reader.int64());

/** Takes that hand the value on. */
const ints = (add: (value: number) => void) => each(WireType.Varint, readInt, add);
const texts = (add: (value: string) => void) => of(WireType.LengthDelimited, (r) => r.string(), add);
const bytesOf = (add: (value: Uint8Array) => void) => of(WireType.LengthDelimited, (r) => r.bytes(), add);

/** Takes that set a key of a record. */
function int<K extends string>(record: { [key in K]?: number }, key: K): Take {
  return of(WireType.Varint, readInt, (value) => assign(record, key, value));
}
function float<K extends string>(record: { [key in K]?: number }, key: K): Take {
  return of(
    WireType.Bit32,
    (r) => r.float(),
    (value) => assign(record, key, value),
  );
}
function text<K extends string>(record: { [key in K]?: string }, key: K): Take {
  return texts((value) => assign(record, key, value));
}

/** Sets an own property whatever the key is called: names in a file may be `__proto__`. */
function assign(record: object, key: string, value: unknown): void {
  Object.defineProperty(record, key, { value, enumerable: true, writable: true, configurable: true });
}

function readModel(bytes: Uint8Array, context: Context): OnnxModel {
  const model: Omit<OnnxModel, 'graph'> = { irVersion: 0, opsets: [], producer: '', producerVersion: '', metadata: {} };
  let graph: OnnxGraph | undefined;
  walk(bytes, {
    [field.model.irVersion]: int(model, 'irVersion'),
    [field.model.producerName]: text(model, 'producer'),
    [field.model.producerVersion]: text(model, 'producerVersion'),
    [field.model.opsetImport]: bytesOf((v) => {
      const opset = { domain: '', version: 0 };
      walk(v, {
        [field.opset.domain]: text(opset, 'domain'),
        [field.opset.version]: int(opset, 'version'),
      });
      model.opsets.push(opset);
    }),
    [field.model.metadataProps]: bytesOf((v) => addEntry(v, model.metadata)),
    [field.model.graph]: bytesOf((v) => {
      graph = readGraph(v, context);
    }),
  });
  if (!graph) throw corrupt('it holds no graph');
  if (model.irVersion < 1) throw corrupt('it names no IR version');
  // IR versions 1 and 2 had no opset list; they mean version 1.
  if (model.opsets.length === 0) model.opsets.push({ domain: '', version: 1 });
  return { ...model, graph };
}

function addEntry(bytes: Uint8Array, into: Record<string, string>): void {
  const entry = { key: '', value: '' };
  walk(bytes, { [field.entry.key]: text(entry, 'key'), [field.entry.value]: text(entry, 'value') });
  assign(into, entry.key, entry.value);
}

function readGraph(bytes: Uint8Array, context: Context): OnnxGraph {
  if (context.depth >= MAX_DEPTH) throw corrupt(`its graphs are nested more than ${MAX_DEPTH} deep`);
  const inner = { ...context, depth: context.depth + 1 };
  const graph: OnnxGraph = { name: '', nodes: [], inputs: [], outputs: [], initializers: [] };
  walk(bytes, {
    [field.graph.name]: text(graph, 'name'),
    [field.graph.node]: bytesOf((v) => graph.nodes.push(readNode(v, inner))),
    [field.graph.initializer]: bytesOf((v) => graph.initializers.push(readTensor(v, inner))),
    [field.graph.input]: bytesOf((v) => graph.inputs.push(readValue(v))),
    [field.graph.output]: bytesOf((v) => graph.outputs.push(readValue(v))),
  });
  return graph;
}

function readNode(bytes: Uint8Array, context: Context): OnnxNode {
  const node: OnnxNode = { op: '', inputs: [], outputs: [], attributes: {} };
  walk(bytes, {
    [field.node.input]: texts((v) => node.inputs.push(v)),
    [field.node.output]: texts((v) => node.outputs.push(v)),
    [field.node.name]: text(node, 'name'),
    [field.node.opType]: text(node, 'op'),
    [field.node.domain]: text(node, 'domain'),
    [field.node.attribute]: bytesOf((v) => {
      const { name, value } = readAttribute(v, context);
      assign(node.attributes, name, value);
    }),
  });
  if (!node.op) throw corrupt('a node has no operator');
  // Some writers write the defaults.
  if (!node.name) delete node.name;
  if (!node.domain) delete node.domain;
  return node;
}

function readAttribute(bytes: Uint8Array, context: Context): { name: string; value: OnnxAttribute } {
  const head = { name: '', type: 0 };
  const single: { f?: number; i?: number; s?: string; t?: Tensor; g?: OnnxGraph } = {};
  const floats: number[] = [];
  const integers: number[] = [];
  const strings: string[] = [];
  walk(bytes, {
    [field.attribute.name]: text(head, 'name'),
    [field.attribute.type]: int(head, 'type'),
    [field.attribute.f]: float(single, 'f'),
    [field.attribute.i]: int(single, 'i'),
    [field.attribute.s]: text(single, 's'),
    [field.attribute.t]: bytesOf((v) => {
      single.t = readTensor(v, context).tensor;
    }),
    [field.attribute.g]: bytesOf((v) => {
      single.g = readGraph(v, context);
    }),
    [field.attribute.floats]: each(
      WireType.Bit32,
      (r) => r.float(),
      (v) => floats.push(v),
    ),
    [field.attribute.ints]: ints((v) => integers.push(v)),
    [field.attribute.strings]: texts((v) => strings.push(v)),
  });
  const { name, type } = head;
  if (!name) throw corrupt('an attribute has no name');
  // Proto3 writers leave out zero and empty values; files of IR version 1 leave out the type.
  const is = (kind: keyof typeof attributeType, present: boolean) => type === attributeType[kind] || (!type && present);
  if (is('f', single.f !== undefined)) return { name, value: { f: single.f ?? 0 } };
  if (is('i', single.i !== undefined)) return { name, value: { i: single.i ?? 0 } };
  if (is('s', single.s !== undefined)) return { name, value: { s: single.s ?? '' } };
  if (single.t && is('t', true)) return { name, value: { t: single.t } };
  if (single.g && is('g', true)) return { name, value: { g: single.g } };
  if (is('floats', floats.length > 0)) return { name, value: { floats } };
  if (is('strings', strings.length > 0)) return { name, value: { strings } };
  if (is('ints', true)) return { name, value: { ints: integers } };
  throw new DataError('onnx-unsupported', `The attribute ${name} has type ${type}, which is not supported.`);
}

/** Names by code; codes that are missing here are "other". */
const elementNames = new Map<number, ElementName>(
  Object.entries(elementType).map(([name, code]) => [code, name as ElementName]),
);

const valueTypes = new Set<string>(['float32', 'float64', 'int32', 'int64', 'uint8', 'bool', 'float16', 'string']);

function readValue(bytes: Uint8Array): OnnxValue {
  const value: OnnxValue = { name: '', dtype: 'other' };
  const readShape = (shape: Uint8Array) => {
    const dims: Dim[] = [];
    walk(shape, {
      [field.shape.dim]: bytesOf((v) => {
        const dim: { size?: number; symbol?: string } = {};
        walk(v, { [field.dim.value]: int(dim, 'size'), [field.dim.param]: text(dim, 'symbol') });
        dims.push(dim.size ?? (dim.symbol || UNKNOWN_DIM));
      }),
    });
    value.shape = dims;
  };
  const readTensorType = (tensorType: Uint8Array) =>
    walk(tensorType, {
      [field.tensorType.elementType]: ints((code) => {
        const name = elementNames.get(code) ?? 'other';
        value.dtype = valueTypes.has(name) ? (name as OnnxValue['dtype']) : 'other';
      }),
      [field.tensorType.shape]: bytesOf(readShape),
    });
  walk(bytes, {
    [field.value.name]: text(value, 'name'),
    [field.value.type]: bytesOf((type) => walk(type, { [field.type.tensorType]: bytesOf(readTensorType) })),
  });
  return value;
}

function readTensor(bytes: Uint8Array, context: Context): OnnxInitializer {
  const head = { name: '', code: 0, location: 0 };
  let raw: Uint8Array | undefined;
  const shape: number[] = [];
  const values: (number | bigint)[] = [];
  const external: Record<string, string> = {};
  const add = (v: number | bigint) => values.push(v);
  walk(bytes, {
    [field.tensor.name]: text(head, 'name'),
    [field.tensor.dataType]: int(head, 'code'),
    [field.tensor.dims]: ints((v) => shape.push(v)),
    [field.tensor.rawData]: bytesOf((v) => {
      raw = v;
    }),
    [field.tensor.floatData]: each(WireType.Bit32, (r) => r.float(), add),
    [field.tensor.doubleData]: each(WireType.Bit64, (r) => r.double(), add),
    [field.tensor.int32Data]: each(WireType.Varint, (r) => r.int32(), add),
    [field.tensor.int64Data]: each(WireType.Varint, readBigInt, add),
    [field.tensor.uint64Data]: each(WireType.Varint, (r) => BigInt(r.uint64()), add),
    [field.tensor.externalData]: bytesOf((v) => addEntry(v, external)),
    [field.tensor.dataLocation]: int(head, 'location'),
  });
  const { name, code, location } = head;
  const where = `the tensor "${name}"`;
  const layout = layouts[elementNames.get(code) ?? 'string'];
  if (!layout) {
    throw new DataError('onnx-unsupported', `${where} has element type ${code}, which is not supported.`);
  }
  if (shape.length > MAX_RANK) throw corrupt(`${where} has ${shape.length} axes`);
  if (shape.some((d) => !(d >= 0))) throw corrupt(`${where} has a negative size`);
  const count = shape.reduce((n, d) => n * d, 1);
  if (location === EXTERNAL) raw = externalBytes(external, context.external, count * layout.bytes, where);
  if (raw === undefined && values.length !== count) {
    throw corrupt(`${where} should hold ${count} values and holds ${values.length}`);
  }
  if (raw !== undefined && raw.byteLength !== count * layout.bytes) {
    throw corrupt(`${where} should hold ${count * layout.bytes} bytes and holds ${raw.byteLength}`);
  }
  // A copy, aligned; `slice` would not do: on a Buffer it is a view.
  const data = raw === undefined ? layout.fromValues(values) : layout.fromBytes(new Uint8Array(raw).buffer);
  const element = elementNames.get(code);
  const storedAs = element === 'float16' || element === 'int8' ? element : undefined;
  return { name, tensor: { dtype: layout.dtype, shape, data }, ...(storedAs && { storedAs }) };
}

function externalBytes(
  entries: Record<string, string>,
  side: Uint8Array | undefined,
  sizeBytes: number,
  where: string,
): Uint8Array {
  if (!side) {
    throw new DataError(
      'onnx-external',
      `${where} lies outside the file, in "${entries.location}". Keep that file beside the model, or pass its bytes.`,
    );
  }
  const offset = Number(entries.offset ?? 0);
  const length = Number(entries.length ?? sizeBytes);
  if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0) {
    throw corrupt(`${where} has no valid place in "${entries.location}"`);
  }
  if (offset + length > side.byteLength) {
    throw corrupt(`${where} ends at byte ${offset + length} of "${entries.location}", which has ${side.byteLength}`);
  }
  return side.subarray(offset, offset + length);
}

/** How an element type is stored, and what it becomes. */
interface Layout {
  dtype: DType;
  /** Bytes of one stored element. */
  bytes: number;
  fromBytes(buffer: ArrayBuffer): TypedArray;
  fromValues(values: readonly (number | bigint)[]): TypedArray;
}

const numbers = (values: readonly (number | bigint)[]) => values as readonly number[];
const asInt64 = (values: Iterable<number | bigint>) =>
  BigInt64Array.from([...values], (v) => BigInt.asIntN(64, BigInt(v)));

const float32: Layout['fromValues'] = (values) => Float32Array.from(numbers(values));
const int32: Layout['fromValues'] = (values) => Int32Array.from(numbers(values));
const uint8: Layout['fromValues'] = (values) => Uint8Array.from(numbers(values));
const halves = (bits: ArrayLike<number>) => Float32Array.from(bits, halfToFloat);
// bfloat16 is the upper half of a float32.
const brains = (bits: ArrayLike<number>) => new Float32Array(Uint32Array.from(bits, (b) => b << 16).buffer);

const layouts: Partial<Record<ElementName, Layout>> = {
  float32: { dtype: 'float32', bytes: 4, fromBytes: (b) => new Float32Array(b), fromValues: float32 },
  float64: {
    dtype: 'float64',
    bytes: 8,
    fromBytes: (b) => new Float64Array(b),
    fromValues: (v) => Float64Array.from(numbers(v)),
  },
  float16: {
    dtype: 'float32',
    bytes: 2,
    fromBytes: (b) => halves(new Uint16Array(b)),
    fromValues: (v) => halves(numbers(v)),
  },
  bfloat16: {
    dtype: 'float32',
    bytes: 2,
    fromBytes: (b) => brains(new Uint16Array(b)),
    fromValues: (v) => brains(numbers(v)),
  },
  bool: { dtype: 'bool', bytes: 1, fromBytes: (b) => new Uint8Array(b), fromValues: uint8 },
  uint8: { dtype: 'uint8', bytes: 1, fromBytes: (b) => new Uint8Array(b), fromValues: uint8 },
  int8: { dtype: 'int32', bytes: 1, fromBytes: (b) => Int32Array.from(new Int8Array(b)), fromValues: int32 },
  uint16: { dtype: 'int32', bytes: 2, fromBytes: (b) => Int32Array.from(new Uint16Array(b)), fromValues: int32 },
  int16: { dtype: 'int32', bytes: 2, fromBytes: (b) => Int32Array.from(new Int16Array(b)), fromValues: int32 },
  int32: { dtype: 'int32', bytes: 4, fromBytes: (b) => new Int32Array(b), fromValues: int32 },
  int64: { dtype: 'int64', bytes: 8, fromBytes: (b) => new BigInt64Array(b), fromValues: asInt64 },
  uint32: { dtype: 'int64', bytes: 4, fromBytes: (b) => asInt64(new Uint32Array(b)), fromValues: asInt64 },
  uint64: { dtype: 'int64', bytes: 8, fromBytes: (b) => new BigInt64Array(b), fromValues: asInt64 },
};
