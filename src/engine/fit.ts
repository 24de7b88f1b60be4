/** From data to a detector without a disk: the same steps as a run, in Node and in a page. */
import { Cancelled, ConfigError, DataError } from '../core/errors.ts';
import { type Listener, silent } from '../core/events.ts';
import { Rng } from '../core/random.ts';
import type { Tensors } from '../core/tensor.ts';
import { say } from '../core/text.ts';
import { holdEndsOut, type Scaling, type Source, type ValueRange } from '../data/pure.ts';
import { encodeModel } from '../graph/onnx/write.ts';
import type { AnyModel } from '../models/index.ts';
import type { Device, Runtime } from '../runtime/runtime.ts';
import { fitModel } from './fitting/fit.ts';
import { SharedFeatures } from './fitting/shared-features.ts';
import { calibrate, calibrateMaps } from './judging/calibrate.ts';
import { checkScores } from './judging/check-scores.ts';
import { checkFolds, foldsFor, joined, scoreFolds } from './judging/folds.ts';
import { openScorer, scoreHeldOut } from './judging/held-out.ts';
import { marginsOf } from './judging/margins.ts';
import type { Platform } from './platform.ts';
import { seriesReading } from './scoring/alarms.ts';
import { buildArtifact, scoringModel } from './scoring/artifact.ts';
import { type Detector, openDetector } from './scoring/detector.ts';
import { scoringProgram } from './scoring/graph.ts';
import { seenBy } from './scoring/view.ts';
import { resolveConfig } from './task/config.ts';
import { checkDiffering } from './task/differing.ts';
import { type FitInput, sourceOf } from './task/source-of.ts';
import { asAskedFor, checkKind, scalingOf, smoothingOf } from './task/suitable.ts';
import { asTrainedOn } from './task/training-part.ts';

export interface FitDetectorOptions {
  /** One of the model's named sets of options. */
  preset?: string;
  /** Options of the model. */
  config?: Readonly<Record<string, unknown>>;
  /** Decides which items are held out, the initial values, the order of batches and every draw; default 1. */
  seed?: number;
  /** Wanted share of normal items above the threshold, (0, 1); default 0.01. */
  falseAlarmRate?: number;
  /** Share of the normal items that is held out for the threshold, [0, 0.9]; default 0.1. */
  validationFraction?: number;
  /**
   * Where few normals are held out, this many further detectors score the others, each fitted without those that it scores;
   * 0 for none. Default: up to 10 for models that are fitted quickly.
   */
  folds?: number;
  /** Height and width to which images are brought; default what suits the model, else those of the first image. */
  size?: readonly [number, number];
  /** 1 = anomalous, an item each; for models that learn from labelled anomalies. All are normal unless given. */
  labels?: ArrayLike<number>;
  /** What is done to the numbers of a table; default `standard` for models that learn in one pass, else `min-max`. */
  scaling?: Scaling;
  /** The values of images with more than 8 bits that become 0 and 1; default what the images use. */
  valueRange?: ValueRange;
  /** Default `auto`. */
  device?: Device | 'auto';
  /** Threads inside one operator; default all cores. */
  threads?: number;
  onEvent?: Listener;
  /** Stops within a second. */
  signal?: AbortSignal;
}

/** Fits a model to data and opens the result. Throws as `fit`. */
export async function fitDetector(
  model: AnyModel,
  data: FitInput,
  platform: Platform,
  options: FitDetectorOptions,
): Promise<Detector> {
  const { seed = 1, falseAlarmRate = 0.01, validationFraction = 0.1, onEvent = silent, signal } = options;
  const wanted = resolveConfig(model, options); // before anything is read
  calibrate([], falseAlarmRate); // throws for a rate that cannot be
  if (!(validationFraction >= 0 && validationFraction <= 0.9)) {
    throw new ConfigError('validation-fraction', {
      option: 'validationFraction',
      value: validationFraction,
      must: 'a number from 0 to 0.9',
    });
  }
  checkFolds(options.folds);
  const size = options.size ?? model.imageSize;
  const { labels: given, valueRange } = options;
  const read = await sourceOf(data, platform, { size, labels: given, valueRange, onEvent, signal });
  checkKind(model, read);
  const loaded = await asAskedFor(model, wanted, read);
  const rng = new Rng(seed);
  const { train, labels, heldOut } = holdOut(loaded, model, validationFraction, rng);
  const scaling = options.scaling ?? (loaded.kind === 'table' ? scalingOf(model) : undefined);
  const source = (await loaded.prepare?.(train, { scaling, valueRange, onEvent })) ?? loaded;
  const trained = asTrainedOn(model, source);
  const { shape } = trained;
  const config = resolveConfig(model, options, { shape, count: train.length });
  const problem = model.unsuitable?.(config, shape);
  if (problem) throw new ConfigError('unsuitable', say`${model.name} and ${source.name}: ${problem}`);
  await checkDiffering(model, { source: trained, train });
  const pretrained = await pretrainedOf(model, config, platform, { onEvent, signal });
  const runtime = await platform.openRuntime(options.device ?? 'auto', { threads: options.threads, onEvent });
  try {
    if (signal?.aborted) throw new Cancelled();
    const part = { source: trained, train, labels, heldOut };
    const save = async () => {};
    const features = SharedFeatures.of(model, config, { ...part, pretrained, runtime, signal });
    const made = { model, config, rng, pretrained, features };
    const { tensors } = await fitModel({ ...made, ...part, runtime, onEvent, signal, save });
    const artifact = await calibrated(
      {
        ...made,
        ...{ source, train, labels, tensors, heldOut, falseAlarmRate, seed },
        folds: options.folds,
      },
      runtime,
      platform,
      { onEvent, signal },
    );
    return await openDetector(artifact, runtime, platform);
  } catch (error) {
    await runtime.close();
    throw error;
  }
}

/** The tensors of the backbone that the model's options name, in the group `backbone`. */
export async function pretrainedOf(
  model: AnyModel,
  config: unknown,
  platform: Pick<Platform, 'loadBackbone'>,
  options: { onEvent: Listener; signal?: AbortSignal },
): Promise<Tensors | undefined> {
  const choice = model.backbone?.(config);
  if (!choice) return undefined;
  const weights = await platform.loadBackbone(choice, options);
  return Object.fromEntries(Object.entries(weights).map(([name, tensor]) => [`backbone.${name}`, tensor]));
}

/** Which items train and which normal ones are held out for the threshold, by the seed. */
function holdOut(source: Source, model: AnyModel, fraction: number, rng: Rng) {
  const { items, normalClass } = source;
  if (source.series) return holdOutSteps(source, fraction);
  const isNormal = (i: number) => normalClass === undefined || items[i].class === normalClass;
  const own = [...items.keys()].filter((i) => items[i].part === 'train');
  const normal = rng.split('validation').shuffle(Uint32Array.from(own.filter(isNormal)));
  const anomalous = model.learning === 'supervised' ? own.filter((i) => !isNormal(i)) : [];
  if (model.learning === 'supervised' && anomalous.length === 0) {
    throw new ConfigError('no-labels', `${model.name} needs labelled anomalies, but there are none. Label some.`);
  }
  if (normal.length === 0) throw new DataError('no-normal', `${source.name} has no normal items to learn from.`);
  const count = normal.length > 1 ? Math.min(normal.length - 1, Math.round(fraction * normal.length)) : 0;
  const heldOut = normal.slice(0, count).sort();
  const train = Uint32Array.from([...normal.slice(count), ...anomalous]).sort();
  return { train, heldOut, labels: Uint8Array.from(train, (i) => (isNormal(i) ? 0 : 1)) };
}

/** Of series the ends are held out. */
function holdOutSteps(source: Source, fraction: number) {
  const { normals, validation } = holdEndsOut(source, fraction, 'prefix');
  if (normals.length === 0) throw new DataError('no-normal', `${source.name} has no normal steps to learn from.`);
  const train = Uint32Array.from(normals);
  return { train, heldOut: Uint32Array.from(validation), labels: new Uint8Array(train.length) };
}

/** Scores the held-out normals with the very bytes that are kept, and joins them with their thresholds. */
async function calibrated(
  fitted: {
    model: AnyModel;
    config: Record<string, unknown>;
    source: Source;
    tensors: Tensors;
    heldOut: Uint32Array;
    train: Uint32Array;
    labels: Uint8Array;
    falseAlarmRate: number;
    seed: number;
    rng: Rng;
    pretrained?: Tensors;
    features?: SharedFeatures;
    folds?: number;
  },
  runtime: Runtime,
  platform: Platform,
  options: { onEvent: Listener; signal?: AbortSignal },
) {
  const { config, source, tensors, heldOut, train, labels, falseAlarmRate, seed } = fitted;
  const model = seenBy(fitted.model, {}, source.shape);
  const program = scoringProgram(model, config, source.shape, tensors);
  const graph = scoringModel(model, config, source.shape, tensors);
  const session = await openScorer(runtime, program, encodeModel(graph).model);
  try {
    const smoothing = smoothingOf(model, config, source);
    const own = await scoreHeldOut(session, source, heldOut, { ...options, smoothing });
    const normals = train.filter((_, i) => labels[i] === 0);
    const window = source.series?.window;
    const counts = { normals: normals.length, heldOut: heldOut.length, wanted: fitted.folds, window };
    const folds = foldsFor(model, config, counts);
    const partWithout = async (left: ReadonlySet<number>) => {
      const rest = train.filter((item) => !left.has(item));
      const prepared = { scaling: source.encoding?.scaling, onEvent: silent };
      const whole = (await source.prepare?.(rest, prepared)) ?? source;
      return {
        source: asTrainedOn(fitted.model, whole),
        whole,
        train: rest,
        labels: labels.filter((_, i) => !left.has(train[i])),
        heldOut,
      };
    };
    const found =
      folds > 0 ? await scoreFolds({ ...fitted, ...options, folds, window, normals, partWithout, runtime }) : undefined;
    const [scores, peaks] = [joined(own.scores, found?.scores), joined(own.peaks, found?.peaks)];
    const probed = heldOut.length > 0 ? heldOut : train;
    const remark = await checkScores(
      scores,
      { model, session, source, items: probed, own: own.scores },
      options.onEvent,
    );
    const threshold = calibrate(scores, falseAlarmRate, { folds: found && folds });
    const errors = [...(own.errors ? [own.errors] : []), ...(found?.errors ?? [])];
    const margins = marginsOf(errors, source.shape[1], falseAlarmRate);
    const normalClass = source.classes[source.normalClass ?? 0];
    return await buildArtifact(graph, model, config, source.shape, platform.version, {
      data: { name: source.name, hash: source.hash, licence: source.licence },
      protocol: 'fit',
      class: normalClass,
      description: `Fitted to ${train.length} items, ${heldOut.length} normal ones held out for the threshold.`,
      seed,
      threshold: remark ? { ...threshold, reason: [threshold.reason, remark].filter(Boolean).join(' ') } : threshold,
      mapThreshold: calibrateMaps(peaks, falseAlarmRate),
      normalScores: [...scores].sort((a, b) => a - b),
      ...(smoothing !== undefined && { smoothing }),
      ...(source.encoding && { table: source.encoding }),
      ...(source.series && { series: { ...seriesReading(source.series), ...(margins && { margins }) } }),
      ...(source.valueRange && { valueRange: source.valueRange }),
      ...(session.outputs.includes('nearest') && { trainingItems: Array.from(train, (i) => source.items[i].id) }),
    });
  } finally {
    await session.close();
  }
}
