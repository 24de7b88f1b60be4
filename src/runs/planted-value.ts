/** How well a finished run notices what is planted into its held-out normals: a value to choose by that needs no test part. Node only. */
import { DataError } from '../core/errors.ts';
import { type Listener, silent } from '../core/events.ts';
import { option, say } from '../core/text.ts';
import { type Jury, juryOf } from '../engine/judging/trial.ts';
import { runnableBytes } from '../engine/scoring/artifact.ts';
import { scoreItems } from '../engine/scoring/stream.ts';
import type { Task } from '../engine/task/task.ts';
import { headlineMetrics, type Interval, itemIntervals, measureItems } from '../metrics/index.ts';
import type { Device } from '../runtime/index.ts';
import { openRuntime } from '../runtime/index.ts';
import { readArtifact } from './artifact.ts';
import { closed, opened } from './closing.ts';
import { readFinishedRun } from './folder.ts';
import { loadRunTask } from './test.ts';

/** The first headline metric on planted items, and what it was measured on. */
export interface PlantedValue {
  readonly value: number;
  /** 95 %, over the items. */
  readonly interval: Interval | null;
  /** Held-out normals, and items that were made of them. */
  readonly normals: number;
  readonly anomalies: number;
  /** What was planted, and how often. */
  readonly planted: Readonly<Record<string, number>>;
}

/** So many items are planted at least, where there are fewer normals: into each several times. */
const PLANTED = 64;
const MOST_ROUNDS = 8;

/**
 * Plants into the normals that a run held out, and scores them with its detector. The same run always gives the same.
 * @throws DataError `no-held-out` for a run without, `data-changed`, and as the opening of a run; Cancelled.
 */
export async function plantedValue(options: {
  readonly run: string;
  readonly data?: string;
  readonly device?: Device | 'auto';
  readonly dataRoot?: string;
  readonly onEvent?: Listener;
  readonly signal?: AbortSignal;
}): Promise<PlantedValue> {
  const { run, data, device = 'auto', dataRoot, onEvent = silent, signal } = options;
  const record = await readFinishedRun(run);
  const { info, ...artifact } = await readArtifact(run);
  const task = await loadRunTask(run, record, { data, dataRoot, signal });
  try {
    const juries = await plantedJuries(task);
    const runtime = await opened(openRuntime(device, { threads: record.threads }), signal);
    try {
      const session = await runtime.open(runnableBytes({ info, ...artifact }));
      const scores: number[] = [];
      const labels: number[] = [];
      const planted: Record<string, number> = {};
      for (const [round, jury] of juries.entries()) {
        const { smoothing } = info;
        const all = await scoreItems(session, jury.source, jury.items, {
          onEvent,
          signal,
          smoothing,
          task: 'score planted',
        });
        for (const [i, label] of jury.labels.entries()) {
          if (round > 0 && label === 0) continue; // the same normals
          scores.push(all[i]);
          labels.push(label);
        }
        for (const [kind, n] of Object.entries(jury.planted ?? {})) planted[kind] = (planted[kind] ?? 0) + n;
      }
      return { ...choiceValue(Float32Array.from(scores), Uint8Array.from(labels)), planted };
    } finally {
      await closed(runtime, signal);
    }
  } finally {
    await task.source.close?.();
  }
}

/** Held-out normals beside the same with something planted, drawn anew in each round. */
async function plantedJuries({ source, split, rng }: Task): Promise<Jury[]> {
  const { validation } = split;
  if (validation.length === 0) {
    throw new DataError(
      'no-held-out',
      say`${source.name} has no held-out normals to plant into, by which options are chosen. Hold some out with
        ${option('validationFraction', 0.2)}, or choose by labelled items.`,
    );
  }
  const rounds = Math.min(MOST_ROUNDS, Math.ceil(PLANTED / validation.length));
  const held = { ...split, test: validation, testLabels: new Uint8Array(validation.length) };
  const juries: Jury[] = [];
  for (let round = 0; round < rounds; round++) {
    juries.push(await juryOf({ source, split: held, rng: rng.split('choice').split(round) }));
  }
  return juries;
}

/** The first headline metric of some items with its interval. Throws DataError `no-value` where it is undefined. */
export function choiceValue(
  scores: ArrayLike<number>,
  labels: Uint8Array,
): Pick<PlantedValue, 'value' | 'interval' | 'normals' | 'anomalies'> {
  const [metric] = headlineMetrics;
  const judged = { scores: Float64Array.from(scores), labels };
  const value = measureItems(judged, [metric]).values[metric.name];
  const anomalies = labels.reduce((n, label) => n + label, 0);
  const normals = labels.length - anomalies;
  if (typeof value !== 'number') {
    throw new DataError(
      'no-value',
      `Options are chosen by the ${metric.title} of normal and anomalous items, but there are ${normals} normal and ${anomalies} anomalous ones, or scores that are no numbers.`,
    );
  }
  const interval = itemIntervals(judged, { seed: 1, rounds: 400 }, [metric])[metric.name] ?? null;
  return { value, interval, normals, anomalies };
}
