/** Damages files as disks, editors and attackers do: a mutant is a function of its seed. */
import type { Rng } from '../../src/core/random.ts';

/** Numbers at which readers fail. */
const numbers = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 2 ** 28, 2 ** 30];

const words = [
  ...['', '-1', '1e308', '1e999', 'NaN', 'Infinity', 'null', '[]', '{}', '"', "'", ',', ';', '\t', '\0', '\r', '\n\n'],
  ...['../../x', '/etc/passwd', '__proto__', 'constructor', '=1+1', '\x1b[31m', '\u202e', '\ufeff', '9'.repeat(400)],
];

const pick = <T>(rng: Rng, list: readonly T[]): T => list[rng.int(list.length)];

/** One change of bytes. */
function change(bytes: Uint8Array, rng: Rng, isText: boolean): Uint8Array {
  if (bytes.length === 0) return Uint8Array.of(rng.int(256));
  const at = rng.int(bytes.length);
  const length = 1 + rng.int(Math.min(64, bytes.length));
  const splice = (from: number, count: number, inside: ArrayLike<number>) =>
    Uint8Array.from([...bytes.subarray(0, from), ...Array.from(inside), ...bytes.subarray(from + count)]);
  const out = new Uint8Array(bytes);
  switch (rng.int(isText ? 9 : 8)) {
    case 0:
      out[at] ^= 1 << rng.int(8);
      return out;
    case 1:
      out[at] = pick(rng, [0, 1, 0x7f, 0x80, 0xff, rng.int(256)]);
      return out;
    case 2: {
      const view = new DataView(out.buffer, out.byteOffset);
      const value = pick(rng, numbers);
      if (at + 4 <= out.length) view.setUint32(at, value, rng.int(2) === 1);
      else out[at] = value & 255;
      return out;
    }
    case 3:
      return bytes.slice(0, at);
    case 4:
      return splice(at, length, []);
    case 5:
      return splice(at, 0, bytes.subarray(rng.int(bytes.length)).subarray(0, length));
    case 6:
      return splice(
        at,
        0,
        Array.from({ length }, () => rng.int(256)),
      );
    case 7:
      out.fill(pick(rng, [0, 0xff]), at, at + length);
      return out;
    default:
      return splice(at, rng.int(2) * length, new TextEncoder().encode(pick(rng, words)));
  }
}

/** One to four changes of a file. */
export function mutateBytes(bytes: Uint8Array, rng: Rng, isText: boolean): Uint8Array {
  let out = bytes;
  for (let n = 1 + rng.int(4); n > 0; n--) out = change(out, rng, isText);
  return out;
}

const values = (rng: Rng): unknown => {
  let nested: unknown = 1;
  for (let i = 0; i < 3000; i++) nested = [nested];
  return pick(rng, [
    ...[
      null,
      true,
      0,
      -1,
      1.5,
      1e308,
      2 ** 53,
      '',
      'x',
      '../../x',
      '/tmp/x',
      'a/b',
      '\0',
      '\x1b[31m',
      'x'.repeat(3000),
    ],
    ...[[], {}, [null], { a: {} }, [1, 'a'], nested, [[[1e9]]], { length: 1e9 }, { __proto__: null, text: [{}] }],
  ]);
};

/** A change somewhere in a JSON value: another value, a key less, a key more, a list that is longer. */
export function mutateJson(value: unknown, rng: Rng): unknown {
  const copy = structuredClone(value) as Record<string, unknown>;
  let at: Record<string, unknown> = copy;
  for (;;) {
    const keys = Object.keys(at);
    if (keys.length === 0) return copy;
    const key = pick(rng, keys);
    const inner = at[key];
    if (typeof inner === 'object' && inner !== null && Object.keys(inner).length > 0 && rng.int(3) > 0) {
      at = inner as Record<string, unknown>;
      continue;
    }
    const kind = rng.int(5);
    if (kind === 0) delete at[key];
    else if (kind === 1) at[`${key}x`] = values(rng);
    else if (kind === 2 && Array.isArray(at)) at.push(...at.slice(0, 5), values(rng));
    else at[key] = values(rng);
    return copy;
  }
}
