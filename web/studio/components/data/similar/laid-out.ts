/** The features of a project's items with their places, laid out by a worker, which ends with whoever waits for it. */
import { at, getBytes } from '../../../api.ts';
import { fitted } from './lasso.ts';
import type { FromLayOut } from './lay-out-worker.ts';
import type { Features } from './neighbours.ts';

/** Items of a map, in one order everywhere. */
export interface Places {
  readonly ids: Uint32Array;
  readonly features: Features;
  /** `x, y` of each, in [0, 1]. */
  readonly points: Float32Array;
  /** Of each the one that is most like it. */
  readonly nearest: Uint32Array;
}

export async function placesOf(
  project: string,
  { signal, tell }: { readonly signal: AbortSignal; tell(share: number): void },
): Promise<Places> {
  const bytes = await getBytes(at(project, '/similar/features'), signal);
  const [count, width] = new Uint32Array(bytes, 0, 2);
  const ids = new Uint32Array(bytes, 8, count);
  const features = { rows: new Float32Array(bytes, 8 + 4 * count, count * width), width };
  const worker = new Worker(new URL('./lay-out-worker.ts', import.meta.url), { type: 'module' });
  signal.addEventListener('abort', () => worker.terminate());
  try {
    const { points, nearest } = await new Promise<Extract<FromLayOut, { laidOut: unknown }>['laidOut']>(
      (resolve, reject) => {
        worker.onmessage = ({ data }: MessageEvent<FromLayOut>) => {
          if ('share' in data) tell(data.share);
          else if ('laidOut' in data) resolve(data.laidOut);
          else reject(new Error(data.fault));
        };
        worker.onerror = ({ message }) => reject(new Error(message));
        worker.postMessage(features);
      },
    );
    return { ids, features, points: fitted(points), nearest };
  } finally {
    worker.terminate();
  }
}
