/** Judges scores and maps on a test part, beside baselines on the same split. */
import { InternalError } from '../../core/errors.ts';
import { type Listener, silent } from '../../core/events.ts';
import { isImage } from '../../core/item-shape.ts';
import {
  auroc,
  averagePrecision,
  bootstrap,
  f1Max,
  imageMetrics,
  pixelMetrics,
  pooledOverlap,
  topShare,
} from '../../metrics/index.ts';
import { type AnyModel, meanImage, random } from '../../models/index.ts';
import type { Runtime, Session } from '../../runtime/index.ts';
import { fitData } from '../fitting/items.ts';
import { scoringProgram } from '../scoring/graph.ts';
import { type ScoreOptions, scoreItems } from '../scoring/stream.ts';
import type { Task } from '../task/task.ts';
import { trainingItems } from '../task/training-part.ts';
import type { BaselineReport, RunReport, TypeReport } from './report-types.ts';

export interface Judgement {
  readonly scores: Float32Array;
  readonly metrics: RunReport['metrics'];
  readonly intervals: RunReport['intervals'];
  readonly perType: RunReport['perType'];
  readonly reasons: RunReport['reasons'];
  readonly scoreMsPerItem: number;
}

/** Rounds of the bootstrap: as many as items allow in about a second, within these bounds. */
const ROUNDS = { least: 50, most: 1000, items: 10_000_000 };

/**
 * Scores the test part with a session and computes the metrics. The threshold is for `perType` only, that of maps for
 * Dice and IoU.
 */
export async function judge(
  session: Session,
  task: Task,
  options: { threshold: number | null; mapThreshold: number | null; onEvent?: Listener; signal?: AbortSignal },
): Promise<Judgement> {
  const { source, split } = task;
  const { threshold, mapThreshold, onEvent = silent, signal } = options;
  const pixels = pixelJudge(task, mapThreshold, onEvent);
  let judging = 0; // milliseconds that scoring alone would not take
  const onMaps: ScoreOptions['onMaps'] =
    pixels.onMaps &&
    (async (...batch) => {
      const begin = performance.now();
      await pixels.onMaps!(...batch);
      judging += performance.now() - begin;
    });
  const begin = performance.now();
  const scores = await scoreItems(session, source, split.test, { onEvent, signal, task: 'score test', onMaps });
  const scoreMsPerItem = (performance.now() - begin - judging) / Math.max(1, split.test.length);
  const { imageAuroc, imageAp, imageF1Max, prevalence, reasons } = imageMetrics(scores, split.testLabels);
  const { reasons: pixelReasons, ...pixelValues } = pixels.result();
  return {
    scores,
    metrics: { imageAuroc, imageAp, imageF1Max, prevalence, ...ofProtocol(task, scores), ...pixelValues },
    intervals: intervalsOf(scores, split.testLabels),
    perType: perType(task, scores, threshold),
    reasons: { ...reasons, ...pixelReasons },
    scoreMsPerItem,
  };
}

/** What a protocol wants to be judged beside the common metrics. */
const ofProtocol = (task: Task, scores: Float32Array) => ({
  ...atShare(task, scores),
  ...byFamiliarity(task, scores),
});

/** Precision, recall and F1 where the protocol states the share of anomalies. */
function atShare({ split }: Task, scores: Float32Array): Pick<BaselineReport, 'precision' | 'recall' | 'f1'> {
  if (split.share === undefined) return {};
  const found = topShare(scores, split.testLabels, split.share);
  return found ? { precision: found.precision, recall: found.recall, f1: found.f1 } : {};
}

/** AUROC by anomalies of classes that took part in training and of those held out, where the protocol tells them apart. */
function byFamiliarity(
  { source, split }: Task,
  scores: Float32Array,
): Pick<BaselineReport, 'seenAuroc' | 'heldOutAuroc'> {
  const { test, testLabels, heldOut } = split;
  if (!heldOut) return {};
  const aurocOf = (wanted: boolean) => {
    const isHeldOut = (i: number) => heldOut.includes(source.items[test[i]].class);
    const own = Array.from(testLabels.keys()).filter((i) => testLabels[i] === 0 || isHeldOut(i) === wanted);
    return auroc(
      own.map((i) => scores[i]),
      own.map((i) => testLabels[i]),
    );
  };
  const [seenAuroc, heldOutAuroc] = [aurocOf(false), aurocOf(true)];
  return { ...(seenAuroc !== null && { seenAuroc }), ...(heldOutAuroc !== null && { heldOutAuroc }) };
}

/** 95 % bootstrap intervals of the image metrics; the same scores give the same intervals. */
function intervalsOf(scores: Float32Array, labels: Uint8Array): RunReport['intervals'] {
  const wanted = Math.round(ROUNDS.items / Math.max(1, labels.length));
  const options = { seed: 1, rounds: Math.min(ROUNDS.most, Math.max(ROUNDS.least, wanted)) };
  return {
    imageAuroc: bootstrap(scores, labels, auroc, options),
    imageAp: bootstrap(scores, labels, averagePrecision, options),
    imageF1Max: bootstrap(scores, labels, (s, y) => f1Max(s, y)?.f1 ?? null, options),
  };
}

/** Each class of anomalous test items against all normal ones. */
function perType({ source, split }: Task, scores: Float32Array, threshold: number | null): TypeReport[] {
  const { test, testLabels } = split;
  const classOf = (i: number) => source.items[test[i]].class;
  const positions = Array.from(testLabels.keys());
  const anomalous = positions.filter((i) => testLabels[i] === 1);
  return [...new Set(anomalous.map(classOf))]
    .sort((a, b) => a - b)
    .map((number) => {
      const own = positions.filter((i) => testLabels[i] === 0 || classOf(i) === number);
      const ownScores = own.map((i) => scores[i]);
      const ownLabels = own.map((i) => testLabels[i]);
      const members = anomalous.filter((i) => classOf(i) === number).map((i) => scores[i]);
      return {
        type: source.classes[number],
        count: members.length,
        auroc: auroc(ownScores, ownLabels),
        ap: averagePrecision(ownScores, ownLabels),
        recall: threshold === null ? null : members.filter((s) => s >= threshold).length / members.length,
        meanScore: members.reduce((sum, s) => sum + s, 0) / members.length,
      };
    });
}

/** Pixel metrics as a report holds them, and for each that is null, why. */
type PixelJudgement = Pick<RunReport['metrics'], (typeof pixelNames)[number]> & Pick<RunReport, 'reasons'>;
const pixelNames = ['pixelAuroc', 'pixelAp', 'aupro', 'dice', 'iou'] as const;

/**
 * Takes maps of the test part as they are made and compares them with the masks. An item that is normal under the
 * protocol has an empty mask, whatever the source says of it; an anomalous one without a mask is left out.
 */
function pixelJudge(
  { source, split, region }: Task,
  threshold: number | null,
  onEvent: Listener,
): Pick<ScoreOptions, 'onMaps'> & { result(): PixelJudgement } {
  const { test, testLabels } = split;
  const anomalous = Array.from(testLabels.keys()).filter((i) => testLabels[i] === 1);
  const masked = new Set(anomalous.filter((i) => source.hasMask?.(test[i]) ?? true));
  const none = (reason: string): PixelJudgement => ({
    pixelAuroc: null,
    pixelAp: null,
    aupro: null,
    dice: null,
    iou: null,
    reasons: Object.fromEntries(pixelNames.map((name) => [name, reason])),
  });
  if (!source.readMasks || (anomalous.length > 0 && masked.size === 0))
    return { result: () => none(`${source.name} has no masks of anomalous pixels.`) };
  if (masked.size < anomalous.length) {
    onEvent({
      type: 'warning',
      code: 'missing-masks',
      message: `${anomalous.length - masked.size} of ${anomalous.length} anomalous test items have no mask: pixel metrics leave them out.`,
    });
  }
  const { shape } = source;
  if (!isImage(shape)) throw new InternalError(`${source.name} has masks but no images.`);
  const [, height, width] = shape;
  const area = height * width;
  const pixels = pixelMetrics();
  const overlap = threshold === null ? undefined : pooledOverlap(threshold);
  return {
    async onMaps(maps, at, count) {
      const masks = new Uint8Array(count * area);
      await source.readMasks!(test.subarray(at, at + count), masks);
      for (let k = 0; k < count; k++) {
        const mask = masks.subarray(k * area, (k + 1) * area);
        if (testLabels[at + k] === 0) mask.fill(0);
        else if (!masked.has(at + k)) continue;
        const map = maps.subarray(k * area, (k + 1) * area);
        pixels.add(map, mask, height, width, region);
        overlap?.add(map, mask);
      }
    },
    result() {
      const { pixelAuroc, pixelAp, aupro, reasons } = pixels.result();
      const { dice = null, iou = null } = overlap?.result() ?? {};
      const reason = overlap
        ? 'No pixel is anomalous, neither of the masks nor at the map threshold.'
        : 'There are no held-out normals, so maps have no threshold.';
      return {
        pixelAuroc,
        pixelAp,
        aupro,
        dice,
        iou,
        reasons: { ...reasons, ...(dice === null && { dice: reason, iou: reason }) },
      };
    },
  };
}

/** The two detectors without learning, on the same split, fitted and scored here. */
export async function judgeBaselines(
  runtime: Runtime,
  task: Task,
  seed: number,
  signal?: AbortSignal,
): Promise<RunReport['baselines']> {
  const { source, split, rng } = task;
  const judgeOne = async (model: AnyModel, config: object): Promise<BaselineReport> => {
    const data = fitData({ source, ...trainingItems(model, split), rng, runtime, signal });
    const tensors = model.learns === 'statistics' ? await model.fit(config, data) : {};
    const session = await runtime.compile(scoringProgram(model, config, source.shape, tensors));
    try {
      const pixels = pixelJudge(task, null, silent);
      const scores = await scoreItems(session, source, split.test, { signal, onMaps: pixels.onMaps });
      const { imageAuroc, imageAp } = imageMetrics(scores, split.testLabels);
      const { pixelAuroc, pixelAp, aupro } = pixels.result();
      return { imageAuroc, imageAp, ...ofProtocol(task, scores), pixelAuroc, pixelAp, aupro };
    } finally {
      session.close().catch(() => {}); // who cancels does not wait
    }
  };
  return { 'mean-image': await judgeOne(meanImage, {}), random: await judgeOne(random, { seed }) };
}
