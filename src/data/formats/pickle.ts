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
export function readPickle(bytes: Uint8Array, options: PickleOptions): Pickled {
  const { fail } = options;
  const input = openBytes(bytes, fail);
  const stack = openStack(fail);
  const opcodes = opcodesOf(input, stack, options);
  for (;;) {
    const at = input.position();
    const opcode = String.fromCharCode(input.uint8());
    if (opcode === '.') break;
    if (!Object.hasOwn(opcodes, opcode)) {
      fail(`byte ${at} of its pickle is the opcode 0x${opcode.charCodeAt(0).toString(16)}, which no tensors need`);
    }
    opcodes[opcode]();
  }
  if (!stack.isOneValue() || input.position() !== bytes.length) fail('its pickle must hold one value and end');
  return stack.top();
}

type Fail = PickleOptions['fail'];

/** The bytes of a pickle, read from the front. */
function openBytes(bytes: Uint8Array, fail: Fail) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const utf8 = new TextDecoder('utf-8', { fatal: true });
  let at = 0;
  /** Moves on by `n` bytes and returns where they begin. */
  const skip = (n: number): number => {
    if (n > bytes.length - at) fail(`it ends at byte ${bytes.length} in the middle of a value`);
    at += n;
    return at - n;
  };
  const take = (n: number) => {
    const start = skip(n);
    return bytes.subarray(start, start + n);
  };
  return {
    position: () => at,
    uint8: () => view.getUint8(skip(1)),
    uint16: () => view.getUint16(skip(2), true),
    uint32: () => view.getUint32(skip(4), true),
    int32: () => view.getInt32(skip(4), true),
    float64: () => view.getFloat64(skip(8), false),
    text(n: number): string {
      const part = take(n);
      try {
        return utf8.decode(part);
      } catch {
        return fail('a text is not UTF-8');
      }
    },
    line(): string {
      const end = bytes.indexOf(0x0a, at);
      if (end < 0) return fail('a name does not end');
      const start = skip(end - at + 1);
      return latin1.decode(bytes.subarray(start, end));
    },
    /** A whole number of any length, little-endian, in two's complement. */
    long(n: number): number {
      let value = 0n;
      for (const byte of take(n).toReversed()) value = (value << 8n) | BigInt(byte);
      return Number(BigInt.asIntN(8 * n, value));
    },
  };
}

/** The values under construction: a stack with marks. */
function openStack(fail: Fail) {
  let stack: Pickled[] = [];
  /** Stacks below a mark. */
  const marked: Pickled[][] = [];
  return {
    isOneValue: () => stack.length === 1 && marked.length === 0,
    push: (value: Pickled) => stack.push(value),
    pop: (): Pickled => (stack.length > 0 ? stack.pop() : fail('a value is missing')),
    top: (): Pickled => (stack.length > 0 ? stack[stack.length - 1] : fail('a value is missing')),
    popSome: (n: number): Pickled[] =>
      stack.length >= n ? stack.splice(stack.length - n, n) : fail('a value is missing'),
    mark() {
      marked.push(stack);
      stack = [];
    },
    /** The values above the last mark. */
    popMarked(): Pickled[] {
      const values = stack;
      stack = marked.pop() ?? fail('a mark is missing');
      return values;
    },
  };
}

/** What each opcode does. */
function opcodesOf(
  input: ReturnType<typeof openBytes>,
  { push, pop, top, popSome, mark, popMarked }: ReturnType<typeof openStack>,
  { globals, persistent, refuse, fail }: PickleOptions,
): Readonly<Record<string, () => void>> {
  const memo = new Map<number, Pickled>();
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
    const name = `${input.line()}.${input.line()}`;
    return globals.has(name) ? globals.get(name) : refuse(name);
  };
  const call = (): Pickled => {
    const [callable, args] = popSome(2);
    if (typeof callable !== 'function' || !Array.isArray(args)) return fail('something is called that is no function');
    return (callable as PickledCall)(args);
  };
  return {
    '\x80': () => {
      const protocol = input.uint8();
      if (protocol > 3) fail(`its pickle has protocol ${protocol}, and torch.save writes 2 by default`);
    },
    '(': mark,
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
    K: () => push(input.uint8()),
    M: () => push(input.uint16()),
    J: () => push(input.int32()),
    G: () => push(input.float64()),
    '\x8a': () => push(input.long(input.uint8())),
    X: () => push(input.text(input.uint32())),
    q: () => memo.set(input.uint8(), top()),
    r: () => memo.set(input.uint32(), top()),
    h: () => push(recall(input.uint8())),
    j: () => push(recall(input.uint32())),
    s: () => fill(popSome(2)),
    u: () => fill(popMarked()),
    a: () => append([pop()]),
    e: () => append(popMarked()),
    c: () => push(global()),
    Q: () => push(persistent(pop())),
    R: () => push(call()),
    // Attributes of a dict, such as PyTorch's `_metadata`, are passed over.
    b: () => {
      pop();
      if (!(top() instanceof Map)) fail('attributes are set on something else than a dict');
    },
  };
}
