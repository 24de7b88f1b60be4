/**
 * The runtime of a page: ONNX Runtime web, WebAssembly in a Web Worker of its own or WebGPU on the page's thread (where
 * runs do not block). In a worker WebAssembly runs right there. Threads need the page to be cross-origin isolated (COOP and COEP headers).
 */
import { Cancelled, RuntimeUnavailable } from '../core/errors.ts';
import { type HostMethod, type HostResult, type Ort, oneLine, SessionHost } from './host.ts';
import { type CallOptions, hostedRuntime, type Link } from './hosted.ts';
import type { Runtime } from './runtime.ts';

export interface BrowserOptions {
  /** Default: all cores where the page is cross-origin isolated, else one. The first runtime of a page or worker decides for all. */
  threads?: number;
  /**
   * URL of the folder where the `.wasm` files of `onnxruntime-web/dist` are served. Default: where Vite puts them; other
   * bundlers may leave them out, and then they must lie beside the script.
   */
  wasmPaths?: string;
}

/** The file that onnxruntime-web needs besides the script. */
const wasmFiles = { wasm: 'ort-wasm-simd-threaded.wasm', webgpu: 'ort-wasm-simd-threaded.asyncify.wasm' };

/**
 * Opens a device of the page. Throws RuntimeUnavailable `device-missing` when the browser has none and `wasm-missing` when
 * a file of onnxruntime-web is not where it is looked for.
 */
export async function openBrowserRuntime(
  device: 'wasm' | 'webgpu',
  { threads, wasmPaths }: BrowserOptions = {},
): Promise<Runtime> {
  const ort: Ort = device === 'webgpu' ? await import('onnxruntime-web/webgpu') : await import('onnxruntime-web/wasm');
  const isPage = typeof document !== 'undefined';
  const cores = globalThis.crossOriginIsolated ? navigator.hardwareConcurrency : 1;
  // A worker serves as a thread of WebAssembly alone (`servesAsThread`).
  const count = device === 'webgpu' && !isPage ? 1 : (threads ?? cores);
  ort.env.logLevel = 'error';
  ort.env.wasm.numThreads = count;
  // In a worker ONNX Runtime makes no worker of its own.
  const isProxied = device === 'wasm' && isPage;
  ort.env.wasm.proxy = isProxied;
  if (wasmPaths) {
    const folder = new URL(wasmPaths.replace(/\/?$/, '/'), location.href);
    ort.env.wasm.wasmPaths = { wasm: new URL(wasmFiles[device], folder).href };
  }
  const host = new SessionHost({ ort, device, threads: count, takesInputs: isProxied });
  try {
    await host.start();
  } catch (error) {
    throw unavailable(device, oneLine(error));
  }
  return hostedRuntime(device, directLink(host, device === 'wasm' && !isProxied));
}

/**
 * True in a worker that ONNX Runtime started as one of its threads, with the script into which a bundler put it: then its code is
 * begun here, and the script must do nothing else. Onnxruntime-web 1.30 names such workers so.
 */
export function servesAsThread(): boolean {
  if (!globalThis.self?.name?.startsWith('em-pthread')) return false;
  import('onnxruntime-web/wasm');
  return true;
}

function unavailable(device: 'wasm' | 'webgpu', reason: string): RuntimeUnavailable {
  // What it says of a file that is not there: a page of the server in its place is no WebAssembly, either.
  if (/WebAssembly\.|fetch|magic word/i.test(reason)) {
    return new RuntimeUnavailable(
      'wasm-missing',
      `The page must serve ${wasmFiles[device]}, and it cannot be loaded (${reason}) Copy it from onnxruntime-web/dist to ` +
        'the folder of the script, or say where it is with wasmPaths.',
    );
  }
  const remedy = device === 'webgpu' ? 'Use wasm' : 'Use a newer one';
  return new RuntimeUnavailable('device-missing', `This browser does not start ${device} (${reason}) ${remedy}.`);
}

/**
 * Calls the host right here. What has begun cannot be stopped; its caller is told at once all the same. Where runs `block`, messages
 * that came meanwhile, such as one that cancels, are heard before the next.
 */
function directLink(host: SessionHost, block: boolean): Link {
  const closing = new AbortController();
  return {
    async call<M extends HostMethod>(
      method: M,
      args: Parameters<SessionHost[M]>,
      { signal }: CallOptions = {},
    ): Promise<HostResult<M>> {
      const stops = signal ? [closing.signal, signal] : [closing.signal];
      if (block) await messagesHeard();
      if (stops.some((stop) => stop.aborted)) throw reasonOf(closing);
      let stop: () => void = () => {};
      const stopped = new Promise<never>((_, reject) => {
        stop = () => reject(reasonOf(closing));
      });
      for (const s of stops) s.addEventListener('abort', stop);
      try {
        return await Promise.race([host.call(method, args), stopped]);
      } finally {
        for (const s of stops) s.removeEventListener('abort', stop);
      }
    },
    async close() {
      closing.abort();
      host.end().catch(() => {}); // not awaited: what is under way may take long
    },
  };
}

/** Lets the messages in that wait; a timer would wait for some milliseconds. */
function messagesHeard(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(0);
  });
}

function reasonOf(closing: AbortController): Error {
  if (!closing.signal.aborted) return new Cancelled();
  return new RuntimeUnavailable('runtime-closed', 'This runtime is closed. Open a new one.');
}
