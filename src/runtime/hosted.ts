/** The outside of a runtime: `Runtime` and `Session` over a link to a `SessionHost`, here or in a worker. */
import type { Tensors, TypedArray } from '../core/tensor.ts';
import { emitProgram } from '../graph/emit.ts';
import { encodeModel } from '../graph/onnx/write.ts';
import type { Target } from '../graph/op.ts';
import type { Program } from '../graph/program.ts';
import type { HostMethod, HostResult, Opened, SessionHost } from './host.ts';
import type { Device, ProfileRow, Runtime, Session, SessionOptions } from './runtime.ts';

export interface CallOptions {
  /** Buffers in the arguments that may be handed over instead of copied. */
  transfer?: readonly ArrayBuffer[];
  signal?: AbortSignal;
}

/** Carries calls to a host. Calls arrive in order; `close` rejects those that are under way. */
export interface Link {
  call<M extends HostMethod>(
    method: M,
    args: Parameters<SessionHost[M]>,
    options?: CallOptions,
  ): Promise<HostResult<M>>;
  close(): Promise<void>;
}

/** A runtime whose sessions live at the other end of a link. */
export function hostedRuntime(device: Device, link: Link): Runtime {
  const open = async (model: Uint8Array, options: SessionOptions, transfer: readonly ArrayBuffer[]) => {
    const { carry, profile, threads } = options;
    return hostedSession(device, link, await link.call('open', [model, { carry, profile, threads }], { transfer }));
  };
  let target: Promise<Target> | undefined;
  return {
    device,
    async compile(program: Program, options: SessionOptions = {}): Promise<Session> {
      target ??= findBlockSize(device, link).then((blockSize) => ({ device, blockSize }));
      const { model } = encodeModel(emitProgram(program, await target, options));
      return open(model, { ...options, carry: { ...program.carry, ...options.carry } }, [model.buffer]);
    },
    open: (model: Uint8Array, options: SessionOptions = {}): Promise<Session> => {
      const copy = new Uint8Array(model);
      return open(copy, options, [copy.buffer]);
    },
    close: () => link.close(),
  };
}

/**
 * Channels in a block of onnxruntime's own CPU layout, found by putting numbered values into it; 0 where this build has
 * no such kernels. A `[1, 64, 1, 2]` input counts 0, 1, 2 …, so the first pixel of a block holds 0, 2, 4 … .
 */
async function findBlockSize(device: Device, link: Link): Promise<number> {
  if (device !== 'cpu') return 0;
  const type = { dtype: 'float32' as const, shape: [1, 64, 1, 2] };
  const { model } = encodeModel({
    irVersion: 8,
    opsets: [
      { domain: '', version: 17 },
      { domain: 'com.microsoft.nchwc', version: 1 },
    ],
    producer: 'oddity',
    producerVersion: '',
    metadata: {},
    graph: {
      name: 'block-size',
      nodes: [{ op: 'ReorderInput', domain: 'com.microsoft.nchwc', inputs: ['x'], outputs: ['y'], attributes: {} }],
      inputs: [{ name: 'x', ...type }],
      outputs: [{ name: 'y', ...type }],
      initializers: [],
    },
  });
  try {
    const { id } = await link.call('open', [model, {}]);
    const x = { ...type, data: Float32Array.from({ length: 128 }, (_, i) => i) };
    const { y } = await link.call('run', [id, { x }, undefined]);
    await link.call('close', [id]);
    const size = y.data.findIndex((v, i) => v !== 2 * i);
    return size === 8 || size === 16 ? size : 0;
  } catch {
    return 0;
  }
}

function hostedSession(device: Device, link: Link, { id, inputs, outputs }: Opened): Session {
  let closed: Promise<void> | undefined;
  return {
    device,
    inputs,
    outputs,
    async run(feeds, options = {}): Promise<Tensors> {
      const { tensors, buffers } = pack(feeds, options.transfer ?? false);
      return link.call('run', [id, tensors, options.fetch], { transfer: buffers, signal: options.signal });
    },
    async setState(state: Tensors): Promise<void> {
      const { tensors, buffers } = pack(state, false);
      return link.call('setState', [id, tensors], { transfer: buffers });
    },
    state: (): Promise<Tensors> => link.call('state', [id]),
    profile(): Promise<ProfileRow[]> {
      const rows = link.call('profile', [id]);
      closed = rows.then(
        () => {},
        () => {},
      );
      return rows;
    },
    close(): Promise<void> {
      closed ??= link.call('close', [id]);
      return closed;
    },
  };
}

/**
 * Tensors whose buffers can leave this thread. The values are taken now, also when the call has to wait. Without
 * `give`, and for views of a larger buffer (which a transfer would empty for others), that means one copy.
 */
function pack(tensors: Tensors, give: boolean): { tensors: Tensors; buffers: ArrayBuffer[] } {
  const buffers = new Set<ArrayBuffer>();
  const packed: Tensors = {};
  for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
    const whole = data.buffer instanceof ArrayBuffer && data.byteLength === data.buffer.byteLength;
    const own = give && whole ? data : copyOf(data);
    packed[name] = { dtype, shape, data: own };
    buffers.add(own.buffer as ArrayBuffer);
  }
  return { tensors: packed, buffers: [...buffers] };
}

/** A copy with a buffer of its own; `data.slice()` would not do, since on a Buffer it is a view. */
function copyOf(data: TypedArray): TypedArray {
  return data instanceof Uint8Array ? new Uint8Array(data) : data.slice();
}
