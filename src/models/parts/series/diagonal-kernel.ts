/**
 * The inner loop of walking diagonals (`diagonals.ts`) in WebAssembly with vectors of two float64: eight diagonals a row, and
 * one branch for all eight that is taken only where a window got a better partner. The sums are those of the loop in
 * JavaScript, in the same order, so both give the same correlations. The module is written here as bytes, because its addresses
 * follow from the number of windows; it is about 800 bytes. Left out: threads inside of the kernel, and float32.
 */

/** What is walked over: `count` values each, with room for eight more. */
export interface WalkArrays {
  readonly df: Float64Array;
  readonly dg: Float64Array;
  readonly inverse: Float64Array;
  readonly left: Float64Array;
  readonly right: Float64Array;
  readonly leftIndex: Int32Array;
  readonly rightIndex: Int32Array;
}

export interface DiagonalKernel {
  readonly arrays: WalkArrays;
  /** Covariances of the eight diagonals: before the first row, and after the last one. */
  readonly cov: Float64Array;
  /** Walks rows `from` … `to` − 1 of the diagonals d … d + 7, from < to. */
  walk(d: number, from: number, to: number): void;
}

/** Diagonals that the kernel walks at once. */
export const KERNEL_WIDTH = 8;

const PAGE = 65_536;

/** The kernel for so many windows; undefined where WebAssembly is missing, lacks vectors, or a page may not compile it. */
export function diagonalKernel(count: number): DiagonalKernel | undefined {
  if (typeof WebAssembly === 'undefined') return undefined;
  const room = count + KERNEL_WIDTH + (count % 2);
  const wide = (part: number) => 256 + part * room * 8;
  const at: Addresses = {
    cov: 0,
    toRight: 64,
    toLeft: 128,
    df: wide(0),
    dg: wide(1),
    inverse: wide(2),
    left: wide(3),
    right: wide(4),
    leftIndex: wide(5),
    rightIndex: wide(5) + room * 4,
  };
  try {
    const memory = new WebAssembly.Memory({ initial: Math.ceil(wide(6) / PAGE) });
    const instance = new WebAssembly.Instance(new WebAssembly.Module(moduleBytes(at)), { o: { m: memory } });
    const walkBytes = instance.exports.w as (row: number, column: number, end: number) => void;
    const float = (from: number) => new Float64Array(memory.buffer, from, count);
    const whole = (from: number) => new Int32Array(memory.buffer, from, count);
    return {
      arrays: {
        df: float(at.df),
        dg: float(at.dg),
        inverse: float(at.inverse),
        left: float(at.left),
        right: float(at.right),
        leftIndex: whole(at.leftIndex),
        rightIndex: whole(at.rightIndex),
      },
      cov: new Float64Array(memory.buffer, at.cov, KERNEL_WIDTH),
      walk: (d, from, to) => walkBytes(8 * from, 8 * (from + d), 8 * to),
    };
  } catch {
    return undefined;
  }
}

/** Byte addresses in the kernel's memory. */
interface Addresses {
  readonly cov: number;
  /** Candidates of a row for the columns' windows and for the row's, written where one of them is better. */
  readonly toRight: number;
  readonly toLeft: number;
  readonly df: number;
  readonly dg: number;
  readonly inverse: number;
  readonly left: number;
  readonly right: number;
  readonly leftIndex: number;
  readonly rightIndex: number;
}

type Code = readonly number[];

/** An unsigned number in LEB128. */
function leb(value: number): Code {
  return value < 128 ? [value] : [(value % 128) + 128, ...leb(Math.floor(value / 128))];
}

const sized = (bytes: Code): Code => [...leb(bytes.length), ...bytes];
const vector = (items: readonly Code[]): Code => [...leb(items.length), ...items.flat()];
const section = (id: number, bytes: Code): Code => [id, ...sized(bytes)];

const [I32, F64, V128] = [0x7f, 0x7c, 0x7b];
const get = (local: number): Code => [0x20, ...leb(local)];
const set = (local: number): Code => [0x21, ...leb(local)];
/** Numbers below 64: larger ones would need a sign. */
const number = (value: number): Code => [0x41, value];
const memory = (operator: Code, align: number, address: number): Code => [...operator, align, ...leb(address)];
const [ADD, SHIFT_RIGHT, LESS, GREATER_F64, IF, LOOP, REPEAT_IF, END] = [
  [0x6a],
  [0x76],
  [0x49],
  [0x64],
  [0x04, 0x40],
  [0x03, 0x40],
  [0x0d, 0x00],
  [0x0b],
];
const loadF64 = (address: number) => memory([0x2b], 3, address);
const storeF64 = (address: number) => memory([0x39], 3, address);
const storeI32 = (address: number) => memory([0x36], 2, address);
const loadPair = (address: number) => memory([0xfd, 0x00], 3, address);
const loadTwice = (address: number) => memory([0xfd, 0x0a], 3, address);
const storePair = (address: number) => memory([0xfd, 0x0b], 3, address);
const PAIRS = {
  greater: [0xfd, 0x4a],
  or: [0xfd, 0x50],
  any: [0xfd, 0x53],
  add: [0xfd, 0xf0, 0x01],
  times: [0xfd, 0xf2, 0x01],
};

function moduleBytes(at: Addresses): Uint8Array<ArrayBuffer> {
  const walkType = [0x60, ...vector([[I32], [I32], [I32]]), 0x00];
  const improveType = [0x60, ...vector([[I32], [I32]]), 0x00];
  const text = (letter: string): Code => [1, letter.charCodeAt(0)];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, vector([walkType, improveType])),
    ...section(2, vector([[...text('o'), ...text('m'), 0x02, 0x00, ...leb(1)]])),
    ...section(3, vector([[0], [1]])),
    ...section(7, vector([[...text('w'), 0x00, 0x00]])),
    ...section(10, vector([sized(walkCode(at)), sized(improveCode(at))])),
  ]);
}

/** walk(row, column, end), byte offsets: rows to before `end`, the columns of eight diagonals from `column` on. */
function walkCode(at: Addresses): Code {
  const [row, column, end, f, g, n, best, any] = [0, 1, 2, 3, 4, 5, 6, 7];
  const four = [0, 1, 2, 3];
  const [cov, toRight, toLeft] = [8, 12, 16].map((first) => (q: number) => first + q);
  const step = four.flatMap((q) => [
    // cov += f · dg_j + df_j · g
    ...[...get(cov(q)), ...get(f), ...get(column), ...loadPair(at.dg + 16 * q), ...PAIRS.times],
    ...[
      ...get(column),
      ...loadPair(at.df + 16 * q),
      ...get(g),
      ...PAIRS.times,
      ...PAIRS.add,
      ...PAIRS.add,
      ...set(cov(q)),
    ],
    ...[...get(cov(q)), ...get(column), ...loadPair(at.inverse + 16 * q), ...PAIRS.times, ...set(toRight(q))],
    ...[...get(cov(q)), ...get(n), ...PAIRS.times, ...set(toLeft(q))],
    // any |= toRight > best | toLeft > left_j
    ...[...get(toRight(q)), ...get(best), ...PAIRS.greater],
    ...[...get(toLeft(q)), ...get(column), ...loadPair(at.left + 16 * q), ...PAIRS.greater, ...PAIRS.or],
    ...(q === 0 ? [] : [...get(any), ...PAIRS.or]),
    ...set(any),
  ]);
  const keep = four.flatMap((q) => [
    ...[...number(0), ...get(toRight(q)), ...storePair(at.toRight + 16 * q)],
    ...[...number(0), ...get(toLeft(q)), ...storePair(at.toLeft + 16 * q)],
  ]);
  return [
    ...vector([[17, V128]]),
    ...four.flatMap((q) => [...number(0), ...loadPair(at.cov + 16 * q), ...set(cov(q))]),
    ...LOOP,
    ...[...get(row), ...loadTwice(at.df), ...set(f), ...get(row), ...loadTwice(at.dg), ...set(g)],
    ...[...get(row), ...loadTwice(at.inverse), ...set(n), ...get(row), ...loadTwice(at.right), ...set(best)],
    ...step,
    ...[...get(any), ...PAIRS.any, ...IF, ...keep, ...get(row), ...get(column), 0x10, 1, ...END],
    ...[...get(column), ...number(8), ...ADD, ...set(column)],
    ...[...get(row), ...number(8), ...ADD, ...set(row)],
    ...[...get(row), ...get(end), ...LESS, ...REPEAT_IF, ...END],
    ...four.flatMap((q) => [...number(0), ...get(cov(q)), ...storePair(at.cov + 16 * q)]),
    ...END,
  ];
}

/** improve(row, column): takes over what is better of the eight candidates, one after the other. */
function improveCode(at: Addresses): Code {
  const [row, column, lane, value] = [0, 1, 2, 3];
  const position = [...get(column), ...get(lane), ...ADD];
  const step = (local: Code) => [...local, ...number(3), ...SHIFT_RIGHT];
  const half = (local: Code) => [...local, ...number(1), ...SHIFT_RIGHT];
  const takeOver = (candidates: number, own: Code, best: number, index: number, partner: Code): Code => [
    ...[...get(lane), ...loadF64(candidates), ...set(value)],
    ...[...get(value), ...own, ...loadF64(best), ...GREATER_F64, ...IF],
    ...[...own, ...get(value), ...storeF64(best), ...half(own), ...step(partner), ...storeI32(index)],
    ...END,
  ];
  return [
    ...vector([
      [1, I32],
      [1, F64],
    ]),
    ...LOOP,
    ...takeOver(at.toRight, get(row), at.right, at.rightIndex, position),
    ...takeOver(at.toLeft, position, at.left, at.leftIndex, get(row)),
    ...[...get(lane), ...number(8), ...ADD, ...set(lane)],
    // 64 as a signed LEB128 number of two bytes.
    ...[...get(lane), 0x41, 0xc0, 0x00, ...LESS, ...REPEAT_IF, ...END],
    ...END,
  ];
}
