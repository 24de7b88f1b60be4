/**
 * How the state of a stream is kept in bytes: `odst`, the version of the layout, the length of the head, a checksum of all that
 * follows (four bytes each), the head as JSON in UTF-8, and the arrays that it lists, one after the other. Numbers are
 * little-endian. Equal states give equal bytes. Left out: compression, and machines with big-endian memory.
 */
import { DataError } from '../core/errors.ts';

/** What a stream has learnt is held in arrays whose lengths follow from its options and channels. */
export type StateArray = Float64Array | Int32Array | Uint8Array;

/** Arrays by name; the order of the names is that of the bytes. */
export type StateArrays = Readonly<Record<string, StateArray>>;

const MAGIC = 0x7473646f; // "odst"
const VERSION = 1;
const PREFIX = 16;

const types = { f64: Float64Array, i32: Int32Array, u8: Uint8Array } as const;

/** What every head holds. */
interface StoredHead {
  readonly kind: string;
  readonly arrays: readonly (readonly [name: string, type: keyof typeof types, count: number])[];
}

/** A head as it is written: checked by hand, so that pages load no schemas. */
function storedHead(value: unknown): StoredHead & Readonly<Record<string, unknown>> {
  const { kind, arrays } = (value ?? {}) as { kind?: unknown; arrays?: unknown };
  const isList = (one: unknown) =>
    Array.isArray(one) &&
    typeof one[0] === 'string' &&
    Object.hasOwn(types, String(one[1])) &&
    Number.isInteger(one[2]) &&
    one[2] >= 0;
  if (typeof kind === 'string' && Array.isArray(arrays) && arrays.every(isList))
    return value as StoredHead & Readonly<Record<string, unknown>>;
  throw damaged('its head lacks its kind or its arrays');
}

const typeOf = (array: StateArray) =>
  array instanceof Float64Array ? 'f64' : array instanceof Int32Array ? 'i32' : 'u8';

/** FNV-1a of some bytes, 32 bits. */
function checksum(bytes: Uint8Array): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < bytes.length; i++) h = Math.imul(h ^ bytes[i], 0x01000193);
  return h >>> 0;
}

const damaged = (what: string) =>
  new DataError(
    'stream-state-damaged',
    `The saved state of a stream cannot be read: ${what}. Use an earlier saved state, or start the stream anew.`,
  );

/** The bytes of a state: `kind` says what it is of, `head` is JSON that a reader compares before it takes the arrays. */
export function encodeState(kind: string, head: Readonly<Record<string, unknown>>, arrays: StateArrays): Uint8Array {
  const list = Object.entries(arrays).map(([name, array]) => [name, typeOf(array), array.length]);
  const json = new TextEncoder().encode(JSON.stringify({ kind, ...head, arrays: list }));
  const size = Object.values(arrays).reduce((sum, array) => sum + array.byteLength, PREFIX + json.length);
  const out = new Uint8Array(size);
  out.set(json, PREFIX);
  let at = PREFIX + json.length;
  for (const array of Object.values(arrays)) {
    out.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), at);
    at += array.byteLength;
  }
  const numbers = [MAGIC, VERSION, json.length, checksum(out.subarray(PREFIX))];
  const view = new DataView(out.buffer);
  numbers.forEach((number, i) => {
    view.setUint32(4 * i, number, true);
  });
  return out;
}

/** Head and arrays of a state of this kind. DataError `stream-state-damaged`, or `stream-state-other` for another kind. */
export function decodeState(
  kind: string,
  bytes: Uint8Array,
): { readonly head: Readonly<Record<string, unknown>>; readonly arrays: StateArrays } {
  if (bytes.length < PREFIX) throw damaged(`it has ${bytes.length} bytes, too few for any state`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [magic, version, length, sum] = [0, 1, 2, 3].map((i) => view.getUint32(4 * i, true));
  if (magic !== MAGIC) throw damaged('it does not begin as a state of a stream does');
  if (version !== VERSION)
    throw damaged(`its layout has version ${version}, and this version of oddity reads version ${VERSION}`);
  if (checksum(bytes.subarray(PREFIX)) !== sum)
    throw damaged('its checksum does not fit, so bytes were lost or changed');
  const head = storedHead(jsonOf(bytes.subarray(PREFIX, PREFIX + length)));
  if (head.kind !== kind) throw other(`it is of ${head.kind}, and this is ${kind}`);
  const arrays: Record<string, StateArray> = {};
  let at = PREFIX + length;
  for (const [name, type, count] of head.arrays) {
    const size = count * types[type].BYTES_PER_ELEMENT;
    if (at + size > bytes.length) throw damaged(`it ends before its "${name}" does`);
    // A copy: `slice` of a Buffer would share its memory, and arrays must begin where their type allows.
    arrays[name] = new types[type](Uint8Array.from(bytes.subarray(at, at + size)).buffer);
    at += size;
  }
  return { head, arrays };
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw damaged('its head is not JSON');
  }
}

/** The error of a state that is whole, but of another stream. */
export const other = (what: string): DataError =>
  new DataError(
    'stream-state-other',
    `The saved state is of another stream: ${what}. Open the stream as it was opened when the state was saved.`,
  );

/** Compares what both heads must have in common; DataError `stream-state-other` names the first difference. */
export function sameHead(wanted: Readonly<Record<string, unknown>>, found: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(wanted)) {
    const [mine, theirs] = [value, found[name]].map((part) => JSON.stringify(part) ?? 'nothing');
    if (mine !== theirs) throw other(`its ${name}: ${theirs}; here: ${mine}`);
  }
}

/** Copies saved arrays into those of a learner, after all of them were found to fit. */
export function takeArrays(into: StateArrays, saved: StateArrays): void {
  for (const [name, array] of Object.entries(into)) {
    const one = saved[name];
    if (one === undefined || typeOf(one) !== typeOf(array) || one.length !== array.length)
      throw damaged(`its "${name}" must be ${array.length} numbers of type ${typeOf(array)}`);
  }
  for (const [name, array] of Object.entries(into)) array.set(saved[name]);
}

/** The state of a learner in a Uint8Array of another state. */
export function nestedState(arrays: StateArrays, name: string): Uint8Array {
  const bytes = arrays[name];
  if (!(bytes instanceof Uint8Array)) throw damaged(`its "${name}" is missing`);
  return bytes;
}

/** Checks the number of channels of a point `[D]`. DataError `stream-channels`. */
export function checkWidth(point: Float64Array, channels: number): void {
  if (point.length === channels) return;
  throw new DataError(
    'stream-channels',
    `Each point of a stream must have the same channels; expected ${channels} values, found ${point.length}. Did the columns change?`,
  );
}

/** True where all values of a point are finite numbers. */
export function isWhole(point: Float64Array): boolean {
  for (let c = 0; c < point.length; c++) if (!Number.isFinite(point[c])) return false;
  return true;
}
