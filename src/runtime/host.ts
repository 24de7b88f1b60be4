/**
 * The inside of a runtime: ONNX Runtime sessions and the values they carry from run to run. Knows neither Node nor the
 * browser; `worker.ts` and `browser.ts` hand it the ONNX Runtime module to use.
 */
import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-web';
import { ConfigError, DataError, InternalError, RuntimeUnavailable, ShapeError, unknownName } from '../core/errors.ts';
import type { Tensor, Tensors, TypedArray } from '../core/tensor.ts';
import { encodeModel } from '../graph/onnx/write.ts';
import { summarizeProfile } from './profile.ts';
import type { Device, ProfileRow, SessionOptions } from './runtime.ts';

/** What is used of onnxruntime-node or onnxruntime-web. */
export type Ort = Pick<typeof import('onnxruntime-web'), 'InferenceSession' | 'Tensor' | 'env'>;

export interface HostOptions {
  ort: Ort;
  device: Device;
  threads: number;
  /** Where profiles are written; absent when this ONNX Runtime cannot write any. */
  traces?: Traces;
  /** A run empties the arrays of its inputs: ONNX Runtime web hands them over to a worker of its own. */
  takesInputs?: boolean;
  /** Collects garbage now; absent where the host cannot ask for it. */
  collect?: () => void;
}

/** Carried values of so many bytes do not wait for the collector: a second copy of them would be felt. */
const FELT_BYTES = 2 ** 24;

/** Files of ONNX Runtime's profiler. */
export interface Traces {
  /** A fresh file prefix for one session. */
  prefix(): string;
  /** Gives the lines of the trace written under a prefix to `read`, none the second time: the file is gone then. */
  take<T>(prefix: string, read: (lines: Iterable<string>) => T): T;
}

/** What `open` tells of a session. */
export interface Opened {
  id: number;
  inputs: readonly string[];
  outputs: readonly string[];
}

type Values = Record<string, OrtTensor>;

interface Entry {
  session: InferenceSession;
  /** Output name → input name. */
  carry: Readonly<Record<string, string>>;
  /** Carried values by input name; on a GPU they stay there. */
  state: Values;
  tracePrefix?: string;
  /** Fetch every output: onnxruntime-node asks for that once one stays on the GPU. */
  all: boolean;
}

/** Holds the sessions of one device. Calls run one after the other, in the order they were made. */
export class SessionHost {
  private readonly options: HostOptions;
  private readonly entries = new Map<number, Entry>();
  private last = 0;
  private tail: Promise<unknown> = Promise.resolve();
  /** Copies any float32 value from the device to here. */
  private copier: InferenceSession | undefined;

  constructor(options: HostOptions) {
    this.options = options;
  }

  /** Makes a method call once all earlier calls are done. */
  call<M extends HostMethod>(method: M, args: Parameters<SessionHost[M]>): Promise<HostResult<M>> {
    // biome-ignore lint/complexity/noBannedTypes: one signature for all methods; `call` itself is typed.
    const act = () => (this[method] as Function)(...args);
    const result = this.tail.then(act);
    this.tail = result.catch(() => {});
    return result;
  }

  /** Shows that the device is there, by opening a session on it. Throws what ONNX Runtime throws. */
  async start(): Promise<void> {
    this.copier = await this.create(identityModel(), {});
  }

  async open(model: Uint8Array, options: Omit<SessionOptions, 'signal'>): Promise<Opened> {
    const carry = options.carry ?? {};
    const tracePrefix = options.profile ? this.options.traces?.prefix() : undefined;
    const settings: InferenceSession.SessionOptions = {
      ...(tracePrefix && { enableProfiling: true, profileFilePrefix: tracePrefix }),
      ...(options.threads && { intraOpNumThreads: options.threads }),
    };
    const session = await this.createChecked(model, settings);
    for (const [output, input] of Object.entries(carry)) {
      if (!session.outputNames.includes(output)) throw unknownName('output', output, session.outputNames);
      if (!session.inputNames.includes(input)) throw unknownName('input', input, session.inputNames);
    }
    const kept = this.options.device === 'webgpu' ? floatOutputs(session, Object.keys(carry)) : [];
    const id = ++this.last;
    const entry = { session, carry, state: {}, tracePrefix, all: kept.length > 0 };
    if (entry.all) {
      // Only now is it known what can stay on the GPU.
      await session.release();
      entry.session = await this.createChecked(model, {
        ...settings,
        preferredOutputLocation: Object.fromEntries(kept.map((name) => [name, 'gpu-buffer' as const])),
      });
    }
    this.entries.set(id, entry);
    return { id, inputs: session.inputNames, outputs: session.outputNames };
  }

  async run(id: number, feeds: Tensors, fetch?: readonly string[]): Promise<Tensors> {
    const { session, carry, state, all } = this.entry(id);
    const wanted = fetch ?? session.outputNames.filter((name) => !(name in carry));
    for (const name of wanted)
      if (!session.outputNames.includes(name)) throw unknownName('output', name, session.outputNames);
    const inputs: Values = { ...this.stateFor(this.entry(id)), ...this.toOrt(feeds, session) };
    for (const name of session.inputNames) {
      if (inputs[name]) continue;
      const remedy = Object.values(carry).includes(name) ? 'Set it with setState first.' : 'Add it to the feeds.';
      throw new ConfigError('missing-input', `Every input needs a value, "${name}" has none. ${remedy}`);
    }
    const names = session.outputNames.filter((name) => all || name in carry || wanted.includes(name));
    const results = await this.runOrt(session, inputs, names);
    let freed = 0;
    for (const [output, input] of Object.entries(carry)) {
      freed += release(state[input]);
      state[input] = results[output];
    }
    if (freed > FELT_BYTES) {
      for (const name of Object.keys(inputs)) delete inputs[name];
      this.options.collect?.();
    }
    return this.fromOrt(Object.fromEntries(wanted.map((name) => [name, results[name]])), new Set(Object.keys(carry)));
  }

  /** What a run gets of the state: copies of the inputs that never change, where a run would empty them. */
  private stateFor({ state, carry }: Entry): Values {
    if (!this.options.takesInputs) return state;
    const replaced = new Set(Object.values(carry));
    return Object.fromEntries(
      Object.entries(state).map(([name, value]) => {
        if (replaced.has(name)) return [name, value];
        return [name, new this.options.ort.Tensor(value.type, (value.data as TypedArray).slice(), value.dims)];
      }),
    );
  }

  async setState(id: number, values: Tensors): Promise<void> {
    const { session, state } = this.entry(id);
    for (const name of Object.keys(values))
      if (!session.inputNames.includes(name)) throw unknownName('input', name, session.inputNames);
    for (const [name, value] of Object.entries(this.toOrt(values, session))) {
      release(state[name]);
      state[name] = value;
    }
  }

  async state(id: number): Promise<Tensors> {
    const { state } = this.entry(id);
    return this.fromOrt(state, new Set(Object.keys(state)));
  }

  async profile(id: number): Promise<ProfileRow[]> {
    const { session, tracePrefix } = this.entry(id);
    const { traces, device } = this.options;
    if (!traces) {
      throw new RuntimeUnavailable('no-profile', `ONNX Runtime cannot time operators on ${device}. Profile on cpu.`);
    }
    if (!tracePrefix)
      throw new ConfigError('no-profile', 'A profile needs a session that was opened with profile: true.');
    session.endProfiling();
    const rows = traces.take(tracePrefix, summarizeProfile);
    await this.close(id);
    return rows;
  }

  async close(id: number): Promise<void> {
    const { session, state, tracePrefix } = this.entry(id);
    this.entries.delete(id);
    for (const value of Object.values(state)) release(value);
    await session.release();
    if (tracePrefix) this.options.traces?.take(tracePrefix, () => {});
  }

  /** Releases every session, once what is under way is done. */
  end(): Promise<void> {
    return this.tail.then(async () => {
      for (const id of [...this.entries.keys()]) await this.close(id);
      await this.copier?.release();
      this.copier = undefined;
    });
  }

  private entry(id: number): Entry {
    const entry = this.entries.get(id);
    if (!entry) throw new ConfigError('session-closed', 'This session is closed. Open a new one.');
    return entry;
  }

  private async createChecked(model: Uint8Array, settings: InferenceSession.SessionOptions): Promise<InferenceSession> {
    if (model.byteLength === 0) throw refusal('parsing found no bytes', this.options.device);
    try {
      return await this.create(model, settings);
    } catch (error) {
      throw refusal(error, this.options.device);
    }
  }

  private create(model: Uint8Array, settings: InferenceSession.SessionOptions): Promise<InferenceSession> {
    const { ort, device, threads } = this.options;
    return ort.InferenceSession.create(model, {
      executionProviders: [device],
      graphOptimizationLevel: 'all',
      executionMode: 'sequential',
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      // With a plan of its own for the second run, ONNX Runtime holds the memory of both: 3.0 in place of 1.8 GB for a
      // training step of a U-Net. Steps of six networks, timed in turns, were as often slower with it as faster.
      enableMemPattern: false,
      // Errors are thrown; to print them as well would only be noise.
      logSeverityLevel: 4,
      extra: { session: sessionExtras },
      ...settings,
    });
  }

  private async runOrt(session: InferenceSession, inputs: Values, outputs: readonly string[]): Promise<Values> {
    try {
      return { ...(await session.run(inputs, outputs)) } as Values;
    } catch (error) {
      const reason = oneLine(error);
      if (/invalid rank|invalid dimensions|unexpected input data type/i.test(reason)) throw new ShapeError(reason);
      if (/alloc|out of memory/i.test(reason)) {
        throw new RuntimeUnavailable(
          'out-of-memory',
          `${this.options.device} is out of memory: ${reason} Lower the batch size.`,
        );
      }
      throw new InternalError(`a run on ${this.options.device} failed: ${reason}`);
    }
  }

  private toOrt(tensors: Tensors, session: InferenceSession): Values {
    const { ort } = this.options;
    return Object.fromEntries(
      Object.entries(tensors).map(([name, { dtype, shape, data }]) => {
        if (!session.inputNames.includes(name)) throw unknownName('input', name, session.inputNames);
        return [name, new ort.Tensor(dtype, data, shape)];
      }),
    );
  }

  /** Values as tensors; those in `keep` are copied, since the session goes on using them. */
  private async fromOrt(values: Values, keep: ReadonlySet<string>): Promise<Tensors> {
    const tensors: Tensors = {};
    for (const [name, value] of Object.entries(values)) {
      const data = value.location === 'gpu-buffer' ? await this.download(value) : value.data;
      if (!dtypes.has(value.type)) {
        throw new DataError(
          'onnx-unsupported',
          `The output "${name}" has element type ${value.type}, which is not supported.`,
        );
      }
      const array = data as TypedArray;
      tensors[name] = {
        dtype: value.type as Tensor['dtype'],
        shape: [...value.dims],
        data: keep.has(name) && value.location !== 'gpu-buffer' ? array.slice() : array,
      };
    }
    return tensors;
  }

  /** onnxruntime-node's own `getData` ends the process (1.30), so an Identity graph does the copy. */
  private async download(value: OrtTensor): Promise<TypedArray> {
    if (!this.copier) throw new InternalError('a value on the GPU before the device was started.');
    const { b } = await this.copier.run({ a: value });
    return b.data as TypedArray;
  }
}

/** The methods of a host that the outside may call. */
export type HostMethod = 'open' | 'run' | 'setState' | 'state' | 'profile' | 'close';
export type HostResult<M extends HostMethod> = Awaited<ReturnType<SessionHost[M]>>;

const dtypes = new Set<string>(['float32', 'float64', 'int32', 'int64', 'uint8', 'bool']);

/**
 * Measured on 2 cores, convolution net: subnormal numbers made a run 6 times slower (33 → 5.4 ms); threads that go on
 * spinning after a run made three sessions in turn 2.8 times slower (16 → 5.7 ms). The first holds for the whole
 * thread and is set anew by each session made on it, so every session must ask for it.
 */
const sessionExtras = { set_denormal_as_zero: '1', force_spinning_stop: '1' };

/** Those of the named outputs that are float32: only they have a copier back from the GPU. */
function floatOutputs(session: InferenceSession, names: readonly string[]): string[] {
  const floats = session.outputMetadata.filter((output) => output.isTensor && output.type === 'float32');
  return floats.map((output) => output.name).filter((name) => names.includes(name));
}

/** Frees memory of the GPU now; returns how many bytes of other memory wait for the collector. */
function release(value: OrtTensor | undefined): number {
  if (value?.location !== 'gpu-buffer') return value ? (value.data as TypedArray).byteLength : 0;
  value.dispose();
  return 0;
}

function refusal(error: unknown, device: Device): Error {
  const reason = oneLine(error);
  if (/protobuf|parse|parsing/i.test(reason)) {
    return new DataError('onnx-corrupt', `These bytes are not a whole ONNX file: ${reason} Fetch or export it again.`);
  }
  return new DataError('onnx-refused', `ONNX Runtime on ${device} refuses this model: ${reason}`);
}

/** An error's message on one line, ending with a full stop. */
export function oneLine(error: unknown): string {
  const text = (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ').trim();
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** b = Identity(a), float32 of any rank. */
function identityModel(): Uint8Array {
  return encodeModel({
    irVersion: 8,
    opsets: [{ domain: '', version: 17 }],
    producer: 'oddity',
    producerVersion: '',
    metadata: {},
    graph: {
      name: 'identity',
      nodes: [{ op: 'Identity', inputs: ['a'], outputs: ['b'], attributes: {} }],
      inputs: [{ name: 'a', dtype: 'float32' }],
      outputs: [{ name: 'b', dtype: 'float32' }],
      initializers: [],
    },
  }).model;
}
