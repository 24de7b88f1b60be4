/** Scores of held-out normal items, by the bytes that are exported. */
import type { Listener } from '../../core/events.ts';
import type { Source } from '../../data/pure.ts';
import type { Program } from '../../graph/program.ts';
import { mapSize } from '../../kinds/index.ts';
import type { Runtime, Session } from '../../runtime/runtime.ts';
import { scoreItems } from '../scoring/stream.ts';

/** Opens a scoring graph: the exported bytes, or the graph itself where a device runs no ONNX files. */
export function openScorer(runtime: Runtime, program: Program, bytes: Uint8Array, profile?: boolean): Promise<Session> {
  return runtime.device === 'reference' ? runtime.compile(program) : runtime.open(bytes, { profile });
}

/** Scores of the held-out normal items, and the largest value of each of their maps. */
export async function scoreHeldOut(
  session: Session,
  source: Source,
  items: Uint32Array,
  options: { onEvent?: Listener; signal?: AbortSignal; smoothing?: number },
): Promise<{ scores: Float32Array; peaks: Float32Array }> {
  const area = mapSize(source.shape);
  const peaks = new Float32Array(items.length).fill(Number.NEGATIVE_INFINITY);
  const scores = await scoreItems(session, source, items, {
    ...options,
    task: 'score held-out',
    onMaps(maps, at, count) {
      for (let k = 0; k < count; k++)
        for (let p = k * area; p < (k + 1) * area; p++) if (maps[p] > peaks[at + k]) peaks[at + k] = maps[p];
    },
  });
  return { scores, peaks };
}
