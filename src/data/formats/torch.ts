/**
 * PyTorch checkpoints (`.pth`, `.pt`; torch.save since version 1.6): a zip archive of `data.pkl`, which names tensors,
 * and their raw bytes `data/0` …. Tensors only: nothing in the file is run, and a file that wants it is refused. Reading
 * only; float16 and bfloat16 are widened to float32, small integers to int32.
 */
import { DataError } from '../../core/errors.ts';
import {
  allocate,
  bytesPerElement,
  type DType,
  type Tensor,
  type Tensors,
  type TypedArray,
} from '../../core/tensor.ts';
import { fromBfloat16, fromFloat16 } from './half.ts';
import { type Pickled, type PickledCall, readPickle } from './pickle.ts';
import { openZip, printable } from './zip.ts';

/** How the elements of a storage lie in the file, and what they become. */
interface Layout {
  readonly bytes: number;
  readonly dtype: DType;
  read(buffer: ArrayBuffer): TypedArray;
}

/** By the name of the storage class in `torch`. */
const layouts: Readonly<Record<string, Layout>> = {
  FloatStorage: { bytes: 4, dtype: 'float32', read: (b) => new Float32Array(b) },
  DoubleStorage: { bytes: 8, dtype: 'float64', read: (b) => new Float64Array(b) },
  HalfStorage: { bytes: 2, dtype: 'float32', read: (b) => fromFloat16(new Uint16Array(b)) },
  BFloat16Storage: { bytes: 2, dtype: 'float32', read: (b) => fromBfloat16(new Uint16Array(b)) },
  LongStorage: { bytes: 8, dtype: 'int64', read: (b) => new BigInt64Array(b) },
  IntStorage: { bytes: 4, dtype: 'int32', read: (b) => new Int32Array(b) },
  ShortStorage: { bytes: 2, dtype: 'int32', read: (b) => Int32Array.from(new Int16Array(b)) },
  CharStorage: { bytes: 1, dtype: 'int32', read: (b) => Int32Array.from(new Int8Array(b)) },
  ByteStorage: { bytes: 1, dtype: 'uint8', read: (b) => new Uint8Array(b) },
  BoolStorage: { bytes: 1, dtype: 'bool', read: (b) => new Uint8Array(b) },
};

/** A run of elements in the file. */
class Storage {
  constructor(
    readonly key: string,
    readonly layout: Layout,
    readonly length: number,
  ) {}
}

/** A tensor as the pickle describes it: a view of a storage, checked to lie inside. */
class StoredTensor {
  constructor(
    readonly storage: Storage,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}
}

/** Bytes of tensors per byte of the file, at most: what widening and views that repeat a storage can honestly need. */
const MOST_TIMES = 16;
const MAX_RANK = 64;
const MAX_DEPTH = 32;

/** The pickle of `torch.save` before version 1.6 begins with protocol 2 and this number, 0x1950a86a20f9469cfc6c. */
const oldMagic = [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

const isSize = (v: unknown): v is number => Number.isSafeInteger(v) && (v as number) >= 0;
const isSizes = (v: unknown): v is number[] => Array.isArray(v) && v.every(isSize);

/**
 * Reads every tensor of a checkpoint; each gets memory of its own. Dicts and lists in dicts give names with dots:
 * `{"state_dict": {"fc.bias": …}}` gives `state_dict.fc.bias`. What is no tensor is passed over. `file` names it in
 * messages.
 * @throws DataError `checkpoint-code` for a file that wants to call anything else than what makes tensors,
 * `checkpoint-unsupported` for the format before PyTorch 1.6 and for TorchScript, `checkpoint-corrupt` for anything that
 * is no whole checkpoint.
 */
export function readTorch(content: Uint8Array, file: string): Tensors {
  const fail = (what: string): never => {
    throw new DataError(
      'checkpoint-corrupt',
      `${file} is not a whole PyTorch checkpoint: ${what}. Fetch or save it again.`,
    );
  };
  const unsupported = (what: string, remedy: string): never => {
    throw new DataError('checkpoint-unsupported', `${file} ${what}, which is not read. ${remedy}`);
  };
  if (oldMagic.every((byte, i) => content[i] === byte)) {
    unsupported(
      'is in the format of PyTorch before 1.6',
      "Save it anew with PyTorch: torch.save(torch.load('old.pth', weights_only=True), 'new.pth').",
    );
  }
  const archive = openArchive(content, fail);
  const pickles = archive.names.filter((name) => /^([^/]*\/)?data\.pkl$/.test(name));
  if (pickles.length !== 1) fail(`it must hold one data.pkl, found ${pickles.length}`);
  const root = pickles[0].slice(0, -'data.pkl'.length);
  if (archive.names.includes(`${root}constants.pkl`)) {
    unsupported('is a TorchScript program', "Save its weights: torch.save(model.state_dict(), 'weights.pth').");
  }
  if (archive.packed) fail(`"${printable(archive.packed)}" in it is compressed, which torch.save never does`);
  const head = archive.read([pickles[0], `${root}byteorder`]);
  const order = head.get(`${root}byteorder`);
  if (order && new TextDecoder().decode(order) !== 'little') {
    unsupported('has the byte order of another processor', 'Save it again on a little-endian machine.');
  }

  const found = readPickle(head.get(pickles[0])!, {
    globals: globalsOf(fail),
    persistent: (id) => storageOf(id, fail),
    refuse: (global) => {
      throw new DataError(
        'checkpoint-code',
        `${file} asks to call ${printable(global)}, but only tensors are read and no code from a file is run. ` +
          "Where you trust the file, save its weights only: torch.save(model.state_dict(), 'weights.pth').",
      );
    },
    fail,
  });
  if (!(found instanceof Map)) return fail('it must hold tensors by name (a state dict)');
  const stored = namedTensors(found, head.get(pickles[0])!.length, fail);
  let total = 0;
  for (const { shape, storage } of stored.values()) {
    total += sizeOf(shape) * bytesPerElement[storage.layout.dtype];
  }
  if (!(total <= MOST_TIMES * content.length)) fail(`its tensors take ${total} bytes, the file has ${content.length}`);
  return read(stored, root, archive, fail);
}

/** Files of a zip archive. torch.save does not compress them, so that their sizes are what they claim. */
interface Archive {
  readonly names: readonly string[];
  /** The name of a compressed one; empty where there is none. */
  readonly packed: string;
  /** Copies of those of the names that exist. */
  read(names: readonly string[]): Map<string, Uint8Array>;
}

function openArchive(content: Uint8Array, fail: (what: string) => never): Archive {
  const zip = openZip(content, fail);
  const entries = new Map<string, (typeof zip.entries)[number]>();
  let claimed = 0;
  let packed = '';
  for (const entry of zip.entries) {
    const { name } = entry;
    claimed += entry.size;
    if (entries.has(name)) fail(`it holds "${printable(name)}" twice`);
    if (claimed > content.length) fail(`its parts must fit into its ${content.length} bytes, and claim more`);
    if (entry.isDeflated || entry.packed !== entry.size) packed = name;
    entries.set(name, entry);
  }
  return {
    names: [...entries.keys()],
    packed,
    read: (names) =>
      new Map(
        names.flatMap((name) => {
          const entry = entries.get(name);
          return entry ? [[name, zip.read(entry)] as const] : [];
        }),
      ),
  };
}

/** All that a checkpoint may name; what is callable makes a dict or a tensor and nothing else. */
function globalsOf(fail: (what: string) => never): ReadonlyMap<string, unknown> {
  const rebuildTensor: PickledCall = ([storage, offset, shape, strides]) => {
    if (!(storage instanceof Storage) || !isSize(offset) || !isSizes(shape) || !isSizes(strides)) {
      return fail('a tensor needs a storage, an offset, a shape and strides');
    }
    if (shape.length !== strides.length || shape.length > MAX_RANK) {
      return fail(`a tensor has ${shape.length} sizes and ${strides.length} strides`);
    }
    // The last element: offset + Σ (size − 1) · stride; an empty tensor has none.
    const last = shape.reduce((at, size, i) => at + (size - 1) * strides[i], offset);
    if (!shape.includes(0) && !(last < storage.length)) {
      fail(`a tensor [${shape}] ends at element ${last} of a storage of ${storage.length}`);
    }
    return new StoredTensor(storage, offset, shape, strides);
  };
  const rebuildParameter: PickledCall = ([data]) =>
    data instanceof StoredTensor ? data : fail('a parameter is made of something else than a tensor');
  const orderedDict: PickledCall = (args) => (args.length === 0 ? new Map() : fail('an OrderedDict has arguments'));
  return new Map<string, unknown>([
    ['collections.OrderedDict', orderedDict],
    ['torch._utils._rebuild_tensor_v2', rebuildTensor],
    ['torch._utils._rebuild_parameter', rebuildParameter],
    ...Object.entries(layouts).map(([name, layout]) => [`torch.${name}`, layout] as const),
  ]);
}

/** `('storage', torch.FloatStorage, '0', 'cpu', 1000)` */
function storageOf(id: Pickled, fail: (what: string) => never): Storage {
  const [kind, layout, key, , length] = Array.isArray(id) ? id : [];
  const known = Object.values(layouts).find((l) => l === layout);
  if (kind !== 'storage' || !known || typeof key !== 'string' || !isSize(length)) {
    return fail('a storage needs a type, a name and a length');
  }
  return new Storage(key, known, length);
}

/** Tensors by their path through dicts and lists. `limit` bounds the walk: what is shared may be met again and again. */
function namedTensors(root: Pickled, limit: number, fail: (what: string) => never): Map<string, StoredTensor> {
  const tensors = new Map<string, StoredTensor>();
  const open: [string, Pickled, number][] = [['', root, 0]];
  let entries = 0;
  while (open.length > 0) {
    const [path, value, depth] = open.pop()!;
    if (value instanceof StoredTensor) {
      if (tensors.has(path)) fail(`two tensors are named "${printable(path)}"`);
      tensors.set(path, value);
      continue;
    }
    if (!(value instanceof Map) && !Array.isArray(value)) continue;
    entries += value instanceof Map ? value.size : value.length;
    if (entries > limit || depth > MAX_DEPTH) fail('its dicts hold themselves, or many others inside each other');
    // The last is taken first, so that tensors come in their order.
    for (const [key, entry] of [...value.entries()].reverse()) {
      if (typeof key !== 'string' && typeof key !== 'number') continue;
      open.push([path ? `${path}.${key}` : `${key}`, entry, depth + 1]);
    }
  }
  return tensors;
}

/** The values, storage by storage. */
function read(
  stored: ReadonlyMap<string, StoredTensor>,
  root: string,
  archive: Archive,
  fail: (what: string) => never,
): Tensors {
  const users = new Map<string, number>();
  for (const { storage } of stored.values()) users.set(storage.key, (users.get(storage.key) ?? 0) + 1);
  const files = archive.read([...users.keys()].map((key) => `${root}data/${key}`));
  const opened = new Map<string, { layout: Layout; values: TypedArray }>();
  const open = ({ key, layout, length }: Storage): TypedArray => {
    const known = opened.get(key);
    if (known?.layout === layout) return known.values;
    if (known) return fail(`the storage ${printable(key)} has two types`);
    const bytes = files.get(`${root}data/${key}`);
    if (bytes?.length !== length * layout.bytes) {
      return fail(
        `the storage data/${printable(key)} must have ${length * layout.bytes} bytes, found ${bytes?.length ?? 'none'}`,
      );
    }
    // Archive.read made this copy: it is aligned and nobody else's.
    const values = layout.read(bytes.buffer as ArrayBuffer);
    opened.set(key, { layout, values });
    return values;
  };
  const tensors: [string, Tensor][] = [];
  for (const [name, tensor] of stored) {
    const { storage, shape } = tensor;
    const values = open(storage);
    const isWhole = users.get(storage.key) === 1 && isContiguous(tensor) && values.length === sizeOf(shape);
    tensors.push([name, { dtype: storage.layout.dtype, shape, data: isWhole ? values : gather(values, tensor) }]);
  }
  return Object.fromEntries(tensors);
}

const sizeOf = (shape: readonly number[]) => shape.reduce((n, d) => n * d, 1);

/** True when the elements follow each other; the stride of an axis of size 1 does not matter. */
function isContiguous({ shape, strides }: StoredTensor): boolean {
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== step) return false;
    step *= shape[axis];
  }
  return true;
}

/** A copy of a view in row-major order. */
function gather(values: TypedArray, view: StoredTensor): TypedArray {
  const { offset, shape, strides } = view;
  const size = sizeOf(shape);
  if (isContiguous(view)) return values.slice(offset, offset + size);
  const copy = allocate(view.storage.layout.dtype, size);
  const index = new Array<number>(shape.length).fill(0);
  for (let i = 0, from = offset; i < size; i++) {
    copy[i] = values[from];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis];
      if (++index[axis] < shape[axis]) break;
      from -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return copy;
}
