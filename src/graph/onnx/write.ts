/**
 * OnnxModel → bytes. Protobuf lets fields come in any order: the graph is written last, so a file cut short never looks
 * whole. Weights are not copied into nested buffers: a message keeps chunks whose lengths are known, and the file is
 * put together once. Typed arrays are taken to be little-endian, as every host of ours is.
 */
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { DataError } from '../../core/errors.ts';
import type { Tensor } from '../../core/tensor.ts';
import { floatToHalf } from './half.ts';
import type { OnnxAttribute, OnnxGraph, OnnxInitializer, OnnxModel, OnnxNode, OnnxValue } from './messages.ts';
import { attributeType, type ElementName, EXTERNAL, elementType, field, UNKNOWN_DIM } from './wire.ts';

export interface EncodeOptions {
  /** Initializers of more bytes than this go into the side buffer; default: none do. */
  externalAbove?: number;
  /** The name by which the model refers to the side buffer: a file beside the model. Default `weights.bin`. */
  externalName?: string;
}

export interface EncodedModel {
  model: Uint8Array<ArrayBuffer>;
  /** The large weights, each at a multiple of 64 bytes; undefined when nothing was large. */
  external?: Uint8Array<ArrayBuffer>;
}

/** Payloads from this size on are kept by reference until the end; smaller ones are cheaper to copy at once. */
const LARGE_BYTES = 4096;
/** One cache line; memory-mapping readers want it too. */
const ALIGNMENT_BYTES = 64;
/** Protobuf's own limit for one message. */
const MAX_BYTES = 2 ** 31 - 1;
const INT64_MAX = 2n ** 63n - 1n;

/** The bytes of an ONNX file; throws DataError `onnx-too-large` above protobuf's limit of 2 GiB. */
export function encodeModel(model: OnnxModel, options: EncodeOptions = {}): EncodedModel {
  const side = new SideBuffer(options.externalAbove ?? Number.POSITIVE_INFINITY, options.externalName ?? 'weights.bin');
  const message = new Message()
    .int(field.model.irVersion, model.irVersion)
    .text(field.model.producerName, model.producer)
    .text(field.model.producerVersion, model.producerVersion);
  for (const { domain, version } of model.opsets) {
    const opset = new Message().text(field.opset.domain, domain).int(field.opset.version, version);
    message.child(field.model.opsetImport, opset);
  }
  for (const [key, value] of Object.entries(model.metadata))
    message.child(field.model.metadataProps, entry(key, value));
  message.child(field.model.graph, graphMessage(model.graph, side));
  const chunks = message.finish();
  const sizeBytes = total(chunks);
  if (sizeBytes > MAX_BYTES) {
    throw new DataError(
      'onnx-too-large',
      `An ONNX file holds at most ${MAX_BYTES} bytes, this model needs ${sizeBytes}. Keep its weights outside: externalAbove.`,
    );
  }
  return { model: concat(chunks, sizeBytes), external: side.finish() };
}

/** A protobuf message under construction: small fields run into one writer, large payloads are kept by reference. */
class Message {
  private readonly chunks: Uint8Array[] = [];
  private readonly writer = new BinaryWriter();

  int(number: number, value: number): this {
    this.writer.tag(number, WireType.Varint).int64(clampToInt64(value));
    return this;
  }

  float(number: number, value: number): this {
    this.writer.tag(number, WireType.Bit32).float(value);
    return this;
  }

  text(number: number, value: string): this {
    this.writer.tag(number, WireType.LengthDelimited).string(value);
    return this;
  }

  /** Large values are held, not copied, until `finish`. */
  bytes(number: number, value: Uint8Array): this {
    return this.delimited(number, [value]);
  }

  child(number: number, message: Message): this {
    return this.delimited(number, message.finish());
  }

  /** A repeated float, packed. */
  floats(number: number, values: readonly number[]): this {
    const writer = new BinaryWriter();
    for (const value of values) writer.float(value);
    return this.delimited(number, [writer.finish()]);
  }

  /** A repeated int64, packed. */
  ints(number: number, values: readonly number[]): this {
    const writer = new BinaryWriter();
    for (const value of values) writer.int64(clampToInt64(value));
    return this.delimited(number, [writer.finish()]);
  }

  /** The chunks whose concatenation is the message. */
  finish(): Uint8Array[] {
    this.chunks.push(this.writer.finish());
    return this.chunks;
  }

  private delimited(number: number, chunks: readonly Uint8Array[]): this {
    this.writer.tag(number, WireType.LengthDelimited).uint32(total(chunks));
    for (const chunk of chunks) {
      if (chunk.byteLength < LARGE_BYTES) this.writer.raw(chunk);
      else this.chunks.push(this.writer.finish(), chunk);
    }
    return this;
  }
}

/** Collects the weights that go beside the model. */
class SideBuffer {
  readonly above: number;
  readonly name: string;
  private readonly chunks: Uint8Array[] = [];
  private length = 0;

  constructor(above: number, name: string) {
    this.above = above;
    this.name = name;
  }

  /** Takes the bytes and returns their offset. */
  add(bytes: Uint8Array): number {
    const gap = -this.length & (ALIGNMENT_BYTES - 1);
    const offset = this.length + gap;
    this.chunks.push(new Uint8Array(gap), bytes);
    this.length = offset + bytes.byteLength;
    return offset;
  }

  finish(): Uint8Array<ArrayBuffer> | undefined {
    return this.chunks.length > 0 ? concat(this.chunks, this.length) : undefined;
  }
}

function graphMessage(graph: OnnxGraph, side: SideBuffer): Message {
  const message = new Message().text(field.graph.name, graph.name);
  for (const node of graph.nodes) message.child(field.graph.node, nodeMessage(node, side));
  for (const value of graph.inputs) message.child(field.graph.input, valueMessage(value));
  for (const value of graph.outputs) message.child(field.graph.output, valueMessage(value));
  for (const initializer of graph.initializers) {
    message.child(field.graph.initializer, initializerMessage(initializer, side));
  }
  return message;
}

function nodeMessage(node: OnnxNode, side: SideBuffer): Message {
  const message = new Message();
  for (const name of node.inputs) message.text(field.node.input, name);
  for (const name of node.outputs) message.text(field.node.output, name);
  if (node.name) message.text(field.node.name, node.name);
  message.text(field.node.opType, node.op);
  if (node.domain) message.text(field.node.domain, node.domain);
  for (const [name, value] of Object.entries(node.attributes)) {
    message.child(field.node.attribute, attributeMessage(name, value, side));
  }
  return message;
}

function attributeMessage(name: string, value: OnnxAttribute, side: SideBuffer): Message {
  const message = new Message().text(field.attribute.name, name);
  const type = (kind: keyof typeof attributeType) => message.int(field.attribute.type, attributeType[kind]);
  if ('f' in value) return type('f').float(field.attribute.f, value.f);
  if ('i' in value) return type('i').int(field.attribute.i, value.i);
  if ('s' in value) return type('s').text(field.attribute.s, value.s);
  if ('t' in value) return type('t').child(field.attribute.t, tensorMessage(value.t));
  if ('g' in value) return type('g').child(field.attribute.g, graphMessage(value.g, side));
  if ('strings' in value) {
    type('strings');
    for (const s of value.strings) message.text(field.attribute.strings, s);
    return message;
  }
  if ('floats' in value) return type('floats').floats(field.attribute.floats, value.floats);
  return type('ints').ints(field.attribute.ints, value.ints);
}

function valueMessage(value: OnnxValue): Message {
  // Types that we have no word for ("other") are written as undefined, code 0.
  const tensorType = new Message().int(
    field.tensorType.elementType,
    value.dtype === 'other' ? 0 : elementType[value.dtype],
  );
  if (value.shape) {
    const shape = new Message();
    for (const size of value.shape) {
      const dim = new Message();
      if (typeof size === 'number') dim.int(field.dim.value, size);
      else if (size !== UNKNOWN_DIM) dim.text(field.dim.param, size);
      shape.child(field.shape.dim, dim);
    }
    tensorType.child(field.tensorType.shape, shape);
  }
  const type = new Message().child(field.type.tensorType, tensorType);
  return new Message().text(field.value.name, value.name).child(field.value.type, type);
}

function initializerMessage({ name, tensor, storedAs }: OnnxInitializer, side: SideBuffer): Message {
  const bytes = storedBytes(tensor, storedAs);
  const head = tensorHead(tensor, storedAs);
  if (bytes.byteLength <= side.above) return head.bytes(field.tensor.rawData, bytes).text(field.tensor.name, name);
  const offset = side.add(bytes);
  return head
    .text(field.tensor.name, name)
    .child(field.tensor.externalData, entry('location', side.name))
    .child(field.tensor.externalData, entry('offset', String(offset)))
    .child(field.tensor.externalData, entry('length', String(bytes.byteLength)))
    .int(field.tensor.dataLocation, EXTERNAL);
}

function storedBytes(tensor: Tensor, storedAs: OnnxInitializer['storedAs']): Uint8Array {
  if (storedAs === undefined) return bytesOf(tensor);
  const values = tensor.data as Float32Array | Int32Array;
  if (storedAs === 'float16') return new Uint8Array(Uint16Array.from(values, floatToHalf).buffer);
  return new Uint8Array(Int8Array.from(values).buffer);
}

function tensorMessage(tensor: Tensor): Message {
  return tensorHead(tensor).bytes(field.tensor.rawData, bytesOf(tensor));
}

function tensorHead(tensor: Tensor, type: ElementName = tensor.dtype): Message {
  return new Message().ints(field.tensor.dims, tensor.shape).int(field.tensor.dataType, elementType[type]);
}

function entry(key: string, value: string): Message {
  return new Message().text(field.entry.key, key).text(field.entry.value, value);
}

function bytesOf({ data }: Tensor): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** ONNX says "to the end" with the largest int64, which a JavaScript number rounds up to 2⁶³. */
function clampToInt64(value: number): bigint | number {
  if (Number.isSafeInteger(value)) return value;
  const exact = BigInt(value);
  return exact > INT64_MAX ? INT64_MAX : exact;
}

function total(chunks: readonly Uint8Array[]): number {
  return chunks.reduce((n, chunk) => n + chunk.byteLength, 0);
}

function concat(chunks: readonly Uint8Array[], sizeBytes: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(sizeBytes);
  let at = 0;
  for (const chunk of chunks) {
    out.set(chunk, at);
    at += chunk.byteLength;
  }
  return out;
}
