/** Trains a model on a data set, judges it on the test part and leaves a run's folder with everything that was made. */
import { Cancelled, ConfigError } from '../core/errors.ts';
import { type Listener, silent } from '../core/events.ts';
import { isClip, pictureShape } from '../core/item-shape.ts';
import type { Tensors } from '../core/tensor.ts';
import { option, say } from '../core/text.ts';
import { dataRoot, findDataset, readTextures, type Source, sha256 } from '../data/index.ts';
import { pretrainedOf } from '../engine/fit.ts';
import type { FitResult, FitState, Former } from '../engine/fitting/contract.ts';
import { fitModel, stepTrial } from '../engine/fitting/fit.ts';
import { mapStatistics } from '../engine/fitting/map-statistics.ts';
import { SharedFeatures } from '../engine/fitting/shared-features.ts';
import { withTest } from '../engine/judging/calibrate.ts';
import { stepsOf, wantedRate } from '../engine/judging/calibrate-alarms.ts';
import { openScorer } from '../engine/judging/held-out.ts';
import { judge, judgeBaselines } from '../engine/judging/judge.ts';
import { checkPlanted } from '../engine/judging/planted-check.ts';
import type { RunReport } from '../engine/judging/report-types.ts';
import { seriesReading } from '../engine/scoring/alarms.ts';
import { buildArtifact, scoringModel } from '../engine/scoring/artifact.ts';
import { scoringProgram } from '../engine/scoring/graph.ts';
import { hasMapStatistics } from '../engine/scoring/map-normalization.ts';
import { seenBy } from '../engine/scoring/view.ts';
import { calibratedByShare, checkWhole, scoresOfWhole } from '../engine/scoring/whole.ts';
import { resolveConfig } from '../engine/task/config.ts';
import { checkDiffering } from '../engine/task/differing.ts';
import {
  checkKind,
  checkLabels,
  checkUnlabelled,
  scalingOf,
  smoothingOf,
  takesRows,
  windowOf,
} from '../engine/task/suitable.ts';
import type { Task } from '../engine/task/task.ts';
import { type TrainingPart, trainingPart } from '../engine/task/training-part.ts';
import { checkTiles } from '../engine/task/view-options.ts';
import { encodeModel } from '../graph/onnx/write.ts';
import { type AnyModel, type ModelName, models } from '../models/index.ts';
import type { Runtime, Session } from '../runtime/index.ts';
import { writeArtifact } from './artifact.ts';
import { chooseModel, isAuto } from './auto.ts';
import { recordedOptions } from './check-options.ts';
import { type CheckpointOrigin, writeCheckpoint } from './checkpoint.ts';
import { opened } from './closing.ts';
import { type DebugDial, debugDial } from './debug.ts';
import { openDevice } from './device.ts';
import { chooseExamples, drawMaps, findMapScale, hottest } from './example-maps.ts';
import { writeAtomic, writeJson } from './files.ts';
import { RunFolder, stored } from './folder.ts';
import { calibratedThresholds, heldOut } from './held-out-thresholds.ts';
import { loadTask } from './load-task.ts';
import type { AutoTrainOptions, TrainOptions } from './options.ts';
import { nodePlatform } from './platform.ts';
import { reportOf } from './report.ts';
import { readReport } from './report-file.ts';
import { writeReportPage } from './report-page.ts';
import { type ResolvedRun, resolveRun } from './resolve.ts';
import { backboneOf, checkEarlier, checkFormer, stateToResume } from './resume.ts';
import { ShownItems } from './shown-items.ts';
import { predictionsCsv } from './test-scores.ts';
import { oddityVersion, versionsOf } from './versions.ts';

/**
 * Trains, judges and exports. Without a model, or with `auto`, it is chosen from the training part (`chooseModel`).
 * @throws ConfigError for names and options; DataError for data, checkpoints and disks; TrainingDiverged; Cancelled
 * once `signal` aborts, with a checkpoint left to resume from.
 * @example const report = await train({ model: 'autoencoder', data: 'mnist', class: 1, config: { epochs: 5 } });
 */
export function train<const M extends ModelName | AnyModel>(options: TrainOptions<M>): Promise<RunReport>;
export function train(options: AutoTrainOptions): Promise<RunReport>;
export async function train(options: TrainOptions | AutoTrainOptions): Promise<RunReport> {
  return trainFrom(isAuto(options) ? await chooseModel(options) : options);
}

/** `train`, from what was learnt before the training items changed. */
export async function trainFrom<M extends ModelName | AnyModel>(
  given: TrainOptions<M>,
  former?: Former,
): Promise<RunReport> {
  const begin = performance.now();
  const run = resolveRun(given);
  const folder = await RunFolder.open(run.folder, run.options);
  try {
    if (folder.earlier?.status === 'done') {
      const report = await readReport(folder.path);
      if (report) {
        await folder.end('done');
        const message = `${run.folder} is already finished; there is nothing to resume.`;
        run.options.onEvent?.({ type: 'log', level: 'info', message });
        return report;
      }
    }
    const report = await trainIn(folder, run, begin, former);
    await folder.end('done');
    return report;
  } catch (error) {
    await folder.end(error instanceof Cancelled ? 'cancelled' : 'failed', stored(error));
    throw error;
  }
}

/** Loads, checks and opens everything, fits and judges. */
async function trainIn(folder: RunFolder, run: ResolvedRun, begin: number, former?: Former): Promise<RunReport> {
  const { model, options } = run;
  const { data, signal, tiles } = options;
  const onEvent = folder.listener(options.onEvent ?? silent);
  const platform = nodePlatform({ root: options.dataRoot, download: options.download });
  const early = resolveConfig(model, options);
  // What stays of another run was seen through its own backbone, whatever is under that name now.
  const pretrained = former
    ? backboneOf(former.tensors)
    : await pretrainedOf(model, early, platform, { onEvent, signal });
  const isOfFiles = typeof data === 'string' && findDataset(data).isOfFiles;
  const size = options.size ?? (isOfFiles ? model.imageSize : undefined);
  const task = await loadTask({
    ...options,
    size,
    ofRows: takesRows(model),
    windowFor: (kind) => windowOf(model, early, kind),
    usualScaling: scalingOf(model),
    onEvent,
  });
  try {
    checkKind(model, task.source, models);
    checkImagesOnly(run, task.source);
    const part = await trainingPart(model, task, tiles);
    const config = await checkFit(run, task, part, { onEvent, former });
    if (signal?.aborted) throw new Cancelled();
    const origin: CheckpointOrigin = {
      model,
      config,
      shape: task.source.shape,
      seed: options.seed,
      dataHash: task.source.hash,
      splitHash: task.splitHash,
    };
    if (folder.earlier) checkEarlier(folder.path, folder.earlier, options);
    const from = options.resume ? await stateToResume(folder, origin, pretrained, onEvent) : undefined;
    const runtime = await runtimeFor(run, config, { ...part, rng: task.rng }, onEvent, folder);
    try {
      await folder.begin({
        ...recordedOptions(options),
        model: model.name,
        config,
        data: typeof data === 'string' ? data : data.name,
        ...imageOptionsOf(task.source, run),
        table: task.source.encoding,
        measuredRange: task.source.valueRange,
        dataRoot: options.dataRoot ?? dataRoot(),
        dataHash: task.source.hash,
        protocol: options.protocol,
        class: task.class,
        splitHash: task.splitHash,
        seed: options.seed,
        falseAlarmRate: run.falseAlarmRate,
        device: runtime.device,
        versions: versionsOf(runtime.device),
      });
      const seen = seenBy(model, { region: task.region, tiles }, task.source.shape);
      const debug = debugDial(options.debug ?? 0, folder.files.debug, onEvent);
      return await fitAndJudge({
        folder,
        run,
        model: seen,
        config,
        task,
        part,
        pretrained,
        origin,
        runtime,
        onEvent,
        debug,
        begin,
        from,
        former,
      });
    } finally {
      await runtime.close();
    }
  } finally {
    await task.source.close?.();
  }
}

/** Refuses what only images have for items of other kinds. */
function checkImagesOnly({ model, options: { augment, tiles, alarmRate } }: ResolvedRun, source: Source): void {
  if (augment && source.kind !== 'image') {
    throw new ConfigError(
      'augment',
      say`Augmentation applies to images only, but ${source.name} has none. Leave ${option('augment')} out.`,
    );
  }
  if (tiles) checkTiles(tiles, model, source.shape);
  // Days need times: said before hours of training.
  if (alarmRate && source.series) stepsOf(wantedRate(alarmRate).per, seriesReading(source.series));
}

/** The options of the model for these data, once it is clear that it can learn from them. */
async function checkFit(
  { model, options }: ResolvedRun,
  task: Task,
  part: TrainingPart,
  { onEvent, former }: { onEvent: Listener; former?: Former },
) {
  const { shape } = part.source;
  const config = resolveConfig(model, options, { shape, count: part.train.length });
  const problem = model.unsuitable?.(config, shape);
  if (problem) throw new ConfigError('unsuitable', say`${model.name} and ${task.source.name}: ${problem}`);
  checkWhole(model, task);
  await checkDiffering(model, part);
  if (former) checkFormer(former, part);
  if (model.learning === 'supervised') checkLabels(model, task, onEvent);
  if (task.split.contaminants.length > 0) checkUnlabelled(model, config, task);
  return config;
}

/** What a run of files must know to read them in the same way again: defaults may change. */
function imageOptionsOf({ shape, normalClass }: Source, { options }: ResolvedRun) {
  const picture = pictureShape(shape);
  if (!picture) return { folderNames: options.folderNames };
  const isOfFiles = typeof options.data === 'string' && findDataset(options.data).isOfFiles;
  if (normalClass === undefined || (isClip(shape) && !isOfFiles)) return {};
  const [channels, height, width] = picture;
  const { maxPixels, folderNames, acceptLicence } = options;
  return { size: [height, width] as const, channels: channels as 1 | 3, maxPixels, folderNames, acceptLicence };
}

/** Opens the device; a resumed run stays on the one that it began on, because another gives other last digits. */
async function runtimeFor(
  { model, options }: ResolvedRun,
  config: object,
  part: TrainingPart & Pick<Task, 'rng'>,
  onEvent: Listener,
  { earlier }: RunFolder,
): Promise<Runtime> {
  const { signal, threads, device = 'auto' } = options;
  const trial =
    model.learns === 'gradient'
      ? stepTrial({ ...part, readTextures, signal }, model.phases(config, part.source.shape))
      : undefined;
  const wanted = device === 'auto' ? (earlier?.device ?? device) : device;
  return opened(openDevice(wanted, { threads, onEvent }, trial), signal);
}

/** A run with everything loaded and open. */
export interface OpenRun {
  readonly folder: RunFolder;
  readonly run: ResolvedRun;
  /** As it looks at items: at a region, at tiles. */
  readonly model: AnyModel;
  readonly config: Record<string, unknown>;
  readonly task: Task;
  readonly part: TrainingPart;
  readonly pretrained?: Tensors;
  /** The backbone's features of the training items, which folds share. */
  readonly features?: SharedFeatures;
  readonly origin: CheckpointOrigin;
  readonly runtime: Runtime;
  readonly onEvent: Listener;
  readonly debug: DebugDial;
  readonly begin: number;
  readonly from?: FitState;
  readonly former?: Former;
}

/** Fits, calibrates, judges and writes. */
async function fitAndJudge(opened: OpenRun): Promise<RunReport> {
  const { folder, model, config, task, part, pretrained, runtime, debug } = opened;
  const { signal } = opened.run.options;
  const features = SharedFeatures.of(model, config, { ...part, pretrained, runtime, signal });
  const open = { ...opened, features };
  const { source } = task;
  const fitted = await debug.timed('fit', () => fit(open));
  // The artefact itself does the scoring, so that its scores are those of the run to the last bit.
  const graph = scoringModel(model, config, source.shape, fitted.value.tensors);
  const program = scoringProgram(model, config, source.shape, fitted.value.tensors);
  await debug.inspect(program, runtime.device);
  const session = await openScorer(runtime, program, encodeModel(graph).model, profiles(open));
  try {
    const shown = new ShownItems(session, task, signal);
    const report = await judged(open, { session, shown }, graph, fitted);
    await writeJson(folder.files.metrics, report);
    await writeReportPage(folder.path, { session, task, shown, signal });
    folder.check();
    if (!profiles(open)) return report;
    // Asking for the profile ends the session, so it comes last.
    const profiled = { ...report, profile: { fit: fitted.value.profile, score: await session.profile() } };
    await writeJson(folder.files.metrics, profiled);
    return profiled;
  } finally {
    session.close().catch(() => {}); // who cancels does not wait
  }
}

/** Thresholds from held-out normals, metrics on the test part, maps and the artefact; the report. */
async function judged(
  open: OpenRun,
  { session, shown }: { session: Session; shown: ShownItems },
  graph: ReturnType<typeof scoringModel>,
  fitted: { value: FitResult; seconds: number },
): Promise<RunReport> {
  const { folder, run, model, config, task, part, runtime, onEvent } = open;
  const { options } = run;
  const { signal, seed, tiles, region, metrics } = options;
  const { source, split } = task;
  const smoothing = smoothingOf(model, config, source);
  const scores = split.isWhole ? await scoresOfWhole(session, open, { onEvent, signal }) : undefined;
  const { threshold, mapThreshold, held, normalScores, reading } = scores
    ? {
        ...calibratedByShare(scores, run.falseAlarmRate),
        reading: source.series && seriesReading(source.series, options.alarms),
      }
    : await calibratedThresholds(open, session, smoothing);
  open.features?.close();
  const found = await judge(session, task, {
    threshold: threshold.value,
    mapThreshold: mapThreshold.value,
    ...(scores && { scores }),
    alarms: options.alarms,
    smoothing,
    metrics,
    onEvent,
    signal,
  });
  const examples = chooseExamples(split.testLabels, run.maps, task.rng.split('maps'));
  const pictures = pictureShape(source.shape) !== undefined;
  const scaled = pictures ? [...examples, ...hottest(found.scores)] : [];
  const scale = await findMapScale(shown, scaled, mapThreshold.value);
  await drawMaps(shown, task, folder.files.maps, { positions: pictures ? examples : [], scale });
  const baselines = await judgeBaselines(runtime, task, seed, { metrics, onEvent, signal });
  const platform = nodePlatform({ root: options.dataRoot, download: options.download });
  await checkPlanted(session, task, model, { runtime, platform, onEvent, signal });
  const artifact = await buildArtifact(graph, model, config, source.shape, oddityVersion(), {
    data: { name: source.name, hash: source.hash, licence: source.licence },
    protocol: options.protocol,
    class: task.class,
    description: split.description,
    seed,
    threshold,
    mapThreshold,
    normalScores,
    ...(smoothing !== undefined && { smoothing }),
    ...(pictures && { mapScale: scale }),
    ...(source.encoding && { table: source.encoding }),
    ...(source.valueRange && { valueRange: source.valueRange }),
    ...(reading && { series: reading }),
    ...(tiles && { tiles }),
    ...(region && { region }),
    ...(session.outputs.includes('nearest') && { trainingItems: Array.from(part.train, (i) => source.items[i].id) }),
  });
  await writeArtifact(folder.path, artifact);
  const predictions = new TextEncoder().encode(predictionsCsv(task, found.scores, threshold.value));
  await writeAtomic(folder.files.predictions, predictions);
  folder.predictionsHash = await sha256(predictions);
  const { history } = fitted.value;
  const warnings = folder.warnings();
  const report = reportOf({
    folder: folder.path,
    record: folder.written,
    task,
    device: runtime.device,
    judged: found,
    smoothing,
    baselines,
    threshold: withTest(threshold, found.scores, split.testLabels),
    validation: summaryOf(held),
    fitSeconds: fitted.seconds,
    stepsPerSecond: fitted.value.stepsPerSecond,
    begin: open.begin,
  });
  return { ...report, ...(history.length > 0 && { history }), ...(warnings.length > 0 && { warnings }) };
}

function summaryOf(sorted: readonly number[]): RunReport['validation'] {
  const n = sorted.length;
  if (n === 0) return { mean: null, median: null, max: null };
  return { mean: sorted.reduce((a, b) => a + b, 0) / n, median: sorted[n >> 1], max: sorted[n - 1] };
}

/** Fits, with checkpoints, and learns the statistics of maps where they are wanted. */
async function fit(open: OpenRun): Promise<FitResult> {
  const {
    run,
    model,
    config,
    task,
    part,
    pretrained,
    features,
    folder,
    runtime,
    origin,
    onEvent,
    debug,
    from,
    former,
  } = open;
  const { signal, augment } = run.options;
  const { statistics } = heldOut(open); // before hours of training, since it may refuse
  let kept = from;
  const save = async (state: FitState) => {
    folder.check();
    await writeCheckpoint(folder.files.checkpoint, origin, state);
    kept = state;
  };
  const fitted = await fitModel({
    model,
    config,
    ...part,
    augment,
    readTextures,
    pretrained,
    features,
    runtime,
    rng: task.rng,
    onEvent,
    signal,
    profile: profiles(open),
    former,
    from,
    save,
    inspect: debug.inspect,
  });
  if (!statistics || hasMapStatistics(fitted.tensors)) return fitted;
  const { shape } = task.source;
  const graph = scoringModel(model, config, shape, fitted.tensors);
  const session = await openScorer(
    runtime,
    scoringProgram(model, config, shape, fitted.tensors),
    encodeModel(graph).model,
  );
  try {
    const found = await mapStatistics(session, task.source, statistics, { onEvent, signal });
    const tensors = { ...fitted.tensors, ...found };
    await save({ ...kept!, tensors });
    return { ...fitted, tensors };
  } finally {
    session.close().catch(() => {}); // who cancels does not wait
  }
}

/** True where times by operator are wanted and can be had. */
function profiles({ run, runtime }: OpenRun): boolean {
  return run.options.profile === true && runtime.device !== 'wasm' && runtime.device !== 'reference';
}
