/** Scores of held-out normal items, by the bytes that are exported. */
import type { Source } from '../../data/pure.ts';
import type { Program } from '../../graph/program.ts';
import { mapSize } from '../../kinds/index.ts';
import type { Runtime, Session } from '../../runtime/runtime.ts';
import { keepExpected } from '../scoring/expected.ts';
import { type ScoreOptions, scoreItems } from '../scoring/stream.ts';

/** Opens a scoring graph: the exported bytes, or the graph itself where a device runs no ONNX files. */
export function openScorer(runtime: Runtime, program: Program, bytes: Uint8Array, profile?: boolean): Promise<Session> {
  return runtime.device === 'reference' ? runtime.compile(program) : runtime.open(bytes, { profile });
}

/** What is known of held-out normal items. */
export interface HeldOutScores {
  readonly scores: Float32Array;
  /** The largest value of each of their maps. */
  readonly peaks: Float32Array;
  /**
   * Actual less expected values `[n, D]` of steps, in the units of the channels; NaN where nothing is expected of a step. Absent of
   * other items, and of detectors that expect nothing.
   */
  readonly errors?: Float64Array;
}

/** Scores the held-out normal items. */
export async function scoreHeldOut(
  session: Session,
  source: Source,
  items: Uint32Array,
  options: Pick<ScoreOptions, 'onEvent' | 'signal' | 'smoothing' | 'feed'>,
): Promise<HeldOutScores> {
  const area = mapSize(source.shape);
  const expected = keepExpected(source, items, session.outputs);
  const peaks = new Float32Array(items.length).fill(Number.NEGATIVE_INFINITY);
  const scores = await scoreItems(session, source, items, {
    ...options,
    task: 'score held-out',
    ...(expected && { onReconstructions: expected.take }),
    onMaps(maps, at, count) {
      for (let k = 0; k < count; k++)
        for (let p = k * area; p < (k + 1) * area; p++) if (maps[p] > peaks[at + k]) peaks[at + k] = maps[p];
    },
  });
  if (!expected) return { scores, peaks };
  const { names, values } = source.channels!;
  const width = names.length;
  const errors = expected.values.map((value, i) => values[items[Math.floor(i / width)] * width + (i % width)] - value);
  return { scores, peaks, errors };
}
