/** Whether what comes in still looks like the normals that the threshold rests on: how many scores lie in their upper tenth. */
import { clopperPearson, pValueOf } from '../../metrics/index.ts';

/** The upper share of the held-out normals that is watched. */
const TAIL = 0.1;
/** Scores that are looked at, the latest. */
export const DRIFT_ITEMS = 200;

export interface Drift {
  /** Items that this rests on. */
  readonly items: number;
  /** Share of them that scores as high as the upper tenth of the normals; a tenth is expected. */
  readonly share: number;
  /** Clopper–Pearson 95 % interval of the share. */
  readonly interval: readonly [number, number];
  /** The interval lies above a tenth: more anomalies, or another camera, light or batch than in training. */
  readonly isDrifting: boolean;
}

/** `normals` are sorted scores of held-out normal items; undefined where there are none, or nothing came. */
export function driftOf(normals: ArrayLike<number>, scores: readonly number[]): Drift | undefined {
  const items = scores.length;
  if (normals.length === 0 || items === 0) return undefined;
  const high = scores.filter((score) => pValueOf(normals, score)! <= TAIL).length;
  const interval = clopperPearson(high, items);
  return { items, share: high / items, interval, isDrifting: interval[0] > TAIL };
}
