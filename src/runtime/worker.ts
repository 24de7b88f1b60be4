/**
 * Entry of the worker thread that holds a device's sessions: ONNX Runtime blocks the thread that runs it. This is the
 * one file that loads ONNX Runtime in Node.
 */
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { errorData, InternalError, OddityError, RuntimeUnavailable } from '../core/errors.ts';
import type { Tensors } from '../core/tensor.ts';
import { option, say } from '../core/text.ts';
import { type Ort, oneLine, SessionHost, type Traces } from './host.ts';
import type { Reply, Request, Start } from './ort.ts';

const port = parentPort as MessagePort;
const start = workerData as Start;

const traces: Traces = {
  prefix: () => join(mkdtempSync(join(tmpdir(), 'oddity-profile-')), 'trace'),
  take(prefix, read) {
    const folder = dirname(prefix);
    const [file] = existsSync(folder) ? readdirSync(folder) : [];
    try {
      return read(file ? linesOf(join(folder, file)) : []);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** The lines of a text file, read in pieces. */
function* linesOf(path: string): Generator<string> {
  const file = openSync(path, 'r');
  try {
    const piece = Buffer.alloc(2 ** 20);
    const decoder = new StringDecoder('utf8');
    let rest = '';
    for (let read = readSync(file, piece); read > 0; read = readSync(file, piece)) {
      const lines = (rest + decoder.write(piece.subarray(0, read))).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
    yield rest;
  } finally {
    closeSync(file);
  }
}

/** The collector of this thread, which holds little else than the sessions: a collection takes milliseconds. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

/** Puts the native package back in the version that this one was measured with; a test compares it with package.json. */
const installNative = 'ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node@1.30.0';

async function loadOrt(): Promise<Ort> {
  if (start.device === 'wasm') {
    const ort: Ort = await import('onnxruntime-web');
    ort.env.wasm.numThreads = start.threads;
    return ort;
  }
  try {
    // A variable, so that bundlers leave the native package alone and a test can name one that is absent.
    const native = await import(start.nativePackage);
    return native.default ?? native;
  } catch (error) {
    throw new RuntimeUnavailable(
      'native-missing',
      `The device ${start.device} needs the package onnxruntime-node, which did not load (${oneLine(error).split(' Require stack')[0]}) ` +
        `Install it with: ${installNative}`,
    );
  }
}

/** What to do about a device that does not start. */
const remedies: Partial<Record<string, string>> = {
  webgpu: 'It needs a GPU with a Vulkan, Metal or Direct3D 12 driver.',
  cuda: "It needs an NVIDIA GPU, CUDA 12, cuDNN, and onnxruntime-node's CUDA provider beside its library.",
  coreml: 'It exists on macOS only.',
  dml: 'It exists on Windows only.',
};

async function startHost(): Promise<SessionHost> {
  const ort = await loadOrt();
  ort.env.logLevel = 'fatal';
  const host = new SessionHost({
    ort,
    device: start.device,
    threads: start.threads,
    traces: start.device === 'wasm' ? undefined : traces,
    collect: collector(),
  });
  try {
    await host.start();
  } catch (error) {
    const remedy = remedies[start.device] ?? '';
    throw new RuntimeUnavailable(
      'device-missing',
      say`The device ${start.device} does not start here. ${remedy} Use ${option('device', 'cpu')} instead. (${oneLine(error)})`,
    );
  }
  return host;
}

/** Errors lose their class between threads: they travel as data. */
const failure = (error: unknown) => errorData(error instanceof OddityError ? error : new InternalError(oneLine(error)));

/** Buffers of tensors in a result, to be handed over. */
function buffersOf(value: unknown): ArrayBuffer[] {
  const buffers = Object.values((value ?? {}) as Tensors).flatMap((t) => (t?.data?.buffer ? [t.data.buffer] : []));
  return [...new Set(buffers)].filter((b): b is ArrayBuffer => b instanceof ArrayBuffer);
}

function reply(message: Reply, transfer: readonly ArrayBuffer[] = []): void {
  Atomics.store(start.busy, 0, 0);
  Atomics.notify(start.busy, 0);
  port.postMessage(message, transfer);
}

try {
  const host = await startHost();
  port.on('message', async ({ id, method, args }: Request) => {
    try {
      const value = await host.call(method, args);
      reply({ id, value }, method === 'run' || method === 'state' ? buffersOf(value) : []);
    } catch (error) {
      reply({ id, error: failure(error) });
    }
  });
  reply({ id: 0 });
} catch (error) {
  reply({ id: 0, error: failure(error) });
  port.close();
}
