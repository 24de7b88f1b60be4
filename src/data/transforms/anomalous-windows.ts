/** Anomalies planted into windows of series, to rank detectors where nothing is labelled. */
import type { Rng } from '../../core/random.ts';
import { stepsBefore } from '../series/windows.ts';

/** One value out of line, another level from then on, values that stand still, noise. */
export const windowAnomalies = ['spike', 'level', 'flat', 'noise'] as const;
export type WindowAnomaly = (typeof windowAnomalies)[number];

/**
 * Windows `[N, L, D]` in standard units, each with an anomaly in one channel that begins at or before the step in the middle and
 * covers it; kinds take turns. Returns new values.
 */
export function plantWindows(
  windows: Float32Array,
  [length, channels]: readonly [steps: number, channels: number],
  rng: Rng,
): { values: Float32Array; kinds: WindowAnomaly[] } {
  const size = length * channels;
  const values = windows.slice();
  const kinds: WindowAnomaly[] = [];
  const middle = stepsBefore(length);
  for (let i = 0; i < values.length / size; i++) {
    const own = rng.split(i);
    const kind = windowAnomalies[i % windowAnomalies.length];
    const channel = own.int(channels);
    const start = middle - own.int(Math.max(1, Math.ceil(length / 8)));
    const [sign, strength] = [own.int(2) === 0 ? -1 : 1, own.uniform()];
    const noise = own.normals(length);
    const at = (t: number) => i * size + t * channels + channel;
    const level = values[at(start)];
    for (let t = kind === 'spike' ? middle : start; t < (kind === 'spike' ? middle + 1 : length); t++) {
      if (kind === 'spike') values[at(t)] += sign * (2 + 3 * strength);
      else if (kind === 'level') values[at(t)] += sign * (1 + strength);
      else if (kind === 'noise') values[at(t)] += (0.5 + strength) * noise[t];
      else values[at(t)] = level;
    }
    kinds.push(kind);
  }
  return { values, kinds };
}
