/** A quick fit of one model to the training part of a task, and how well it ranks some items. Nothing is kept. */

import { ConfigError } from '../../core/errors.ts';
import { type Listener, silent } from '../../core/events.ts';
import { type ClipShape, isClip, isImage, itemSize } from '../../core/item-shape.ts';
import type { Rng } from '../../core/random.ts';
import { say } from '../../core/text.ts';
import {
  type OutlierKind,
  outlierKinds,
  type PlantedKind,
  plantDefect,
  plantedKinds,
  plantKind,
  plantOutliers,
  plantWindows,
  type Source,
  type TableEncoding,
  valuesSource,
  type WindowAnomaly,
  windowAnomalies,
} from '../../data/pure.ts';
import { encodeModel } from '../../graph/onnx/write.ts';
import { headlineMetrics, type Interval, itemIntervals, type MetricValue, measureItems } from '../../metrics/index.ts';
import type { AnyModel } from '../../models/index.ts';
import type { Runtime } from '../../runtime/index.ts';
import { pretrainedOf } from '../fit.ts';
import { fitModel } from '../fitting/fit.ts';
import type { Platform } from '../platform.ts';
import { scoringModel } from '../scoring/artifact.ts';
import { scoringProgram } from '../scoring/graph.ts';
import { scoreItems } from '../scoring/stream.ts';
import { seenBy } from '../scoring/view.ts';
import { resolveConfig } from '../task/config.ts';
import { checkDiffering } from '../task/differing.ts';
import { asAskedFor, checkKind, smoothingOf } from '../task/suitable.ts';
import type { Task } from '../task/task.ts';
import { trainingPart } from '../task/training-part.ts';
import { openScorer } from './held-out.ts';

/** Items with labels that models are ranked by. */
export interface Jury {
  readonly source: Source;
  readonly items: Uint32Array;
  /** 1 = anomalous, in the order of `items`. */
  readonly labels: Uint8Array;
  /** `labels`: anomalies of the test part. `planted`: made from its normal items. */
  readonly by: 'labels' | 'planted';
  /** What was planted, and how often; absent with labels. */
  readonly planted?: Readonly<Record<string, number>>;
}

/** How one model did. */
export interface Trial {
  /** Headline metrics by name, and their 95 % intervals. */
  readonly metrics: Readonly<Record<string, MetricValue>>;
  readonly intervals: Readonly<Record<string, Interval | null>>;
  readonly fitSeconds: number;
  readonly scoreMsPerItem: number;
}

/** Values of planted items at most: 64 MiB. */
const VALUES = 2 ** 24;

/** The test part of a task where it has anomalies; otherwise its normal items and as many with something planted. */
export async function juryOf({ source, split, rng }: Pick<Task, 'source' | 'split' | 'rng'>): Promise<Jury> {
  const { test, testLabels } = split;
  if (testLabels.includes(1)) return { source, items: test, labels: testLabels, by: 'labels' };
  const { shape } = source;
  const size = itemSize(shape);
  const count = Math.max(1, Math.min(test.length, Math.floor(VALUES / 2 / size)));
  const normal = new Float32Array(count * size);
  await source.read(test.subarray(0, count), normal);
  const made = isImage(shape)
    ? plantImages(normal, shape, rng.split('planted'))
    : isClip(shape)
      ? plantFrames(normal, shape, rng.split('planted'))
      : source.kind === 'series'
        ? plantSteps(normal, shape as readonly [number, number], rng.split('planted'))
        : plantRows(normal, shape[0], source.encoding, rng.split('planted'));
  const values = new Float32Array(2 * normal.length);
  values.set(normal);
  values.set(made.values, normal.length);
  const labels = Uint8Array.from({ length: 2 * count }, (_, i) => (i < count ? 0 : 1));
  const items = Uint32Array.from(labels.keys());
  const planted = await valuesSource({ kind: source.kind, shape, values, labels, name: source.name });
  return { source: planted, items, labels, by: 'planted', planted: made.counts };
}

/** Kinds of defects take turns; one that cannot be seen on an image gives way to the next. */
function plantImages(normal: Float32Array, [channels, height, width]: readonly [number, number, number], rng: Rng) {
  const values = normal.slice();
  const size = channels * height * width;
  const names = Object.keys(plantedKinds) as PlantedKind[];
  const counts: Record<string, number> = {};
  for (let i = 0; i * size < values.length; i++) {
    const sample = { channels, height, width, image: normal.subarray(i * size, (i + 1) * size) };
    let [made, kind]: [Float32Array | undefined, string] = [undefined, 'defect'];
    for (let k = 0; k < names.length && !made; k++) {
      kind = names[(i + k) % names.length];
      made = plantKind(kind as PlantedKind, sample, rng.split(i))?.image;
    }
    if (!made) [made, kind] = [plantDefect(sample, { share: 1 }, rng.split(i)).image, 'defect'];
    values.set(made, i * size);
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return { values, counts };
}

/** The same defect in every frame of a window. */
function plantFrames(normal: Float32Array, [length, channels, height, width]: ClipShape, rng: Rng) {
  const values = normal.slice();
  const size = channels * height * width;
  for (let i = 0; i * size < values.length; i++) {
    const image = normal.subarray(i * size, (i + 1) * size);
    const item = Math.floor(i / length);
    values.set(plantDefect({ channels, height, width, image }, { share: 1 }, rng.split(item)).image, i * size);
  }
  return { values, counts: { defect: values.length / size / length } };
}

function plantSteps(normal: Float32Array, shape: readonly [number, number], rng: Rng) {
  const { values, kinds } = plantWindows(normal, shape, rng);
  const count = (kind: WindowAnomaly) => kinds.filter((k) => k === kind).length;
  return { values, counts: Object.fromEntries(windowAnomalies.map((kind) => [kind, count(kind)])) };
}

function plantRows(normal: Float32Array, width: number, encoding: TableEncoding | undefined, rng: Rng) {
  const columns = encoding?.columns.map((c) => (c.kind === 'numeric' ? 1 : c.values.length)) ?? Array(width).fill(1);
  const { values, kinds } = plantOutliers({ values: normal, width, columns }, rng);
  const [low, high] = encoding?.clip ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const count = (kind: OutlierKind) => kinds.filter((k) => k === kind).length;
  return {
    values: values.map((v) => Math.min(high, Math.max(low, v))),
    counts: Object.fromEntries(outlierKinds.flatMap((kind) => (count(kind) > 0 ? [[kind, count(kind)]] : []))),
  };
}

/** What a quick fit works with. */
export interface TrialOpen {
  readonly runtime: Runtime;
  readonly platform: Pick<Platform, 'loadBackbone'>;
  readonly onEvent?: Listener;
  readonly signal?: AbortSignal;
}

/** A model, its options, and what it learns from. */
export interface TrialOf {
  readonly task: Pick<Task, 'source' | 'split' | 'rng'>;
  readonly config?: Readonly<Record<string, unknown>>;
}

/** Fits and scores a model. Throws as fitting does, ConfigError where the model does not suit the data, Cancelled. */
export async function tryModel(
  model: AnyModel,
  { task, jury, config }: TrialOf & { readonly jury: Jury },
  open: TrialOpen,
): Promise<Trial> {
  const { scores, fitSeconds, scoreMsPerItem } = await quickScores(model, { task, config }, jury, open);
  const judged = { scores, labels: jury.labels };
  return {
    metrics: measureItems(judged, headlineMetrics).values,
    intervals: itemIntervals(judged, { seed: 1, rounds: 400 }, headlineMetrics),
    fitSeconds,
    scoreMsPerItem,
  };
}

/** Scores of some items, larger = more anomalous, by a model that is fitted to the training part for them. Throws as `tryModel`. */
export async function quickScores(
  model: AnyModel,
  { task, config: given }: TrialOf,
  jury: Pick<Jury, 'source' | 'items'>,
  { runtime, platform, onEvent = silent, signal }: TrialOpen,
): Promise<{ readonly scores: Float32Array } & Pick<Trial, 'fitSeconds' | 'scoreMsPerItem'>> {
  const begin = performance.now();
  checkKind(model, task.source);
  // What was planted was planted in windows of one length.
  const seesAll = jury.source === task.source;
  const early = resolveConfig(model, { config: given });
  const source = seesAll ? await asAskedFor(model, early, task.source) : task.source;
  const part = await trainingPart(model, { source, split: task.split });
  const { shape } = part.source;
  const config = resolveConfig(model, { config: given }, { shape, count: part.train.length }) as Record<
    string,
    unknown
  >;
  const problem = model.unsuitable?.(config, shape);
  if (problem) throw new ConfigError('unsuitable', say`${model.name} and ${task.source.name}: ${problem}`);
  await checkDiffering(model, part);
  const pretrained = await pretrainedOf(model, config, platform, { onEvent, signal });
  const save = async () => {};
  const { rng } = task;
  const { tensors } = await fitModel({ model, config, ...part, rng, runtime, pretrained, onEvent, signal, save });
  const fitSeconds = (performance.now() - begin) / 1000;
  const own = source.shape;
  const seen = seenBy(model, {}, own);
  const program = scoringProgram(seen, config, own, tensors);
  const session = await openScorer(runtime, program, encodeModel(scoringModel(seen, config, own, tensors)).model);
  try {
    const scoring = performance.now();
    const scores = await scoreItems(session, seesAll ? source : jury.source, jury.items, {
      onEvent,
      signal,
      task: `score by ${model.name}`,
      smoothing: smoothingOf(model, config, source),
    });
    return { scores, fitSeconds, scoreMsPerItem: (performance.now() - scoring) / jury.items.length };
  } finally {
    session.close().catch(() => {}); // who cancels does not wait
  }
}
