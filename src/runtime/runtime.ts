/** The one interface that runs graphs: ONNX Runtime native, ONNX Runtime web, or the plain reference. */
import type { Tensors } from '../core/tensor.ts';
import type { EmitOptions } from '../graph/emit.ts';
import type { Program } from '../graph/program.ts';

/** Where a graph runs. `cpu`, `webgpu`, `cuda`, `coreml`, `dml` are onnxruntime-node; `wasm` is onnxruntime-web. */
export const deviceNames = ['cpu', 'wasm', 'webgpu', 'cuda', 'coreml', 'dml', 'reference'] as const;
/** Where a graph runs: `cpu`, `webgpu`, `cuda`, `coreml` and `dml` natively, `wasm` anywhere, `reference` in plain code. */
export type Device = (typeof deviceNames)[number];

export interface SessionOptions {
  /** Output name → input name: the output stays inside the session and is the input of the next run. */
  carry?: Readonly<Record<string, string>>;
  /** Collect the time of each operator; `Session.profile()` returns it. */
  profile?: boolean;
  /** Threads inside one operator; default all cores. */
  threads?: number;
  /** Overrides the choice of lowerings; for benches. */
  lowering?: EmitOptions['lowering'];
}

/** Time of one kind of operator over the life of a session. */
export interface ProfileRow {
  op: string;
  calls: number;
  milliseconds: number;
}

/** A compiled graph with a lifetime; `close` frees it. Runs of one session never overlap: they queue. */
export interface Session {
  readonly device: Device;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /**
   * Runs once and returns the outputs that are not carried (or those named in `fetch`). Arrays in `transfer` may be
   * handed over (and become empty here) instead of being copied. Rejects with Cancelled once `signal` aborts.
   */
  run(
    feeds: Tensors,
    options?: { fetch?: readonly string[]; transfer?: boolean; signal?: AbortSignal },
  ): Promise<Tensors>;
  /** Sets inputs that stay for all later runs, by name: those that are carried, and those that never change. */
  setState(state: Tensors): Promise<void>;
  /** Copies of all inputs that stay, as they are now, by name. */
  state(): Promise<Tensors>;
  /** Time by operator so far; needs `profile: true`, and ends the session. */
  profile(): Promise<ProfileRow[]>;
  close(): Promise<void>;
}

/** A device that is ready. `close` ends its worker and every session of it, also in the middle of a run. */
export interface Runtime {
  readonly device: Device;
  /** Compiles one of our graphs with the lowerings that suit the device. */
  compile(program: Program, options?: SessionOptions): Promise<Session>;
  /** Opens the bytes of an ONNX file. */
  open(model: Uint8Array, options?: SessionOptions): Promise<Session>;
  close(): Promise<void>;
}
