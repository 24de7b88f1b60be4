/**
 * Python pickles of protocol 2 (PEP 307) as plain data, without running anything: no name is ever looked up in a program,
 * only in the table that the caller gives. Reading only, and only the opcodes that dictionaries of tensors need.
 */

/** What a pickle may hold: a dict is a Map, lists and tuples are arrays, all else is what the table gave. */
export type Pickled = unknown;

/** How a pickle is read. The two functions end the reading by throwing. */
export interface PickleOptions {
  /** What a global such as `collections.OrderedDict` stands for; a function is called with its arguments. */
  readonly globals: ReadonlyMap<string, unknown>;
  /** What a persistent id stands for. */
  persistent(id: Pickled): Pickled;
  /** For a global that is not in the table. */
  refuse(global: string): never;
  /** For bytes that are no whole pickle. */
  fail(what: string): never;
}

/** Calls a global of the table. */
export type PickledCall = (args: readonly Pickled[]) => Pickled;

const latin1 = new TextDecoder('latin1');

/** Reads one pickle. */
export function readPickle(bytes: Uint8Array, { globals, persistent, refuse, fail }: PickleOptions): Pickled {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const utf8 = new TextDecoder('utf-8', { fatal: true });
  let at = 0;
  let stack: Pickled[] = [];
  /** Stacks below a mark. */
  const marked: Pickled[][] = [];
  const memo = new Map<number, Pickled>();

  /** Moves on by `n` bytes and returns where they begin. */
  const skip = (n: number): number => {
    if (n > bytes.length - at) fail(`it ends at byte ${bytes.length} in the middle of a value`);
    at += n;
    return at - n;
  };
  const uint8 = () => view.getUint8(skip(1));
  const uint32 = () => view.getUint32(skip(4), true);
  const take = (n: number) => {
    const start = skip(n);
    return bytes.subarray(start, start + n);
  };
  const text = (n: number): string => {
    const part = take(n);
    try {
      return utf8.decode(part);
    } catch {
      return fail('a text is not UTF-8');
    }
  };
  const line = (): string => {
    const end = bytes.indexOf(0x0a, at);
    if (end < 0) return fail('a name does not end');
    const start = skip(end - at + 1);
    return latin1.decode(bytes.subarray(start, end));
  };
  /** A whole number of any length, little-endian, in two's complement. */
  const long = (n: number): number => {
    let value = 0n;
    for (const byte of take(n).toReversed()) value = (value << 8n) | BigInt(byte);
    return Number(BigInt.asIntN(8 * n, value));
  };

  const push = (value: Pickled) => stack.push(value);
  const pop = (): Pickled => (stack.length > 0 ? stack.pop() : fail('a value is missing'));
  const top = (): Pickled => (stack.length > 0 ? stack[stack.length - 1] : fail('a value is missing'));
  /** The values above the last mark. */
  const popMarked = (): Pickled[] => {
    const values = stack;
    stack = marked.pop() ?? fail('a mark is missing');
    return values;
  };
  const popSome = (n: number): Pickled[] =>
    stack.length >= n ? stack.splice(stack.length - n, n) : fail('a value is missing');
  const recall = (index: number) =>
    memo.has(index) ? memo.get(index) : fail(`it refers to value ${index}, which is not there`);
  const fill = (pairs: Pickled[]) => {
    const dict = top();
    if (!(dict instanceof Map) || pairs.length % 2 !== 0) return fail('entries do not belong to a dict');
    for (let i = 0; i < pairs.length; i += 2) dict.set(pairs[i], pairs[i + 1]);
  };
  const append = (values: Pickled[]) => {
    const list = top();
    if (!Array.isArray(list)) return fail('entries do not belong to a list');
    for (const value of values) list.push(value);
  };
  const global = (): Pickled => {
    const name = `${line()}.${line()}`;
    return globals.has(name) ? globals.get(name) : refuse(name);
  };
  const call = (): Pickled => {
    const [callable, args] = popSome(2);
    if (typeof callable !== 'function' || !Array.isArray(args)) return fail('something is called that is no function');
    return (callable as PickledCall)(args);
  };
  /** Attributes of a dict, such as PyTorch's `_metadata`, are passed over. */
  const build = () => {
    pop();
    if (!(top() instanceof Map)) fail('attributes are set on something else than a dict');
  };

  const opcodes: Readonly<Record<string, () => void>> = {
    '\x80': () => {
      const protocol = uint8();
      if (protocol > 3) fail(`its pickle has protocol ${protocol}, and torch.save writes 2 by default`);
    },
    '(': () => {
      marked.push(stack);
      stack = [];
    },
    '}': () => push(new Map()),
    ']': () => push([]),
    ')': () => push([]),
    t: () => push(popMarked()),
    '\x85': () => push(popSome(1)),
    '\x86': () => push(popSome(2)),
    '\x87': () => push(popSome(3)),
    N: () => push(null),
    '\x88': () => push(true),
    '\x89': () => push(false),
    K: () => push(uint8()),
    M: () => push(view.getUint16(skip(2), true)),
    J: () => push(view.getInt32(skip(4), true)),
    G: () => push(view.getFloat64(skip(8), false)),
    '\x8a': () => push(long(uint8())),
    X: () => push(text(uint32())),
    q: () => memo.set(uint8(), top()),
    r: () => memo.set(uint32(), top()),
    h: () => push(recall(uint8())),
    j: () => push(recall(uint32())),
    s: () => fill(popSome(2)),
    u: () => fill(popMarked()),
    a: () => append([pop()]),
    e: () => append(popMarked()),
    c: () => push(global()),
    Q: () => push(persistent(pop())),
    R: () => push(call()),
    b: build,
  };

  for (;;) {
    const opcode = String.fromCharCode(uint8());
    if (opcode === '.') break;
    if (!Object.hasOwn(opcodes, opcode)) {
      fail(`byte ${at - 1} of its pickle is the opcode 0x${opcode.charCodeAt(0).toString(16)}, which no tensors need`);
    }
    opcodes[opcode]();
  }
  if (stack.length !== 1 || marked.length > 0 || at !== bytes.length) fail('its pickle must hold one value and end');
  return stack[0];
}
