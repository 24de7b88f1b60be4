/**
 * The runtime of a page: ONNX Runtime web, WebAssembly in a Web Worker of its own or WebGPU on the page's thread (where
 * runs do not block). Threads need the page to be cross-origin isolated (COOP and COEP headers).
 */
import { Cancelled, RuntimeUnavailable } from '../core/errors.ts';
import { type HostMethod, type HostResult, type Ort, oneLine, SessionHost } from './host.ts';
import { type CallOptions, hostedRuntime, type Link } from './hosted.ts';
import type { Runtime } from './runtime.ts';

export interface BrowserOptions {
  /** Default: all cores where the page is cross-origin isolated, else one. */
  threads?: number;
  /** Where the `.wasm` files of onnxruntime-web are served; default: beside the script, where bundlers put them. */
  wasmPaths?: string;
}

/** Opens a device of the page; throws RuntimeUnavailable when the browser has none. */
export async function openBrowserRuntime(
  device: 'wasm' | 'webgpu',
  { threads, wasmPaths }: BrowserOptions = {},
): Promise<Runtime> {
  const ort: Ort = device === 'webgpu' ? await import('onnxruntime-web/webgpu') : await import('onnxruntime-web/wasm');
  const cores = globalThis.crossOriginIsolated ? navigator.hardwareConcurrency : 1;
  ort.env.logLevel = 'error';
  ort.env.wasm.numThreads = threads ?? cores;
  ort.env.wasm.proxy = device === 'wasm';
  if (wasmPaths) ort.env.wasm.wasmPaths = wasmPaths;
  const host = new SessionHost({ ort, device, threads: threads ?? cores, takesInputs: ort.env.wasm.proxy });
  try {
    await host.start();
  } catch (error) {
    const message = `This browser does not start ${device}. Use ${device === 'webgpu' ? 'wasm' : 'a newer one'}. (${oneLine(error)})`;
    throw new RuntimeUnavailable('device-missing', message);
  }
  return hostedRuntime(device, directLink(host));
}

/** Calls the host right here. What has begun cannot be stopped; its caller is told at once all the same. */
function directLink(host: SessionHost): Link {
  const closing = new AbortController();
  return {
    async call<M extends HostMethod>(
      method: M,
      args: Parameters<SessionHost[M]>,
      { signal }: CallOptions = {},
    ): Promise<HostResult<M>> {
      const stops = signal ? [closing.signal, signal] : [closing.signal];
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
    },
  };
}

function reasonOf(closing: AbortController): Error {
  if (!closing.signal.aborted) return new Cancelled();
  return new RuntimeUnavailable('runtime-closed', 'This runtime is closed. Open a new one.');
}
