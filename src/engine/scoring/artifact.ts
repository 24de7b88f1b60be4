/**
 * The artefact: `model.onnx`, which any ONNX host runs (preprocessing, map and raw score inside, any batch size), and
 * `model.json` beside it, which says what it is, where its threshold lies and which bytes belong to it.
 */
import type { AlarmRule } from '../../core/alarms.ts';
import { DataError, OddityError } from '../../core/errors.ts';
import type { ItemKind, ItemShape } from '../../core/item-shape.ts';
import type { Tensors } from '../../core/tensor.ts';
import { action, say } from '../../core/text.ts';
import { sha256, type TableEncoding, type ValueRange } from '../../data/pure.ts';
import { emitProgram, opset } from '../../graph/emit.ts';
import type { OnnxModel } from '../../graph/onnx/messages.ts';
import { decodeModel } from '../../graph/onnx/read.ts';
import type { Precision } from '../../graph/onnx/store-weights.ts';
import { encodeModel } from '../../graph/onnx/write.ts';
import { kindOf } from '../../kinds/index.ts';
import type { AnyModel } from '../../models/index.ts';
import { falseAlarmRule, type MapThreshold, type ThresholdReport, withRateInterval } from '../judging/calibrate.ts';
import type { RegionOption, Tiles } from '../task/view-options.ts';
import { scoringProgram } from './graph.ts';
import { type ImageReading, imageReading } from './image-reading.ts';

/** Format of `model.json`. */
export const format = 'oddity-artefact-1';
/** Weights go to a file of their own above this; protobuf ends at 2 GiB. */
export const EXTERNAL_BYTES = 2 ** 30;

/** Values of a map where colours run, cold to hot; contours follow the threshold. */
export interface MapScale {
  readonly low: number;
  readonly threshold: number | null;
  readonly high: number;
}

/** How far values lie from the expected one, in the units of the channel: from expected + lower to expected + upper. */
export interface Margin {
  /** Below 0 unless values lie above the expected one all the time. */
  readonly lower: number;
  readonly upper: number;
}

/** Margins around expected values, from errors of held-out normal steps. */
export interface SeriesMargins {
  /** Share of new normal steps that lies outside, by channel. */
  readonly rate: number;
  /** Held-out steps that they rest on. */
  readonly steps: number;
  /** Why that share is not kept, or null. */
  readonly reason: string | null;
  /** In the order of the channels. */
  readonly channels: readonly Margin[];
}

/** What is known of the series that a detector was trained on. */
export interface SeriesReading {
  /** Milliseconds from a step to the next; absent where steps have no times. */
  readonly step?: number;
  /** How steps become alarms. */
  readonly alarms?: AlarmRule;
  /** Scores of held-out normal steps in their order, stretch by stretch: how many alarms they make follows from these. */
  readonly normals?: readonly (readonly number[])[];
  /** Absent of detectors that expect nothing, and in artefacts written before. */
  readonly margins?: SeriesMargins;
}

/** Weights in fewer bytes than float32, and what that costs: the same items scored by both files. */
export interface PrecisionReport {
  readonly weights: Precision;
  /** Of the ONNX file with its weights, and of that with float32 weights. */
  readonly sizeBytes: number;
  readonly sizeBefore: number;
  /** Where both were run. */
  readonly device: string;
  /** Normal items that both scored and that the detector did not train on. */
  readonly normals: number;
  /** The largest difference between the scores of one of these, and the standard deviation of their scores. */
  readonly scoreDifference: number;
  readonly scoreDeviation: number;
  /** How many of these the threshold puts on another side. */
  readonly decisionsChanged: number;
  /** Headline metrics by name with float32 weights and with these; null where one has no value. */
  readonly before: Readonly<Record<string, number | null>>;
  readonly after: Readonly<Record<string, number | null>>;
  /** What they judge: so many labelled test items, or planted defects where none are labelled. */
  readonly judged: { readonly items: number; readonly on: 'test' | 'planted' };
}

/** `model.json`. */
export interface ArtifactInfo {
  readonly format: string;
  readonly oddity: string;
  readonly model: string;
  readonly title: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly kind: ItemKind;
  readonly shape: ItemShape;
  readonly input: { name: string; layout: string; range: readonly [number, number] | null; preprocessing: string };
  /** How image files become inputs; absent where items are no images, and in artefacts of 0.1. */
  readonly image?: ImageReading;
  /** How raw rows become inputs; absent where items are no rows. */
  readonly table?: TableEncoding;
  /** How series are read; absent for other kinds, and in artefacts written before. */
  readonly series?: SeriesReading;
  /** The graph takes whole images and looks at them in tiles; absent where it does not. */
  readonly tiles?: Tiles;
  /** The graph sees nothing outside of this part; absent where it sees all. */
  readonly region?: RegionOption;
  readonly outputs: readonly string[];
  readonly opset: number;
  readonly data: { name: string; hash: string; licence: string };
  readonly protocol: string;
  readonly class: string;
  /** What is normal, in one sentence. */
  readonly description: string;
  readonly seed: number;
  readonly threshold: ThresholdReport;
  /** Where values of maps stand out; null in artefacts that were written before there was one. */
  readonly mapThreshold: MapThreshold | null;
  /** Steps of the Gaussian by which scores are smoothed along each series or clip, outside of the graph; absent for none. */
  readonly smoothing?: number;
  /** Scores of held-out normal items, ascending: p-values of scores follow from them. */
  readonly normalScores: readonly number[];
  /** Ids of the training items, in the order in which the output `nearest` counts them; absent without one. */
  readonly trainingItems?: readonly string[];
  /** Colours of map images; absent where no maps were drawn. */
  readonly mapScale?: MapScale;
  /** Absent where weights are float32. */
  readonly precision?: PrecisionReport;
  /** sha256 of the ONNX file. */
  readonly sha256: string;
  /** The file with the weights, where they lie outside. */
  readonly weights?: { file: string; sha256: string };
}

/** What is known of an artefact before its bytes are. */
export type ArtifactFacts = { readonly valueRange?: ValueRange } & Omit<
  ArtifactInfo,
  | 'format'
  | 'oddity'
  | 'model'
  | 'title'
  | 'config'
  | 'kind'
  | 'shape'
  | 'input'
  | 'image'
  | 'outputs'
  | 'opset'
  | 'sha256'
  | 'weights'
>;

/** A model's files, in memory. */
export interface Artifact {
  readonly info: ArtifactInfo;
  readonly onnx: Uint8Array;
  readonly weights?: Uint8Array;
}

/** The scoring graph of a trained model as ONNX, without the facts that are only known after scoring with it. */
export function scoringModel(
  model: AnyModel,
  // biome-ignore lint/suspicious/noExplicitAny: each model types its own options.
  config: any,
  shape: ItemShape,
  tensors: Tensors,
): OnnxModel {
  return emitProgram(scoringProgram(model, config, shape, tensors), 'cpu');
}

/**
 * Joins the graph and the facts. The same inputs give the same bytes. The ONNX file holds raw scores only: thresholds
 * stand in `model.json`, where they can be changed. `externalAbove` is for tests.
 */
export async function buildArtifact(
  graph: OnnxModel,
  model: AnyModel,
  config: Readonly<Record<string, unknown>>,
  shape: ItemShape,
  version: string,
  facts: ArtifactFacts,
  externalAbove = EXTERNAL_BYTES,
): Promise<Artifact> {
  const metadata = {
    format,
    oddity: version,
    model: model.name,
    config: JSON.stringify(config),
    shape: JSON.stringify(shape),
    data: facts.data.hash,
  };
  const weightBytes = graph.graph.initializers.reduce((n, i) => n + i.tensor.data.byteLength, 0);
  const encoded = encodeModel(
    { ...graph, producer: 'oddity', producerVersion: version, metadata },
    weightBytes > externalAbove ? { externalAbove: 1024, externalName: 'weights.bin' } : {},
  );
  const { model: onnx, external } = encoded;
  const { valueRange, ...known } = facts;
  const kind = kindOf(shape);
  const info: ArtifactInfo = {
    format,
    oddity: version,
    model: model.name,
    title: model.title,
    config,
    kind: kind.name,
    shape,
    input: {
      ...kind.input,
      preprocessing: facts.table ? 'the columns of "table", then inside the graph' : 'inside the graph',
    },
    ...(kind.name === 'image' && { image: imageReading(valueRange) }),
    outputs: graph.graph.outputs.map((o) => o.name),
    opset,
    ...known,
    sha256: await sha256(onnx),
    ...(external && { weights: { file: 'weights.bin', sha256: await sha256(external) } }),
  };
  return { info, onnx, weights: external };
}

/** Bytes that a runtime opens: the weights of a side file are put back inside. */
export function runnableBytes({ onnx, weights }: Artifact): Uint8Array {
  return weights ? encodeModel(decodeModel(onnx, { external: weights })).model : onnx;
}

/** Refuses what `model.json` cannot hold: by a schema in Node, in a page by the fields that are used. */
type InfoCheck = (value: unknown, refuse: (what: string) => Error) => void;

const checkBriefly: InfoCheck = (value, refuse) => {
  const { shape, threshold, normalScores, outputs, input } = value as Partial<ArtifactInfo>;
  const isList = [shape, normalScores, outputs].every(Array.isArray);
  if (!isList || typeof threshold?.normals !== 'number' || typeof input?.name !== 'string')
    throw refuse('parts of it are missing');
};

/** What a `model.json` says, checked; `path` is for messages. Throws DataError `artefact-corrupt`. */
export function checkInfo(value: unknown, path: string, check: InfoCheck = checkBriefly): ArtifactInfo {
  const refuse = (what: string) =>
    new DataError(
      'artefact-corrupt',
      `${path} must be the description of an artefact (${format}), but ${what}. Export the run again.`,
    );
  const found = (value as { format?: unknown } | null)?.format;
  if (found !== format) throw refuse(typeof found === 'string' ? `its format is ${found}` : 'is another JSON file');
  check(value, refuse);
  const info = value as ArtifactInfo;
  // Oddity 0.1 wrote neither a rule nor a threshold of maps, and no interval of new items.
  const threshold = withRateInterval(info.threshold);
  const rule = falseAlarmRule(threshold.wantedFalseAlarmRate);
  const { mapThreshold = null } = info as Partial<ArtifactInfo>;
  return {
    ...info,
    mapThreshold,
    threshold: { ...threshold, rule: threshold.rule ?? rule, sawTest: threshold.sawTest ?? false },
  } as ArtifactInfo;
}

/**
 * Files that were found beside each other as an artefact, once they belong together. `readWeights` reads the file that
 * holds weights outside, by the name that `info` gives.
 * @throws DataError `missing-artefact` without `info`, `not-an-oddity-artefact` (an ONNX file of another kind) or
 * `artefact-corrupt`.
 */
export async function joinArtifact(
  names: { readonly onnx: string; readonly json: string },
  onnx: Uint8Array,
  info: ArtifactInfo | undefined,
  readWeights: (file: string) => Promise<Uint8Array | undefined>,
): Promise<Artifact> {
  if (!info || (await sha256(onnx)) !== info.sha256) {
    const other = strangeness(onnx);
    if (other) {
      throw new DataError(
        'not-an-oddity-artefact',
        say`${names.onnx} must be a model exported by oddity, found ${other}. Export one with ${action('export')}.`,
      );
    }
    throw info
      ? new DataError(
          'artefact-corrupt',
          `${names.onnx} is damaged: its sha256 is not the one in ${names.json}. Export the run again.`,
        )
      : new DataError(
          'missing-artefact',
          `${names.onnx} must have ${names.json} beside it, which holds its threshold. Export the run again.`,
        );
  }
  if (!info.weights) return { info, onnx };
  const weights = await readWeights(info.weights.file);
  if (!weights || (await sha256(weights)) !== info.weights.sha256) {
    throw new DataError(
      'artefact-corrupt',
      `${info.weights.file} must hold the weights of ${names.onnx}, ${weights ? 'found other bytes' : 'found nothing'}. ` +
        'Export the run again.',
    );
  }
  return { info, onnx, weights };
}

/** True for an ONNX file that oddity exported. */
export function isOwnModel(onnx: Uint8Array): boolean {
  try {
    return decodeModel(onnx).metadata.format === format;
  } catch (error) {
    if (error instanceof OddityError) return false;
    throw error;
  }
}

/** What an ONNX file is when it is not ours; undefined when it is ours, or too damaged to tell. */
function strangeness(onnx: Uint8Array): string | undefined {
  let model: OnnxModel;
  try {
    model = decodeModel(onnx);
  } catch (error) {
    if (error instanceof OddityError && error.code === 'onnx-unsupported') return 'an ONNX file of another kind';
    return undefined;
  }
  if (model.metadata.format === format) return undefined;
  const names = (list: readonly { name: string }[]) => list.map((v) => v.name).join(', ') || 'none';
  const by = [model.producer, model.producerVersion].filter(Boolean).join(' ') || 'an unnamed program';
  return `an ONNX file by ${by} with the inputs ${names(model.graph.inputs)} and the outputs ${names(model.graph.outputs)}`;
}
