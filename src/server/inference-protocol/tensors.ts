/**
 * Tensors on the wire of the Open Inference Protocol V2: numbers in JSON, or raw behind the JSON (extension `binary_tensor_data`):
 * little-endian, row major, in the order in which they are named.
 */
import { Problem } from '../problem.ts';
import { jsonOf } from '../request-body.ts';

/** The header that says how many bytes of a body are JSON. */
export const JSON_LENGTH = 'Inference-Header-Content-Length';

/** A tensor as the JSON part names it. */
export interface WireTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly datatype: string;
  readonly data?: unknown;
  readonly parameters?: Readonly<Record<string, unknown>>;
}

/** A tensor of an answer. */
export interface OutputTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly datatype: 'FP32' | 'BOOL' | 'BYTES';
  readonly data: Float32Array | readonly boolean[] | readonly string[];
}

const bad = (message: string) => new Problem(400, 'bad-tensor', message);

/** Bytes of one number of the types that detectors take, and how it is read. */
const readers: Readonly<Record<string, readonly [bytes: number, read: (view: DataView, at: number) => number]>> = {
  FP32: [4, (view, at) => view.getFloat32(at, true)],
  FP64: [8, (view, at) => view.getFloat64(at, true)],
};

/** The JSON part of a body and what follows it. `length` is the header's text. Throws Problem 400. */
export function splitBody(body: Uint8Array, length: string | undefined): { json: unknown; rest: Uint8Array } {
  const end = length === undefined ? body.length : Number(length);
  if (!Number.isInteger(end) || end < 0 || end > body.length) {
    throw new Problem(
      400,
      'bad-header',
      `${JSON_LENGTH} must be the number of bytes of the JSON part, at most ${body.length} here, got ${length}.`,
    );
  }
  const json = jsonOf(body.subarray(0, end));
  if (json === undefined) {
    throw new Problem(
      400,
      'not-json',
      'The body, or its part before binary tensors, must be JSON in UTF-8, but is not.',
    );
  }
  return { json, rest: body.subarray(end) };
}

/**
 * The values of an input that must be `[n, ...shape]` numbers, and n. `rest` is what is left of the raw part; `used` bytes of it are
 * this tensor's. Throws Problem 400 that says what is wrong with which tensor.
 */
export function readTensor(
  tensor: WireTensor,
  shape: readonly number[],
  rest: Uint8Array,
): { readonly values: Float32Array; readonly count: number; readonly used: number } {
  const { name, datatype, parameters } = tensor;
  const reader = Object.hasOwn(readers, datatype) ? readers[datatype] : undefined;
  if (!reader) {
    throw bad(`The input ${name} must be of datatype ${Object.keys(readers).join(' or ')}, got ${String(datatype)}.`);
  }
  const [count, ...item] = tensor.shape;
  if (tensor.shape.length !== shape.length + 1 || item.some((side, i) => side !== shape[i]) || !(count >= 1)) {
    throw bad(`The input ${name} must have the shape [n, ${shape.join(', ')}], got [${tensor.shape.join(', ')}].`);
  }
  const size = tensor.shape.reduce((a, b) => a * b, 1);
  const bytes = parameters?.binary_data_size;
  if (bytes === undefined) return { values: fromJson(tensor, size), count, used: 0 };
  if (bytes !== size * reader[0]) {
    throw bad(`binary_data_size of the input ${name} must be ${size * reader[0]} for its shape, got ${String(bytes)}.`);
  }
  if (rest.length < bytes)
    throw bad(`The input ${name} must have ${bytes} bytes behind the JSON, found ${rest.length}.`);
  return { values: fromBytes(rest.subarray(0, bytes), datatype, size), count, used: bytes };
}

function fromBytes(bytes: Uint8Array, datatype: string, size: number): Float32Array {
  const [width, read] = readers[datatype];
  if (datatype === 'FP32') {
    // A copy starts where numbers may start; all machines that Node runs on are little-endian.
    const own = bytes.byteOffset % width === 0 ? bytes : bytes.slice();
    return new Float32Array(own.buffer, own.byteOffset, size);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float32Array.from({ length: size }, (_, i) => read(view, i * width));
}

/** Numbers of a flat list or of lists in lists. */
function fromJson({ name, data }: WireTensor, size: number): Float32Array {
  if (!Array.isArray(data)) throw bad(`The input ${name} must have data: a list of ${size} numbers.`);
  const values = new Float32Array(size);
  let at = 0;
  const add = (list: readonly unknown[]) => {
    for (const value of list) {
      if (Array.isArray(value)) add(value);
      else if (typeof value !== 'number')
        throw bad(`The input ${name} must hold numbers, found ${JSON.stringify(value)}.`);
      else if (at < size) values[at++] = value;
      else at++;
    }
  };
  add(data);
  if (at !== size) throw bad(`The input ${name} must have ${size} numbers for its shape, got ${at}.`);
  return values;
}

/** An answer: one JSON object, and behind it the tensors that are wanted raw. */
export function writeAnswer(
  about: Readonly<Record<string, unknown>>,
  outputs: readonly OutputTensor[],
  isBinary: (name: string) => boolean,
): { readonly body: Uint8Array; readonly jsonLength?: number } {
  const raw = outputs.map((output) => (isBinary(output.name) ? bytesOf(output) : undefined));
  const json = JSON.stringify({
    ...about,
    outputs: outputs.map(({ name, shape, datatype, data }, i) => ({
      name,
      shape,
      datatype,
      ...(raw[i]
        ? { parameters: { binary_data_size: raw[i].length } }
        : { data: Array.from(data as ArrayLike<unknown>) }),
    })),
  });
  const head = Buffer.from(json);
  const parts = raw.filter((bytes) => bytes !== undefined);
  if (parts.length === 0) return { body: head };
  return { body: Buffer.concat([head, ...parts]), jsonLength: head.length };
}

/** Raw bytes: BOOL is one byte, an element of BYTES has its length before it in four. */
function bytesOf({ data }: OutputTensor): Uint8Array {
  if (data instanceof Float32Array) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return Buffer.concat(
    data.map((value: boolean | string) => {
      if (typeof value === 'boolean') return Buffer.of(value ? 1 : 0);
      const text = Buffer.from(value);
      const length = Buffer.alloc(4);
      length.writeUInt32LE(text.length);
      return Buffer.concat([length, text]);
    }),
  );
}
