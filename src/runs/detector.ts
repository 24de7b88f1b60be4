/** Opens detectors from disk. Node only. */
import type { Listener } from '../core/events.ts';
import { type Detector, openDetector } from '../engine/scoring/detector.ts';
import { checkHasDetector } from '../engine/scoring/whole.ts';
import { type Device, openRuntime } from '../runtime/index.ts';
import { readArtifact } from './artifact.ts';
import { opened } from './closing.ts';
import { checkDevice } from './device.ts';
import { nodePlatform } from './platform.ts';

/** Options of `loadDetector`. */
export interface DetectorOptions {
  /** Default `auto`. */
  device?: Device | 'auto';
  /** Threads inside one operator; default all cores. */
  threads?: number;
  /** Pixels that an image file may have; default 100 million. */
  maxPixels?: number;
  onEvent?: Listener;
  /** Ends the opening early. */
  signal?: AbortSignal;
}

/**
 * Opens a run's folder, an artefact's folder or its `model.onnx`. Throws DataError when it is missing, damaged or of
 * another kind.
 * @example await using detector = await loadDetector('runs/first'); const { decision } = await detector.scoreImage('a.png');
 */
export async function loadDetector(path: string, options: DetectorOptions = {}): Promise<Detector> {
  const { device = 'auto', threads, maxPixels, onEvent, signal } = options;
  checkDevice(device);
  const artifact = await readArtifact(path);
  checkHasDetector(artifact.info);
  const runtime = await opened(openRuntime(device, { threads, onEvent }), signal);
  return opened(openDetector(artifact, runtime, nodePlatform({ maxPixels })), signal);
}
