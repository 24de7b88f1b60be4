/**
 * Scores of normal training items by detectors that were fitted without them: where few normals are held out, a threshold
 * rests on all. The detector itself saw a little more than each of those that scored (cross-conformal prediction: Vovk,
 * Annals of Mathematics and Artificial Intelligence 74, 2015), so its own scores of new normals are rather lower and its
 * rate rather below what is counted: the interval has no low end. What was measured stands in bench/results/coverage.csv.
 */
import { Cancelled, ConfigError, OddityError } from '../../core/errors.ts';
import { type Listener, silent } from '../../core/events.ts';
import type { Rng } from '../../core/random.ts';
import type { Tensors } from '../../core/tensor.ts';
import { encodeModel } from '../../graph/onnx/write.ts';
import type { AnyModel } from '../../models/index.ts';
import type { Runtime } from '../../runtime/index.ts';
import { fitModel } from '../fitting/fit.ts';
import type { SharedFeatures } from '../fitting/shared-features.ts';
import { scoringModel } from '../scoring/artifact.ts';
import { scoringProgram } from '../scoring/graph.ts';
import { seenBy } from '../scoring/view.ts';
import { smoothingOf } from '../task/suitable.ts';
import type { TrainingPart } from '../task/training-part.ts';
import { type HeldOutScores, openScorer, scoreHeldOut } from './held-out.ts';

/** With so many held out, their scores suffice. */
const ENOUGH = 50;
/** Folds at most unless asked for more; with fewer normals each is left out alone. */
const MOST = 10;
/** Passes of an item through a backbone that folds may cost, and the fewest folds that leave each enough to learn from. */
const BACKBONE = { passes: 600, folds: 3 };
/**
 * With fewer normals a detector of one less is another one: of 5 the rate lay within the 90 % interval in 83 of 100 draws, of an
 * isolation forest in 42, of 10 in 91.
 */
const LEAST = 8;

/** Stretches of series: windows that each must have, and how many there are. */
const BLOCK = { windows: 3, least: 2, most: 5 };

/** What the number of folds follows from. */
export interface FoldCounts {
  /** Normal training items. */
  readonly normals: number;
  readonly heldOut: number;
  /** As asked for: 0 for none. */
  readonly wanted?: number;
  /** Steps of a window, where items are steps of series. */
  readonly window?: number;
}

/**
 * Folds of the normal training items; 0 where held-out scores alone are used: enough are held out, none were to be,
 * fitting again takes too long, or the model says that they tell nothing. It follows from counts and never from a clock, so that the same command gives the same bytes.
 */
export function foldsFor(model: AnyModel, config: unknown, { normals, heldOut, wanted, window }: FoldCounts): number {
  if (window !== undefined) return blocksFor(model, { normals, heldOut, wanted, window });
  if (wanted !== undefined) return wanted === 0 || normals < 2 ? 0 : Math.min(wanted, normals);
  if (normals < LEAST || heldOut === 0 || heldOut >= ENOUGH || model.learns === 'gradient' || model.folds === false)
    return 0;
  const most = Math.min(MOST, normals);
  if (!model.backbone?.(config)) return most;
  const folds = Math.min(most, 1 + Math.floor(BACKBONE.passes / normals));
  return folds >= BACKBONE.folds ? folds : 0;
}

/**
 * Folds of steps are stretches of the training part. Held-out steps suffice where they are worth enough windows that share no
 * step; they seldom do, and then all models that learn in one pass get folds.
 */
function blocksFor(model: AnyModel, { normals, heldOut, wanted, window }: FoldCounts & { window: number }): number {
  const most = Math.floor(normals / (BLOCK.windows * window));
  if (wanted !== undefined) return wanted < 2 || most < 2 ? 0 : Math.min(wanted, most);
  if (heldOut === 0 || heldOut >= ENOUGH * window || model.learns !== 'statistics' || model.folds === false) return 0;
  return most < BLOCK.least ? 0 : Math.min(BLOCK.most, most);
}

/** Throws ConfigError `folds` for numbers that cannot be: with one fold nothing would be left to fit. */
export function checkFolds(folds: number | undefined): void {
  if (folds === undefined || (Number.isInteger(folds) && folds >= 0 && folds !== 1)) return;
  throw new ConfigError('folds', { option: 'folds', value: folds, must: 'an integer of at least 2, or 0 for none' });
}

/** What folds are made of. */
export interface FoldOptions {
  readonly model: AnyModel;
  readonly config: Record<string, unknown>;
  readonly folds: number;
  /** Steps of a window, where items are steps of series: folds are then stretches of neighbours. */
  readonly window?: number;
  /** The normal items to score, numbers into the source, ascending. */
  readonly normals: Uint32Array;
  /** What a detector learns from without some of the normals: encoded by its own training items alone. */
  readonly partWithout: (left: ReadonlySet<number>) => Promise<FoldPart>;
  readonly pretrained?: Tensors;
  /** The backbone's features of the items. */
  readonly features?: SharedFeatures;
  readonly runtime: Runtime;
  readonly rng: Rng;
  readonly onEvent?: Listener;
  readonly signal?: AbortSignal;
}

/** Training items, and the source that scores are made from, which differ where training is on tiles. */
export interface FoldPart extends TrainingPart {
  readonly whole: TrainingPart['source'];
}

/** Scores and largest values of maps, one of each normal, by detectors that did not see it. */
export interface FoldScores {
  readonly scores: Float32Array;
  readonly peaks: Float32Array;
  /** Those of `HeldOutScores`, fold by fold; empty where there are none. */
  readonly errors: readonly Float64Array[];
}

/**
 * Fits a detector for each fold and scores the fold with it. Undefined where a detector cannot be fitted to the rest, of
 * which there may be too few: the held-out scores then stand alone. Throws Cancelled.
 */
export async function scoreFolds(options: FoldOptions): Promise<FoldScores | undefined> {
  const { normals, folds, window, rng, onEvent = silent, signal } = options;
  const order = window === undefined ? rng.split('folds').shuffle(normals.slice()) : normals;
  const isIn = (i: number, k: number) =>
    (window === undefined ? i % folds : Math.floor((i * folds) / order.length)) === k;
  const scores: number[] = [];
  const peaks: number[] = [];
  const errors: Float64Array[] = [];
  for (let k = 0; k < folds; k++) {
    if (signal?.aborted) throw new Cancelled();
    const items = order.filter((_, i) => isIn(i, k));
    let most = 0;
    const tell = (share: number) => {
      most = Math.max(most, share);
      onEvent({
        type: 'progress',
        task: 'score by folds',
        done: Number((k + most).toFixed(1)),
        total: folds,
        unit: 'fold',
      });
    };
    try {
      const found = await scoreFold(options, items, tell);
      scores.push(...found.scores);
      peaks.push(...found.peaks);
      if (found.errors) errors.push(found.errors);
    } catch (error) {
      if (!(error instanceof OddityError) || error instanceof Cancelled || error.name === 'RuntimeUnavailable')
        throw error;
      const message = `The threshold rests on held-out normals alone: without some of the others no detector could be fitted. ${error.message}`;
      onEvent({ type: 'log', level: 'info', message });
      return undefined;
    }
    tell(1);
  }
  return { scores: Float32Array.from(scores), peaks: Float32Array.from(peaks), errors };
}

/** `tell` hears about what share of the work is done while it goes on. */
async function scoreFold(
  options: FoldOptions,
  items: Uint32Array,
  tell: (share: number) => void,
): Promise<HeldOutScores> {
  // A fit is told as the first half of the fold, whatever its parts, and scoring as the other.
  const half = (from: number): Listener => {
    return (event) => event.type === 'progress' && tell(from + (0.49 * event.done) / event.total);
  };
  const { model, config, window, partWithout, pretrained, features, runtime, rng, signal } = options;
  const { whole, ...part } = await partWithout(window === undefined ? new Set(items) : withNeighbours(items, window));
  const { tensors } = await fitModel({
    model,
    config,
    ...part,
    rng,
    runtime,
    pretrained,
    features,
    onEvent: half(0),
    signal,
    save: async () => {},
  });
  const seen = seenBy(model, {}, whole.shape);
  const ofFeatures = features?.over(whole, (x) => {
    const { score, map } = scoringProgram(seen, config, whole.shape, tensors, x).outputs;
    return { score, map };
  });
  const session = ofFeatures
    ? await runtime.compile({ name: 'fold', outputs: ofFeatures.outputs, carry: {} })
    : await openScorer(
        runtime,
        scoringProgram(seen, config, whole.shape, tensors),
        encodeModel(scoringModel(seen, config, whole.shape, tensors)).model,
      );
  try {
    const smoothing = smoothingOf(model, config, whole);
    return await scoreHeldOut(session, whole, items, { onEvent: half(0.5), signal, smoothing, feed: ofFeatures?.feed });
  } finally {
    session.close().catch(() => {}); // who cancels does not wait
  }
}

/** Steps, ascending, and those whose windows share a step with theirs. */
function withNeighbours(steps: Uint32Array, window: number): Set<number> {
  const all = new Set<number>();
  let last = Number.NEGATIVE_INFINITY;
  for (const step of steps) {
    for (let t = Math.max(last + 1, step - window + 1); t < step + window; t++) all.add(t);
    last = step + window - 1;
  }
  return all;
}

/** Two lists as one. */
export const joined = (a: Float32Array, b: Float32Array | undefined): Float32Array =>
  b ? Float32Array.from([...a, ...b]) : a;
