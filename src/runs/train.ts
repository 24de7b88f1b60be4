/** Trains a model on a data set, judges it on the test part and leaves a run's folder with everything that was made. */
import { join, resolve } from 'node:path';
import { Cancelled, ConfigError, DataError, unknownName } from '../core/errors.ts';
import { type Listener, silent } from '../core/events.ts';
import { isImage } from '../core/item-shape.ts';
import type { Tensors } from '../core/tensor.ts';
import { option, say } from '../core/text.ts';
import {
  type AugmentOptions,
  type ColumnKind,
  dataPath,
  dataRoot,
  findDataset,
  type ImageOptions,
  readTextures,
  type Scaling,
  type Source,
  type TrainingChanges,
} from '../data/index.ts';
import { pretrainedOf } from '../engine/fit.ts';
import { orAbort } from '../engine/fitting/cancel.ts';
import type { FitResult, FitState, Former } from '../engine/fitting/contract.ts';
import { fitModel, stepTrial } from '../engine/fitting/fit.ts';
import { halve, mapStatistics } from '../engine/fitting/map-statistics.ts';
import { calibrate, calibrateMaps, withTest } from '../engine/judging/calibrate.ts';
import { openScorer, scoreHeldOut } from '../engine/judging/held-out.ts';
import { judge, judgeBaselines } from '../engine/judging/judge.ts';
import type { RunReport } from '../engine/judging/report-types.ts';
import { buildArtifact, scoringModel } from '../engine/scoring/artifact.ts';
import { scoringProgram } from '../engine/scoring/graph.ts';
import {
  checkMapNormalization,
  hasMapStatistics,
  type MapNormalization,
  mapNormalizations,
} from '../engine/scoring/map-normalization.ts';
import { seenBy } from '../engine/scoring/view.ts';
import { resolveConfig } from '../engine/task/config.ts';
import { checkDiffering } from '../engine/task/differing.ts';
import { checkAugmented, checkKind, checkLabels, checkUnlabelled } from '../engine/task/suitable.ts';
import type { Task } from '../engine/task/task.ts';
import { type TrainingPart, trainingPart } from '../engine/task/training-part.ts';
import { checkTiles, type RegionOption, type Tiles } from '../engine/task/view-options.ts';
import { check } from '../graph/check.ts';
import { emitProgram } from '../graph/emit.ts';
import { encodeModel } from '../graph/onnx/write.ts';
import type { Program } from '../graph/program.ts';
import { describe, topological } from '../graph/value.ts';
import { type Metric, withOwnMetrics } from '../metrics/index.ts';
import { type AnyModel, findModel } from '../models/index.ts';
import type { Device, Runtime } from '../runtime/index.ts';
import { writeArtifact } from './artifact.ts';
import { type CheckpointOrigin, checkCheckpoint, readCheckpoint, writeCheckpoint } from './checkpoint.ts';
import { checkDevice, openDevice } from './device.ts';
import { chooseExamples, drawMaps, findMapScale } from './example-maps.ts';
import { makeFolder, writeAtomic, writeJson } from './files.ts';
import { RunFolder, type RunRecord, stored } from './folder.ts';
import { checkTask, loadTask } from './load-task.ts';
import { nodePlatform } from './platform.ts';
import { reportOf } from './report.ts';
import { readReport } from './report-file.ts';
import { writeReportPage } from './report-page.ts';
import { predictionsCsv } from './test-scores.ts';
import { oddityVersion, versionsOf } from './versions.ts';

export interface TrainOptions extends ImageOptions {
  /** Name of a model, such as `autoencoder`. */
  model: string;
  /** Name of a data set, such as `mnist`, or path of a folder of images, a CSV file that lists them or one of rows. */
  data: string;
  /** What is normal and what is not; default `folder` for image files, `one-class` for data sets of classes. */
  protocol?: string;
  /** Name or number of the class that the protocol is about; image files need none. */
  class?: string | number;
  /** Share of the anomalies for training whose labels are used, under `labelled` and `imbalance`; default 1. */
  labelledFraction?: number;
  /**
   * Share of the training part that is made of anomalies which pass for normal, [0, 0.5]; default 0. Thresholds stay
   * clean: held-out items are normal. Refused by models that learn from labels or classes.
   */
  contamination?: number;
  /** Train on at most so many normal items, drawn by the seed. */
  trainLimit?: number;
  /** Test on at most so many items, drawn by the seed with the share of anomalies kept; for slow models. */
  testLimit?: number;
  /** Classes of anomalies that training must not see, under the protocol `imbalance`; default half, by the seed. */
  heldOut?: readonly (string | number)[];
  /** Accept the licence of a data set that asks for it. */
  acceptLicence?: boolean;
  /** What columns of a CSV file of rows are, by name; the others follow from their cells. */
  columns?: Readonly<Record<string, ColumnKind>>;
  /** What is done to the numbers of a table; default `min-max`, by the training part. */
  scaling?: Scaling;
  /** One of the model's named sets of options; default the one for the data set, where the model has one. */
  preset?: string;
  /** Options of the model. */
  config?: Record<string, unknown>;
  /** Decides the split, the initial values, the order of the batches and every draw; default 1. */
  seed?: number;
  /** Default `auto`. */
  device?: Device | 'auto';
  /** The run's folder; default `runs/<model>-<data>-<class>-<yyyymmdd-hhmmss>`. */
  out?: string;
  /** Where data sets lie; default `ODDITY_DATA`, else the user's cache. */
  dataRoot?: string;
  /** Fetch data that is not on this machine; default true. */
  download?: boolean;
  /** Wanted share of normal items above the threshold; default 0.01. */
  falseAlarmRate?: number;
  /** Share of the normal training items that is held out for the threshold; default 0.1. */
  validationFraction?: number;
  /**
   * `zscore` gives maps in deviations from each pixel's mean on held-out normals, half of which are used up by it: the
   * threshold comes from the other half. Default `none`.
   */
  mapNormalization?: MapNormalization;
  /** What happens to each training image at random; models that train by gradient only, and never while scoring. */
  augment?: AugmentOptions;
  /** Train on tiles of the images, and score whole images tile by tile: for images that are larger than what matters. */
  tiles?: Tiles;
  /** The part of the images that counts: a rectangle, or the path of an image file that is white inside. */
  region?: RegionOption;
  /** Normal images to add to the training part after the split, as paths, and training items to take out, as ids. */
  changes?: TrainingChanges;
  /** Go on with the run in `out` that was cancelled or cut. */
  resume?: boolean;
  /** Replace the run in `out`. */
  overwrite?: boolean;
  /** 1 timings, 2 and graphs as text, 3 and ONNX files, in the run's `debug` folder. */
  debug?: 0 | 1 | 2 | 3;
  /** Collect time by operator. */
  profile?: boolean;
  /** Threads inside one operator; default all cores. */
  threads?: number;
  /** Your own metrics, beside the others; see `defineMetric`. */
  metrics?: readonly Metric[];
  /** How many example maps to write; default 8. */
  maps?: number;
  onEvent?: Listener;
  /** Stops the run within a second and leaves a checkpoint. */
  signal?: AbortSignal;
}

/** Everything that is known before data is loaded. */
interface Plan {
  readonly model: AnyModel;
  /** Checked before the data is loaded; once it is, defaults may follow from it. */
  // biome-ignore lint/suspicious/noExplicitAny: each model types its own options.
  readonly config: any;
  /** Name of the data set, or absolute path. */
  readonly data: string;
  readonly protocol: string;
  readonly seed: number;
  readonly falseAlarmRate: number;
  /** Undefined for none. */
  readonly mapNormalization?: MapNormalization;
  readonly augment?: AugmentOptions;
  readonly tiles?: Tiles;
  readonly region?: RegionOption;
  readonly maps: number;
  readonly folder: string;
}

/**
 * Trains, judges and exports.
 * @throws ConfigError for names and options; DataError for data, checkpoints and disks; TrainingDiverged; Cancelled
 * once `signal` aborts, with a checkpoint left to resume from.
 * @example const report = await train({ model: 'autoencoder', data: 'mnist', class: 1 });
 */
export function train(given: TrainOptions): Promise<RunReport> {
  return trainFrom(given);
}

/** `train`, from what was learnt before the training items changed. */
export async function trainFrom(given: TrainOptions, former?: Former): Promise<RunReport> {
  const begin = performance.now();
  const options = withPreset(given);
  withOwnMetrics(options.metrics); // refused before anything is made
  const plan = planOf(options);
  const folder = await RunFolder.open(plan.folder, options);
  try {
    if (folder.earlier?.status === 'done') {
      const report = await readReport(folder.path);
      if (report) {
        await folder.end('done');
        options.onEvent?.({
          type: 'log',
          level: 'info',
          message: `${plan.folder} is already finished; there is nothing to resume.`,
        });
        return report;
      }
    }
    const report = await trainIn(folder, plan, options, begin, former);
    await folder.end('done');
    return report;
  } catch (error) {
    await folder.end(error instanceof Cancelled ? 'cancelled' : 'failed', stored(error));
    throw error;
  }
}

/** The same options, with the model's preset for the data set where none is named. */
function withPreset(options: TrainOptions): TrainOptions {
  const { presets } = findModel(options.model);
  if (options.preset !== undefined) return options;
  const { preset, name } = findDataset(options.data);
  if (preset === undefined || !(preset in presets)) return options;
  const message = `${options.model} has a preset for ${name}: ${preset}. Options that are set win over it.`;
  options.onEvent?.({ type: 'log', level: 'info', message });
  return { ...options, preset };
}

function planOf(options: TrainOptions): Plan {
  const { seed = 1, falseAlarmRate = 0.01, maps = 8, device = 'auto', resume, out } = options;
  const model = findModel(options.model);
  const config = resolveConfig(model, options);
  const { dataset, protocol } = checkTask({ ...options, seed });
  const data = dataPath(options.data) ?? options.data;
  checkDevice(device);
  const { mapNormalization = 'none' } = options;
  if (!mapNormalizations.includes(mapNormalization)) {
    throw unknownName('map normalization', mapNormalization, mapNormalizations, 'mapNormalization');
  }
  checkMapNormalization(mapNormalization, model);
  const { augment, tiles, region } = options;
  if (augment) checkAugmented(model, augment);
  if (tiles && mapNormalization !== 'none') {
    throw new ConfigError(
      'map-normalization',
      say`Z-scores need a score that follows from the whole map, but with tiles the score is the largest of any tile.
        Leave ${option('mapNormalization')} or ${option('tiles')} out.`,
    );
  }
  calibrate([], falseAlarmRate); // throws for a rate that cannot be
  const whole = (name: 'seed' | 'maps', value: number) => {
    if (Number.isSafeInteger(value) && value >= 0) return;
    throw new ConfigError(`bad-${name}`, { option: name, value, must: 'an integer of at least 0' });
  };
  whole('seed', seed);
  whole('maps', maps);
  if (resume && out === undefined)
    throw new ConfigError('resume-where', say`Resuming needs the folder of the run. Name it with ${option('out')}.`);
  const now = new Date();
  const stamp = [
    now.getFullYear(),
    now.getMonth() + 1,
    now.getDate(),
    now.getHours(),
    now.getMinutes(),
    now.getSeconds(),
  ]
    .map((n) => String(n).padStart(2, '0'))
    .join('')
    .replace(/^(\d{8})/, '$1-');
  const label = options.class === undefined ? '' : `-${String(options.class).replace(/[^A-Za-z0-9]+/g, '_')}`;
  const about = dataset.name.replace(/[^\p{L}\p{N}.-]+/gu, '_');
  const folder = out ?? join('runs', `${model.name}-${about}${label}-${stamp}`);
  return {
    model,
    config,
    data,
    protocol: protocol.name,
    seed,
    falseAlarmRate,
    ...(mapNormalization !== 'none' && { mapNormalization }),
    ...(augment && { augment }),
    ...(tiles && { tiles }),
    ...(region && { region: typeof region === 'string' ? resolve(region) : region }),
    maps,
    folder,
  };
}

async function trainIn(
  folder: RunFolder,
  early: Plan,
  options: TrainOptions,
  begin: number,
  former?: Former,
): Promise<RunReport> {
  const { model, data, protocol, seed } = early;
  const onEvent = folder.listener(options.onEvent ?? silent);
  const { signal } = options;
  const platform = nodePlatform({ root: options.dataRoot, download: options.download });
  const pretrained = await pretrainedOf(model, early.config, platform, { onEvent, signal });
  const size = options.size ?? (findDataset(data).isOfFiles ? model.imageSize : undefined);
  const task = await loadTask({ ...options, size, data, protocol, seed, region: early.region, onEvent });
  try {
    checkKind(model, task.source);
    const { tiles, augment, region } = early;
    if (augment && task.source.kind !== 'image') {
      throw new ConfigError(
        'augment',
        say`Augmentation applies to images only, but ${task.source.name} has none. Leave ${option('augment')} out.`,
      );
    }
    if (tiles) checkTiles(tiles, model, task.source.shape);
    const part = await trainingPart(model, task, tiles);
    const { shape } = part.source;
    const plan = { ...early, config: resolveConfig(model, options, { shape, count: part.train.length }) };
    const { config } = plan;
    const problem = model.unsuitable?.(config, shape);
    if (problem) throw new ConfigError('unsuitable', `${model.name} and ${options.data}: ${problem}`);
    await checkDiffering(model, part);
    if (former) checkFormer(former, part);
    if (model.learning === 'supervised') checkLabels(model, task, onEvent);
    if (task.split.contaminants.length > 0) checkUnlabelled(model, config, task);
    if (signal?.aborted) throw new Cancelled();
    const origin: CheckpointOrigin = {
      model,
      config,
      shape: task.source.shape,
      seed,
      dataHash: task.source.hash,
      splitHash: task.splitHash,
    };
    if (folder.earlier) checkEarlier(folder.path, folder.earlier, options, plan);
    const from = options.resume ? await stateToResume(folder, origin, onEvent) : undefined;
    const runtime = await runtimeFor(plan, options, { ...part, rng: task.rng }, onEvent, folder.earlier?.device);
    try {
      await folder.begin({
        model: model.name,
        config,
        preset: options.preset,
        data,
        ...imageOptionsOf(task.source, options),
        columns: options.columns,
        scaling: options.scaling,
        table: task.source.encoding,
        dataRoot: options.dataRoot ?? dataRoot(),
        dataHash: task.source.hash,
        protocol,
        class: task.class,
        validationFraction: options.validationFraction,
        labelledFraction: options.labelledFraction,
        contamination: options.contamination || undefined,
        trainLimit: options.trainLimit,
        testLimit: options.testLimit,
        heldOut: options.heldOut,
        changes: options.changes,
        splitHash: task.splitHash,
        seed,
        falseAlarmRate: plan.falseAlarmRate,
        mapNormalization: plan.mapNormalization,
        augment,
        tiles,
        region,
        device: runtime.device,
        threads: options.threads,
        versions: versionsOf(runtime.device),
      });
      const seen = { ...plan, model: seenBy(model, { region: task.region, tiles }, task.source.shape) };
      const training = new Training(folder, seen, options, task, part, pretrained, origin, runtime, onEvent, begin);
      return await training.run(from, former);
    } finally {
      await runtime.close();
    }
  } finally {
    await task.source.close?.();
  }
}

/** What a run of image files must know to read them in the same way again: defaults may change. */
function imageOptionsOf({ shape, normalClass }: Source, options: TrainOptions) {
  if (normalClass === undefined || !isImage(shape)) return {};
  const [channels, height, width] = shape;
  const { maxPixels, folderNames, acceptLicence } = options;
  return { size: [height, width] as const, channels: channels as 1 | 3, maxPixels, folderNames, acceptLicence };
}

/** Refuses to update what was learnt from items that are no longer the first of the training part. */
function checkFormer({ ids }: Former, { source, train }: TrainingPart): void {
  if (ids.every((id, k) => source.items[train[k]]?.id === id)) return;
  throw new DataError(
    'data-changed',
    say`A run must be updated on the data it was trained on, but ${source.name} has changed. Restore the data and name
      new images with ${option('add')}, or train again.`,
  );
}

/** Refuses to resume a run with other options than those of its first start, which its checkpoint does not know. */
function checkEarlier(path: string, earlier: RunRecord, options: TrainOptions, plan: Plan): void {
  const pairs = [
    ['mapNormalization', earlier.mapNormalization, plan.mapNormalization],
    ['augment', earlier.augment, plan.augment],
    ['tiles', earlier.tiles, plan.tiles],
    ['region', earlier.region, plan.region],
    ['contamination', earlier.contamination, options.contamination],
    ['trainLimit', earlier.trainLimit, options.trainLimit],
    ['testLimit', earlier.testLimit, options.testLimit],
  ] as const;
  const shown = (key: string, value: unknown) =>
    value ? say`with ${option(key, value)}` : say`without ${option(key)}`;
  const other = pairs.find(([, before, now]) => JSON.stringify(before || null) !== JSON.stringify(now || null));
  if (!other) return;
  const [key, before, now] = other;
  throw new DataError(
    'checkpoint-mismatch',
    say`${path} was started ${shown(key, before)}, but is resumed ${shown(key, now)}. Resume with the original options, or
      start again in another folder with ${option('out')}.`,
  );
}

/** The state of an earlier start, checked to be of this very run. */
async function stateToResume(
  folder: RunFolder,
  origin: CheckpointOrigin,
  onEvent: Listener,
): Promise<FitState | undefined> {
  const checkpoint = await readCheckpoint(folder.files.checkpoint);
  if (checkpoint) {
    checkCheckpoint(checkpoint, origin, folder.files.checkpoint);
    return checkpoint.state;
  }
  onEvent({ type: 'log', level: 'info', message: `${folder.path} has no checkpoint yet: training starts at step 0.` });
  return undefined;
}

/** Opens the device; a resumed run stays on the one that it began on, because another gives other last digits. */
async function runtimeFor(
  plan: Plan,
  options: TrainOptions,
  part: TrainingPart & Pick<Task, 'rng'>,
  onEvent: Listener,
  earlier?: Device,
): Promise<Runtime> {
  const { model, config } = plan;
  const { signal, threads, device = 'auto' } = options;
  const trial =
    model.learns === 'gradient'
      ? stepTrial({ ...part, readTextures, signal }, model.phases(config, part.source.shape))
      : undefined;
  const opening = openDevice(device === 'auto' ? (earlier ?? device) : device, { threads, onEvent }, trial);
  try {
    return await orAbort(opening, signal);
  } catch (error) {
    if (!signal?.aborted) throw error;
    opening.then((runtime) => runtime.close()).catch(() => {});
    throw new Cancelled();
  }
}

/** One run after everything is loaded and open. */
class Training {
  constructor(
    private readonly folder: RunFolder,
    private readonly plan: Plan,
    private readonly options: TrainOptions,
    private readonly task: Task,
    private readonly part: TrainingPart,
    private readonly pretrained: Tensors | undefined,
    private readonly origin: CheckpointOrigin,
    private readonly runtime: Runtime,
    private readonly onEvent: Listener,
    private readonly begin: number,
  ) {}

  async run(from?: FitState, former?: Former): Promise<RunReport> {
    const { plan, task, folder, runtime, onEvent } = this;
    const { signal, metrics } = this.options;
    const { model, config, seed } = plan;
    const { source, split } = task;
    const fitted = await this.timed('fit', () => this.fit(from, former));
    const { tensors } = fitted.value;

    // The artefact itself does the scoring, so that its scores are those of the run to the last bit.
    const graph = scoringModel(model, config, source.shape, tensors);
    const program = scoringProgram(model, config, source.shape, tensors);
    await this.inspect(program, runtime.device);
    const session = await openScorer(runtime, program, encodeModel(graph).model, this.profiles);
    try {
      const { threshold: items } = this.heldOut;
      const { scores: held, peaks } = await scoreHeldOut(session, source, items, { onEvent, signal });
      const threshold = calibrate(held, plan.falseAlarmRate);
      const mapThreshold = calibrateMaps(peaks, plan.falseAlarmRate);
      const judged = await judge(session, task, {
        threshold: threshold.value,
        mapThreshold: mapThreshold.value,
        metrics,
        onEvent,
        signal,
      });
      const examples = chooseExamples(split.testLabels, plan.maps, task.rng.split('maps'));
      const shown = [...examples, ...hottest(judged.scores)];
      const pictures = isImage(source.shape);
      const scale = await findMapScale(session, task, pictures ? shown : [], { threshold: mapThreshold.value, signal });
      await drawMaps(session, task, folder.files.maps, { positions: pictures ? examples : [], scale, signal });
      const baselines = await judgeBaselines(runtime, task, seed, { metrics, signal });
      const normalScores = [...held].sort((a, b) => a - b);
      const artifact = await buildArtifact(graph, model, config, source.shape, oddityVersion(), {
        data: { name: source.name, hash: source.hash, licence: source.licence },
        protocol: plan.protocol,
        class: task.class,
        description: split.description,
        seed,
        threshold,
        mapThreshold,
        normalScores,
        ...(pictures && { mapScale: scale }),
        ...(source.encoding && { table: source.encoding }),
        ...(plan.tiles && { tiles: plan.tiles }),
        ...(plan.region && { region: plan.region }),
        ...(session.outputs.includes('nearest') && {
          trainingItems: Array.from(this.part.train, (i) => source.items[i].id),
        }),
      });
      await writeArtifact(folder.path, artifact);
      await writeAtomic(folder.files.predictions, predictionsCsv(task, judged.scores, threshold.value));
      const n = normalScores.length;
      const { contamination, trainLimit, testLimit } = this.options;
      const report = reportOf({
        folder: folder.path,
        plan: { ...plan, contamination, trainLimit, testLimit },
        task,
        device: runtime.device,
        judged,
        baselines,
        threshold: withTest(threshold, judged.scores, split.testLabels),
        validation: {
          mean: n > 0 ? normalScores.reduce((a, b) => a + b, 0) / n : null,
          median: n > 0 ? normalScores[n >> 1] : null,
          max: n > 0 ? normalScores[n - 1] : null,
        },
        fitSeconds: fitted.seconds,
        stepsPerSecond: fitted.value.stepsPerSecond,
        begin: this.begin,
      });
      const warnings = folder.warnings();
      const full: RunReport = {
        ...report,
        ...(fitted.value.history.length > 0 && { history: fitted.value.history }),
        ...(warnings.length > 0 && { warnings }),
      };
      await writeJson(folder.files.metrics, full);
      await writeReportPage(folder.path, { session, task, signal });
      folder.check();
      if (!this.profiles) return full;
      // Asking for the profile ends the session, so it comes last.
      const profiled = { ...full, profile: { fit: fitted.value.profile, score: await session.profile() } };
      await writeJson(folder.files.metrics, profiled);
      return profiled;
    } finally {
      session.close().catch(() => {}); // who cancels does not wait
    }
  }

  /** Held-out normals for the statistics of maps, if there are to be any, and those for the threshold. */
  private get heldOut(): { statistics?: Uint32Array; threshold: Uint32Array } {
    const { validation } = this.task.split;
    return this.plan.mapNormalization ? halve(validation, this.task.rng) : { threshold: validation };
  }

  private async fit(from?: FitState, former?: Former): Promise<FitResult> {
    const { plan, task, folder, runtime, origin, onEvent } = this;
    const { signal } = this.options;
    const { statistics } = this.heldOut; // before hours of training, since it may refuse
    let kept = from;
    const save = async (state: FitState) => {
      folder.check();
      await writeCheckpoint(folder.files.checkpoint, origin, state);
      kept = state;
    };
    const fitted = await fitModel({
      model: plan.model,
      config: plan.config,
      ...this.part,
      augment: plan.augment,
      readTextures,
      pretrained: this.pretrained,
      runtime,
      rng: task.rng,
      onEvent,
      signal,
      profile: this.profiles,
      former,
      from,
      save,
      inspect: (program, device) => this.inspect(program, device),
    });
    if (!statistics || hasMapStatistics(fitted.tensors)) return fitted;
    const { model, config } = plan;
    const { source } = task;
    const graph = scoringModel(model, config, source.shape, fitted.tensors);
    const program = scoringProgram(model, config, source.shape, fitted.tensors);
    const session = await openScorer(runtime, program, encodeModel(graph).model);
    try {
      const found = await mapStatistics(session, source, statistics, { onEvent, signal });
      const tensors = { ...fitted.tensors, ...found };
      await save({ ...kept!, tensors });
      return { ...fitted, tensors };
    } finally {
      session.close().catch(() => {}); // who cancels does not wait
    }
  }

  /** True where times by operator are wanted and can be had. */
  private get profiles(): boolean {
    const { profile = false } = this.options;
    return profile && this.runtime.device !== 'wasm' && this.runtime.device !== 'reference';
  }

  private async timed<T>(what: string, work: () => Promise<T>): Promise<{ value: T; seconds: number }> {
    const begin = performance.now();
    const value = await work();
    const seconds = (performance.now() - begin) / 1000;
    if (this.options.debug) this.onEvent({ type: 'log', level: 'debug', message: `${what}: ${seconds.toFixed(3)} s` });
    return { value, seconds };
  }

  /** The debug dial: graphs as text from 2, as ONNX files from 3; a graph that is illegal is a warning. */
  private async inspect(program: Program, device: Device): Promise<void> {
    const { debug = 0 } = this.options;
    if (debug < 2) return;
    for (const message of check(program)) this.onEvent({ type: 'warning', code: 'illegal-graph', message });
    const { debug: folder } = this.folder.files;
    await makeFolder(folder);
    const nodes = topological(Object.values(program.outputs));
    await writeAtomic(join(folder, `${program.name}.txt`), `${nodes.map((n) => describe(n.outputs[0])).join('\n')}\n`);
    this.onEvent({ type: 'log', level: 'debug', message: `${program.name}: ${nodes.length} nodes, see ${folder}.` });
    if (debug >= 3)
      await writeAtomic(join(folder, `${program.name}.onnx`), encodeModel(emitProgram(program, device)).model);
  }
}

/** Positions of the highest scores: their maps have the hottest pixels. */
function hottest(scores: Float32Array, most = 8): number[] {
  return Array.from(scores.keys())
    .sort((a, b) => scores[b] - scores[a])
    .slice(0, most);
}
