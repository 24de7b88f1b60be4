/** The plain reference as a runtime: our graphs through the operators' own TypeScript code. Slow, and obviously right. */
import { Cancelled, InternalError, RuntimeUnavailable } from '../core/errors.ts';
import { sizeOf } from '../core/shape.ts';
import { allocate, type Tensor, type Tensors, type TypedArray } from '../core/tensor.ts';
import { option, say } from '../core/text.ts';
import { evaluation } from '../graph/evaluate.ts';
import { inputsOf, type Program } from '../graph/program.ts';
import type { Runtime, Session, SessionOptions } from './runtime.ts';

/** One entry of the leading axis. */
function entry(t: Tensor, at: number): Tensor {
  const shape = t.shape.slice(1);
  const size = sizeOf(shape);
  return { dtype: t.dtype, shape, data: t.data.slice(at * size, (at + 1) * size) as TypedArray };
}

function stack(parts: readonly Tensor[]): Tensor {
  const [first] = parts;
  const data = allocate(first.dtype, first.data.length * parts.length) as Float32Array;
  parts.forEach((t, i) => {
    data.set(t.data as Float32Array, i * first.data.length);
  });
  return { dtype: first.dtype, shape: [parts.length, ...first.shape], data };
}

/** How long nodes are computed without a pause in which a cancellation can arrive. */
const BUSY_MS = 50;

/** Does steps to their end, with pauses; throws Cancelled in the first one after `signal` aborts. */
async function paced<T>(steps: Generator<void, T>, signal?: AbortSignal): Promise<T> {
  for (let last = performance.now(); ; ) {
    const { done, value } = steps.next();
    if (done) return value;
    if (performance.now() - last < BUSY_MS) continue;
    await new Promise((resolve) => setTimeout(resolve));
    if (signal?.aborted) throw new Cancelled();
    last = performance.now();
  }
}

/** Opens the reference runtime; `precision` float64 computes every float in doubles. */
export function openReferenceRuntime(precision: 'float32' | 'float64' = 'float32'): Runtime {
  return {
    device: 'reference',
    compile: async (program, options) => referenceSession(program, precision, options),
    open: async () => {
      throw new RuntimeUnavailable(
        'reference-onnx',
        say`The reference device runs graphs, not ONNX files. Use ${option('device', 'cpu')} or ${option('device', 'wasm')}.`,
      );
    },
    close: async () => {},
  };
}

function referenceSession(program: Program, precision: 'float32' | 'float64', options: SessionOptions = {}): Session {
  const names = Object.keys(program.outputs);
  const values = Object.values(program.outputs);
  const inputs = [...inputsOf(values).keys()];
  const carry = options.carry ?? program.carry;
  let carried: Tensors = {};
  const once = async (feeds: Tensors, signal?: AbortSignal): Promise<Tensors> => {
    const results = await paced(evaluation(values, { ...carried, ...feeds }, precision), signal);
    const out = Object.fromEntries(names.map((name, i) => [name, results[i]]));
    for (const [output, input] of Object.entries(carry)) carried = { ...carried, [input]: out[output] };
    return out;
  };
  return {
    device: 'reference',
    inputs,
    outputs: names,
    async run(feeds, { fetch, signal } = {}) {
      if (signal?.aborted) throw new Cancelled();
      const wanted = fetch ?? names.filter((name) => !(name in carry));
      const pick = (out: Tensors) => Object.fromEntries(wanted.map((name) => [name, out[name]]));
      if (!program.loop) return pick(await once(feeds, signal));
      const scanned = program.loop.scanned.filter((name) => inputs.includes(name));
      const steps = feeds[scanned[0]]?.shape[0];
      if (steps === undefined) throw new InternalError(`the loop of ${program.name} was not fed ${scanned[0]}.`);
      const results: Tensors[] = [];
      for (let k = 0; k < steps; k++) {
        if (signal?.aborted) throw new Cancelled();
        results.push(
          await once(
            Object.fromEntries(Object.entries(feeds).map(([n, t]) => [n, scanned.includes(n) ? entry(t, k) : t])),
            signal,
          ),
        );
      }
      return Object.fromEntries(
        wanted.map((name) => [name, name in carry ? results[steps - 1][name] : stack(results.map((r) => r[name]))]),
      );
    },
    async setState(state) {
      carried = { ...carried, ...state };
    },
    async state() {
      return { ...carried };
    },
    async profile() {
      throw new RuntimeUnavailable(
        'reference-profile',
        say`The reference device has no profile. Use ${option('device', 'cpu')}.`,
      );
    },
    async close() {
      carried = {};
    },
  };
}
