/** A trained detector, ready to score: what a program that uses oddity as a library holds. Node only. */
import { ShapeError } from '../core/errors.ts';
import type { Listener } from '../core/events.ts';
import { type ItemShape, itemSize, kindOf, mapSize } from '../core/item-shape.ts';
import { float32 } from '../core/tensor.ts';
import { type Decision, decide, exceededBy } from '../engine/judging/calibrate.ts';
import { scoreBatch } from '../engine/scoring/stream.ts';
import { type Device, openRuntime } from '../runtime/index.ts';
import { type ArtifactInfo, readArtifact, runnableBytes } from './artifact.ts';
import { checkDevice } from './device.ts';

export interface DetectorOptions {
  /** Default `auto`. */
  device?: Device | 'auto';
  threads?: number;
  onEvent?: Listener;
}

/** An open artefact. `close` ends its worker. */
export interface Detector {
  readonly device: Device;
  /** Of one item: channels, height, width of an image; inputs of a row. */
  readonly shape: ItemShape;
  /** An item is anomalous when its score is >= this; null when no normal items were held out. */
  readonly threshold: number | null;
  /** Everything else that `model.json` says. */
  readonly info: ArtifactInfo;
  /**
   * Scores `n` items – images `[n, C, H, W]` in [0, 1], rows `[n, D]` encoded as `info.table` says: one score each, larger
   * is more anomalous, and one map each, `[H, W]` or `[D]`. Reconstructions come with those models that draw them, and five
   * numbers each, `Scoring.nearest`, with those that keep places of training images. Rejects with Cancelled once `signal`
   * aborts.
   */
  score(
    items: Float32Array,
    n: number,
    options?: { signal?: AbortSignal },
  ): Promise<{
    scores: Float32Array;
    maps: Float32Array;
    reconstructions?: Float32Array;
    nearest?: Float32Array;
  }>;
  /** What the threshold, with its review band, makes of a score; null without one. */
  decide(score: number): Decision | null;
  /** Share of held-out normal items with a larger score; undefined when none were held out. */
  exceededBy(score: number): number | undefined;
  close(): Promise<void>;
}

/**
 * Opens a run's folder, an artefact's folder or its `model.onnx`. Throws DataError when it is missing, damaged or of
 * another kind.
 * @example const detector = await loadDetector('runs/first'); const { scores } = await detector.score(pixels, 8);
 */
export async function loadDetector(path: string, options: DetectorOptions = {}): Promise<Detector> {
  const { device = 'auto', threads, onEvent } = options;
  checkDevice(device);
  const artifact = await readArtifact(path);
  const { info } = artifact;
  const runtime = await openRuntime(device, { threads, onEvent });
  const [values, area] = [itemSize(info.shape), mapSize(info.shape)];
  try {
    const session = await runtime.open(runnableBytes(artifact));
    const drawn = info.outputs.includes('reconstruction');
    const explains = info.outputs.includes('nearest');
    const fetch = ['score', 'map', ...(drawn ? ['reconstruction'] : []), ...(explains ? ['nearest'] : [])];
    return {
      device: runtime.device,
      shape: info.shape,
      threshold: info.threshold.value,
      info,
      async score(items, n, { signal } = {}) {
        if (!Number.isInteger(n) || n < 0 || items.length !== n * values) {
          const what = { image: 'images', table: 'rows', series: 'windows' }[kindOf(info.shape)];
          throw new ShapeError(
            `${n} ${what} of ${info.shape.join('x')} need ${n * values} values, got ${items.length}.`,
          );
        }
        const scores = new Float32Array(n);
        const maps = new Float32Array(n * area);
        const reconstructions = drawn ? new Float32Array(n * values) : undefined;
        const nearest = explains ? new Float32Array(n * 5) : undefined;
        const size = scoreBatch(info.shape);
        for (let at = 0; at < n; at += size) {
          const count = Math.min(size, n - at);
          const batch = float32(items.slice(at * values, (at + count) * values), [count, ...info.shape]);
          const out = await session.run({ [info.input.name]: batch }, { fetch, transfer: true, signal });
          scores.set(out.score.data as Float32Array, at);
          maps.set(out.map.data as Float32Array, at * area);
          reconstructions?.set(out.reconstruction.data as Float32Array, at * values);
          nearest?.set(out.nearest.data as Float32Array, at * 5);
        }
        return { scores, maps, reconstructions, nearest };
      },
      decide: (score) => decide(info.threshold, score),
      exceededBy: (score) => exceededBy(info.normalScores, score),
      close: () => runtime.close(),
    };
  } catch (error) {
    await runtime.close();
    throw error;
  }
}
