/**
 * An artefact with its weights in fewer bytes, and what that costs: both files score the held-out normals of the run, and its labelled
 * test part or planted defects, and the differences stand in `model.json`. Node only.
 */
import { ConfigError, DataError } from '../core/errors.ts';
import { type Listener, silent } from '../core/events.ts';
import { action, option, say } from '../core/text.ts';
import { type Source, sha256 } from '../data/index.ts';
import { juryOf } from '../engine/judging/trial.ts';
import { type Artifact, EXTERNAL_BYTES, type PrecisionReport, runnableBytes } from '../engine/scoring/artifact.ts';
import { scoreItems } from '../engine/scoring/stream.ts';
import type { Task } from '../engine/task/task.ts';
import { decodeModel } from '../graph/onnx/read.ts';
import { type Precision, precisions, storeWeights } from '../graph/onnx/store-weights.ts';
import { encodeModel } from '../graph/onnx/write.ts';
import { headlineMetrics, measureItems } from '../metrics/index.ts';
import { type Device, openRuntime } from '../runtime/index.ts';
import { closed, opened } from './closing.ts';
import { type RunRecord, readFinishedRun } from './folder.ts';
import { loadRunTask } from './test.ts';

/**
 * What is accepted without being asked for: a loss of AUROC, and a difference of scores as a share of the standard deviation of those
 * of held-out normals. A threshold that moves by a fifth of a standard deviation turns a false-positive rate of 1 % into 0.6 to 1.7 %
 * where scores are normally distributed.
 */
export const MOST_LOSS = 0.005;
export const MOST_OF_DEVIATION = 0.2;
/** Items of each kind that are scored twice. */
const ITEMS = 1000;

/** Options of `withPrecision`. */
export interface PrecisionOptions {
  readonly run: string;
  readonly precision: Precision;
  /** Take the file whatever it costs. */
  readonly acceptLoss?: boolean;
  readonly device?: Device | 'auto';
  readonly dataRoot?: string;
  readonly onEvent?: Listener;
  readonly signal?: AbortSignal;
}

/** Throws ConfigError `precision` for a precision that there is not. */
export function checkPrecision(precision: string): asserts precision is Precision {
  if (precisions.includes(precision as Precision)) return;
  throw new ConfigError('precision', {
    option: 'precision',
    value: precision,
    must: `one of ${precisions.join(', ')}`,
  });
}

/**
 * The artefact of a run in another precision, measured.
 * @throws DataError `precision-loss` where it costs more than is accepted, `precision-useless` where no weight can be stored in fewer
 * bytes, and those of loading the data of the run.
 */
export async function withPrecision(artifact: Artifact, options: PrecisionOptions): Promise<Artifact> {
  const { run, precision, acceptLoss = false } = options;
  const record = await readFinishedRun(run);
  const model = decodeModel(artifact.onnx, { external: artifact.weights });
  const stored = storeWeights(model, precision);
  const metadata = { ...model.metadata, precision };
  const bytes = stored.graph.initializers.reduce((n, { tensor }) => n + tensor.data.byteLength, 0);
  const external = bytes > EXTERNAL_BYTES ? { externalAbove: 1024, externalName: 'weights.bin' } : {};
  const { model: onnx, external: weights } = encodeModel({ ...stored, metadata }, external);
  const sizes = [artifact, { onnx, weights }].map((a) => a.onnx.byteLength + (a.weights?.byteLength ?? 0));
  if (sizes[1] >= sizes[0]) {
    throw new DataError(
      'precision-useless',
      say`${run} has no weights that ${precision} stores in fewer bytes (${sizes[0]} bytes). Leave ${option('precision')} out.`,
    );
  }
  const lowered = { onnx, weights };
  const report = await measured(artifact, lowered, record, options);
  const faults = faultsOf(report);
  if (faults.length > 0 && !acceptLoss) {
    throw new DataError(
      'precision-loss',
      say`${precision} costs ${run} too much: ${faults.join(', and ')}. Nothing was written. Take another precision, or
        take it all the same with ${option('acceptLoss', true)}.`,
    );
  }
  const { weights: _, ...info } = artifact.info;
  return {
    info: {
      ...info,
      precision: { ...report, sizeBytes: sizes[1], sizeBefore: sizes[0] },
      sha256: await sha256(onnx),
      ...(weights && { weights: { file: 'weights.bin', sha256: await sha256(weights) } }),
    },
    onnx,
    ...(weights && { weights }),
  };
}

type Measured = Omit<PrecisionReport, 'sizeBytes' | 'sizeBefore'>;

/** What a precision costs beyond what is accepted, a phrase each; nothing of a figure that the run has no value of. */
export function faultsOf({ before, after, scoreDifference, scoreDeviation }: Measured): string[] {
  const none = scoreDifference > 0 ? Number.POSITIVE_INFINITY : 0;
  const share = scoreDeviation > 0 ? scoreDifference / scoreDeviation : none;
  const losses = headlineMetrics.flatMap(({ name, title }) => {
    const [own, other] = [before[name], after[name]];
    if (own === null) return [];
    if (other === null) return [`${title} was ${own.toFixed(4)} and has no value any more`];
    return own - other > MOST_LOSS
      ? [`${title} falls from ${own.toFixed(4)} to ${other.toFixed(4)}, by more than ${MOST_LOSS}`]
      : [];
  });
  if (!(share > MOST_OF_DEVIATION)) return losses;
  const [most, deviation] = [scoreDifference, scoreDeviation].map((value) => value.toPrecision(3));
  return [
    ...losses,
    `a score of a normal item changes by ${most}, more than ${MOST_OF_DEVIATION} of the standard deviation ${deviation} of these scores`,
  ];
}

/** Both files beside each other. */
async function measured(
  artifact: Artifact,
  lowered: Pick<Artifact, 'onnx' | 'weights'>,
  record: RunRecord,
  { run, precision, device = 'auto', dataRoot, onEvent = silent, signal }: PrecisionOptions,
): Promise<Measured> {
  const { info } = artifact;
  const task = await loadRunTask(run, record, { dataRoot, onEvent, signal });
  const runtime = await opened(openRuntime(device, { threads: record.threads, onEvent }), signal);
  try {
    const [before, after] = [
      await runtime.open(runnableBytes(artifact)),
      await runtime.open(runnableBytes({ ...artifact, ...lowered })),
    ];
    const both = async (source: Source, items: Uint32Array): Promise<[Float32Array, Float32Array]> => {
      const options = { onEvent, signal, smoothing: info.smoothing, task: `score ${precision}` };
      return [await scoreItems(before, source, items, options), await scoreItems(after, source, items, options)];
    };
    const normals = normalsOf(task);
    if (normals.length === 0) {
      throw new DataError(
        'no-normals',
        say`${run} has no normal items that ${precision} could be measured on. ${action('train')} with some held out.`,
      );
    }
    const [exact, near] = await both(task.source, normals);
    const jury = await juryOf(task);
    const chosen = some(Uint32Array.from(jury.items.keys()), task.source);
    const labels = Uint8Array.from(chosen, (k) => jury.labels[k]);
    const scores = await both(
      jury.source,
      chosen.map((k) => jury.items[k]),
    );
    const [own, other] = scores.map((list) => measureItems({ scores: list, labels }, headlineMetrics).values);
    const value = info.threshold.value;
    const isOther = (list: readonly [Float32Array, Float32Array]) => (i: number) =>
      value !== null && list[0][i] >= value !== list[1][i] >= value;
    const decisions = [...exact.keys()].filter(isOther([exact, near])).length;
    return {
      weights: precision,
      device: runtime.device,
      normals: normals.length,
      scoreDifference: exact.reduce((most, v, i) => Math.max(most, Math.abs(v - near[i])), 0),
      // Few items may lie close together by chance; those of folds count too.
      scoreDeviation: Math.max(deviation(exact), deviation(info.normalScores)),
      decisionsChanged: decisions,
      ...{ before: valuesOf(own), after: valuesOf(other) },
      judged: { items: labels.length, on: jury.by === 'labels' ? 'test' : 'planted' },
    };
  } finally {
    await closed(runtime, signal);
    await task.source.close?.();
  }
}

/** Normal items that the detector did not train on: those held out, and those of the test part. */
function normalsOf({ source, split }: Task): Uint32Array {
  const { validation, test, testLabels } = split;
  return some(Uint32Array.from([...validation, ...test.filter((_, k) => testLabels[k] === 0)]).sort(), source);
}

/** As many as are scored, spread over all; of steps and frames the first ones, since neighbours belong together. */
function some(items: Uint32Array, { series }: Source): Uint32Array {
  if (items.length <= ITEMS) return items;
  if (series) return items.slice(0, ITEMS);
  return Uint32Array.from({ length: ITEMS }, (_, i) => items[Math.floor((i * items.length) / ITEMS)]);
}

function deviation(given: ArrayLike<number>): number {
  const values = Array.from(given);
  if (values.length === 0) return 0;
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  return Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length);
}

const valuesOf = (values: Readonly<Record<string, number | null | undefined>>) =>
  Object.fromEntries(headlineMetrics.map(({ name }) => [name, values[name] ?? null]));
