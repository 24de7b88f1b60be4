/**
 * Watches a camera or a video: frames are scored as they come, one after the other; those that are anomalous are kept. What is live waits
 * for nobody: frames that come while one is scored are missed, but for the newest, and counted. Node only.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errorData, RuntimeUnavailable } from '../core/errors.ts';
import { type Listener, silent } from '../core/events.ts';
import { type CameraAddress, cameraFrames } from '../data/index.ts';
import type { Detector } from '../engine/scoring/detector.ts';
import { writeAtomic } from '../runs/files.ts';
import type { WatchRecord } from './journal.ts';
import { drawOverlay, isWanted, type Results, type ScaleOf } from './results.ts';

/** How a camera is watched. */
export interface CameraWatch {
  readonly out: string;
  /** Frames a second. */
  readonly fps: number;
  readonly overlays?: boolean;
  readonly scaleOf?: ScaleOf;
  readonly all?: boolean;
  readonly reconnect?: number;
  readonly onEvent?: Listener;
}

/** Scores frames until `signal` aborts or a file ends. Returns how many were missed. Throws as `cameraFrames`. */
export async function watchCamera(
  detector: Detector,
  results: Results,
  address: CameraAddress,
  options: CameraWatch,
  signal: AbortSignal,
): Promise<number> {
  const { out, fps, reconnect, onEvent = silent } = options;
  let missed = 0;
  await mkdir(join(out, 'frames'), { recursive: true });
  results.deliver(signal); // what a run before this one did not deliver
  const onState = (isThere: boolean, reason: string) =>
    onEvent({
      type: 'warning',
      code: isThere ? 'camera-back' : 'camera-gone',
      message: isThere
        ? `${address.shown} is there again.`
        : `${address.shown} is not there (${reason.replace(/\.$/, '')}). It is waited for.`,
    });
  for await (const frame of cameraFrames(address, { rate: fps, signal, onState, firstPause: reconnect })) {
    results.check();
    missed += frame.missed;
    await results.add([await recordOf(detector, frame, options)]);
    results.deliver(signal);
  }
  return missed;
}

async function recordOf(
  detector: Detector,
  { png, time }: { readonly png: Uint8Array; readonly time: number },
  { out, overlays, scaleOf, all }: CameraWatch,
): Promise<WatchRecord> {
  const stamp = new Date(time).toISOString();
  const path = `frames/${stamp.replaceAll(':', '-')}.png`;
  const about = { id: `${path}@${png.length}`, path, stamp, time: stamp };
  try {
    const { values, map, score, threshold, isAnomalous, decision, pValue, regions } = await detector.scoreImage(png);
    const record = { ...about, score, threshold, isAnomalous, decision, pValue, regions };
    if (!isWanted(record, { all })) return record;
    await writeAtomic(join(out, path), png, { flush: false });
    const overlay =
      overlays && isAnomalous ? await drawOverlay(detector, { out, path, scaleOf }, { values, map }) : undefined;
    return { ...record, kept: true, ...(overlay !== undefined && { overlay }) };
  } catch (error) {
    if (error instanceof RuntimeUnavailable) throw error;
    const { code, message } = errorData(error);
    if (code === 'unwritable' || code === 'disk') throw error;
    return { ...about, error: { code, message } };
  }
}
