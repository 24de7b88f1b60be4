/**
 * Safetensors (huggingface/safetensors, format of 2023): an 8-byte little-endian header length, a JSON header, then
 * the tensors' bytes without holes. float16 and bfloat16 are widened to float32 when read; float16 is written where asked.
 */
import { DataError } from '../../core/errors.ts';
import { allocate, bytesPerElement, type DType, type Tensor, type Tensors } from '../../core/tensor.ts';
import { fromBfloat16, fromFloat16, toFloat16 } from './half.ts';

/** Tensors by name, and the free text of the header's `__metadata__`. */
export interface Safetensors {
  readonly tensors: Tensors;
  readonly metadata: Readonly<Record<string, string>>;
}

const nameOf: Record<DType, string> = {
  float32: 'F32',
  float64: 'F64',
  int32: 'I32',
  int64: 'I64',
  uint8: 'U8',
  bool: 'BOOL',
};
const dtypeOf = new Map(Object.entries(nameOf).map(([dtype, name]) => [name, dtype as DType]));

/** The reference implementation's limit on the header. */
const maxHeaderBytes = 100_000_000;

/**
 * Writes tensors and metadata; the same input gives the same bytes (names sorted, widest types first). With `half`
 * float32 is written as float16, rounded to the nearest: half the bytes, three digits and a half.
 */
export function writeSafetensors(
  tensors: Tensors,
  metadata: Readonly<Record<string, string>> = {},
  { half = false }: { readonly half?: boolean } = {},
): Uint8Array {
  const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
  const isHalf = (name: string) => half && tensors[name].dtype === 'float32';
  const width = (name: string) => (isHalf(name) ? 2 : bytesPerElement[tensors[name].dtype]);
  // Widest first keeps every tensor aligned to its own type.
  const names = Object.keys(tensors).sort((a, b) => width(b) - width(a) || byText(a, b));
  const header: [string, unknown][] = [];
  if (Object.keys(metadata).length > 0) {
    header.push(['__metadata__', Object.fromEntries(Object.entries(metadata).sort(([a], [b]) => byText(a, b)))]);
  }
  let end = 0;
  const offsets = names.map((name) => {
    const { dtype, shape, data } = tensors[name];
    const start = end;
    end += data.length * width(name);
    header.push([name, { dtype: isHalf(name) ? 'F16' : nameOf[dtype], shape, data_offsets: [start, end] }]);
    return start;
  });
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const headerBytes = Math.ceil(json.length / 8) * 8;
  const out = new Uint8Array(8 + headerBytes + end);
  new DataView(out.buffer).setBigUint64(0, BigInt(headerBytes), true);
  out.fill(0x20, 8, 8 + headerBytes);
  out.set(json, 8);
  for (const [i, name] of names.entries()) {
    const data = isHalf(name) ? toFloat16(tensors[name].data as Float32Array) : tensors[name].data;
    out.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 8 + headerBytes + offsets[i]);
  }
  return out;
}

/**
 * Reads a safetensors file; every tensor gets memory of its own. `file` names it in messages.
 * @throws DataError `checkpoint-corrupt` for anything that the format does not allow: a header that is cut or not JSON,
 * offsets that overlap, leave holes or do not fit the shape, bytes missing or left over, element types not known here.
 */
export function readSafetensors(bytes: Uint8Array, file: string): Safetensors {
  const fail = (what: string): never => {
    throw new DataError(
      'checkpoint-corrupt',
      `${file} is not a whole safetensors file: ${what}. Restore or fetch the file again.`,
    );
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 8) fail(`it must have at least 8 bytes, found ${bytes.length}`);
  const headerBytes = Number(view.getBigUint64(0, true));
  if (headerBytes > maxHeaderBytes || 8 + headerBytes > bytes.length) {
    fail(`its header must fit into ${bytes.length - 8} bytes, but says ${headerBytes}`);
  }
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, 8 + headerBytes)));
  } catch {
    fail('its header is not JSON');
  }
  if (!isRecord(header)) return fail('its header is not a JSON object');

  const { __metadata__: metadata = {}, ...entries } = header;
  if (!isRecord(metadata) || Object.values(metadata).some((v) => typeof v !== 'string')) {
    fail('__metadata__ must hold texts only');
  }

  const data = bytes.subarray(8 + headerBytes);
  const tensors: [string, Tensor][] = [];
  const spans: [number, number][] = [];
  for (const [name, entry] of Object.entries(entries)) {
    const { dtype, shape, data_offsets: span } = isRecord(entry) ? entry : {};
    if (!isSizes(shape) || !isSizes(span) || span.length !== 2 || typeof dtype !== 'string') {
      return fail(`the entry of "${name}" needs dtype, shape and data_offsets`);
    }
    const half = dtype === 'F16' || dtype === 'BF16';
    const type = half ? 'float32' : dtypeOf.get(dtype);
    if (!type)
      return fail(`"${name}" has the type ${dtype}, known are ${[...dtypeOf.keys(), 'F16', 'BF16'].join(', ')}`);
    const count = shape.reduce((n, d) => n * d, 1);
    const [start, end] = span;
    if (end - start !== count * (half ? 2 : bytesPerElement[type]) || end > data.length) {
      fail(`"${name}" of ${dtype} [${shape.join(',')}] does not fit bytes ${start} … ${end} of ${data.length}`);
    }
    const raw = new Uint8Array(data.subarray(start, end)); // a copy; slice() of a Node Buffer would be a view
    let values = allocate(type, 0);
    if (dtype === 'F16') values = fromFloat16(new Uint16Array(raw.buffer));
    else if (dtype === 'BF16') values = fromBfloat16(new Uint16Array(raw.buffer));
    else values = new (values.constructor as new (buffer: ArrayBufferLike) => typeof values)(raw.buffer);
    tensors.push([name, { dtype: type, shape, data: values }]);
    spans.push([start, end]);
  }

  spans.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  let covered = 0;
  for (const [start, end] of spans) {
    if (start !== covered) fail(`its tensors overlap or leave a hole at byte ${Math.min(start, covered)}`);
    covered = end;
  }
  if (covered !== data.length) fail(`its tensors take ${covered} bytes, found ${data.length}`);
  return { tensors: Object.fromEntries(tensors), metadata: metadata as Record<string, string> };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** True for an array of whole numbers >= 0. */
function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((v) => Number.isSafeInteger(v) && v >= 0);
}
