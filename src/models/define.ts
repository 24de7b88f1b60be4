/**
 * The contract of a model: one value from which the command line, documentation, benchmarks and contract tests follow.
 * Adding a model is one file that exports `defineModel({...})`, a line in `all.ts` and one in the list of `index.ts`.
 */
import type * as z from 'zod';
import type { Listener } from '../core/events.ts';
import type { ImageShape, ItemKind, ItemShape } from '../core/item-shape.ts';
import type { Rng } from '../core/random.ts';
import type { Tensors } from '../core/tensor.ts';
import type { Said } from '../core/text.ts';
import type { DefectOptions, ImageSize } from '../data/pure.ts';
import type { Program } from '../graph/program.ts';
import type { Value } from '../graph/value.ts';
import type { Phase } from '../nn/phase.ts';
import type { Scope } from '../nn/scope.ts';
import type { Session } from '../runtime/runtime.ts';

export type { ImageShape, ItemKind, ItemShape };

/** What the scoring graph gives, raw: larger means more anomalous. */
export interface Scoring {
  /** Per item, `[N]`. */
  readonly score: Value;
  /**
   * Per pixel, `[N, 1, H, W]` at the input's size; of rows and windows of series per value, as x; of windows of clips per
   * pixel of the frame that the window stands for.
   */
  readonly map: Value;
  /** The item as the model would have it, as x, where there is one; images in [0, 1]. */
  readonly reconstruction?: Value;
  /**
   * `[N, 5]`, of models that keep places of training images: row and column of the oddest place of the item in pixels,
   * the number of the training image whose place is most like it, and row and column there.
   */
  readonly nearest?: Value;
}

/** A phase of gradient training with its length. */
export interface TrainingPhase {
  readonly phase: Phase;
  readonly epochs: number;
  readonly batchSize: number;
  /** Iterations of an epoch at most, where some of many items are enough; the next epoch goes on with others. */
  readonly mostPerEpoch?: number;
  /**
   * The normals that are held out for the threshold are read instead of the training items, on which a model errs less; for
   * spreads and means of scores. Where fewer than ten are held out, the training items are read.
   */
  readonly of?: 'held-out';
  /**
   * Least share of labelled anomalies in each batch, (0, 1); for supervised models. Where they are rarer they repeat.
   * Without it they come as often as they are.
   */
  readonly anomalyShare?: number;
  /**
   * The first ⌊N / 2⌋ items of each batch are normal and the others labelled anomalies, equally drawn from each of their
   * classes whatever their numbers; for supervised models. An epoch is then a pass over the normal items.
   */
  readonly balanced?: boolean;
  /** Which synthetic defects the steps see as `planted`, for phases that ask for them; images only. */
  readonly defects?: Omit<DefectOptions, 'textures'> & {
    /** A folder of foreign images to fill them with; textures made by rule without one. */
    readonly textureFolder?: string;
  };
}

/** The normal training items, read in order and in blocks. */
export interface FitItems {
  readonly shape: ItemShape;
  readonly count: number;
  /** Blocks of float32 `[n, ...shape]`, images in [0, 1]; every call starts from the first item. */
  blocks(size: number): AsyncIterable<{ readonly count: number; readonly data: Float32Array }>;
  readonly rng: Rng;
}

/** What models that learn by statistics learn from. */
export interface FitData extends FitItems {
  /**
   * What a graph makes of the same blocks on the run's device: outputs by name, each `[n, ...]`. Scopes find pretrained
   * tensors. Progress is told under `task`.
   */
  through(
    task: string,
    build: (net: (group: string) => Scope, x: Value) => Readonly<Record<string, Value>>,
    size: number,
  ): AsyncIterable<{ readonly count: number; readonly outputs: Tensors }>;
  /** Compiles a program for the run's device; whoever asks closes the session. */
  compile(program: Program): Promise<Session>;
  /** Hears progress and logs. */
  readonly onEvent: Listener;
  /** Aborts once the run is cancelled. */
  readonly signal?: AbortSignal;
}

/** A pretrained network that a model sees through. */
export interface BackboneChoice {
  /** Of a backbone, or the path of an ONNX file. */
  readonly name: string;
  /** Empty for the usual ones. */
  readonly taps: readonly string[];
  /** A file of the user instead of the known one. */
  readonly weights?: string;
}

/** How long a fit takes, as a class. */
export type FitTime = 'seconds' | 'minutes' | 'hours';

interface Common<C, N extends string> {
  /** What users type. */
  readonly name: N;
  /** Names that it had before: old runs and commands still use them. */
  readonly formerly?: readonly string[];
  readonly title: string;
  /** One paragraph: the idea. */
  readonly idea: string;
  readonly paper: string;
  /** `supervised` models see labelled anomalies and need a protocol that has some; all others see normal items only. A
   * `baseline` that takes no gradient steps is in every report, beside the model that was trained. */
  readonly learning: 'one-class' | 'supervised' | 'baseline';
  readonly inputs: readonly ItemKind[];
  /** Strict object; every key has a description, a range and a default. */
  readonly config: z.ZodType<C>;
  /** Named sets of options. */
  readonly presets: Readonly<Record<string, Partial<C>>>;
  /**
   * Defaults that follow from the data, where those of the schema do not suit it; presets and given options win. `count`
   * is how many items train; `given` are the options of the preset and of the user, not yet checked, where a default
   * follows from another option.
   */
  defaults?(shape: ItemShape, count: number, given: Partial<C>): Partial<C>;
  /**
   * True of a score that knows nothing of an item. As a baseline its items are drawn, not scored: tables repeat rows, and equal rows
   * would be ranked as one.
   */
  readonly isChance?: true;
  /** What options were, in effect, before there were any: runs that lack them are read so. Only where defaults differ. */
  readonly before?: Partial<C>;
  /**
   * The pretrained network that the options name, undefined where they need none: its tensors are in the group `backbone`,
   * and nothing trains them.
   */
  backbone?(config: C): BackboneChoice | undefined;
  /** The size that image files are brought to unless told otherwise. */
  readonly imageSize?: ImageSize;
  /**
   * How long a fit takes on two cores, of some hundred images or some thousand rows; seconds for models that learn by
   * statistics and minutes for others unless it is said.
   */
  readonly fitTime?: FitTime;
  /** Kinds of items for which it is the model to start with, each with the reason in one phrase. */
  readonly startFor?: Readonly<Partial<Record<ItemKind, string>>>;
  /**
   * Steps of the windows through which it sees series or clips, where a user says nothing; undefined for what is usual. It must
   * not follow from options that `defaults` sets, which are known once windows are.
   */
  window?(config: C, kind: ItemKind): number | undefined;
  /**
   * Standard deviation, in steps, of a Gaussian by which scores are smoothed along each series or clip, wherever they are made in
   * order: for thresholds, for judging, and in predictions. Absent, or 0, for none. An exported file gives scores unsmoothed.
   */
  smoothing?(config: C, kind: ItemKind): number;
  /** False where scores of items that a detector was fitted without say nothing of its threshold; see `foldsFor`. */
  readonly folds?: false;
  /** True of models that keep training items and compare with them: an item that was trained on would find itself. */
  readonly keepsItems?: true;
  /**
   * Scores of the steps `[T]` of one series by itself, larger = more anomalous, from its finite values `[T, D]`: the protocol
   * `whole` for models that keep items. `window` is its period, or the window that was asked for. DataError where it is too short.
   */
  wholeSeries?(
    config: C,
    values: Float64Array,
    about: { readonly channels: number; readonly window: number },
  ): Float64Array;
  /** Options with which the model fits in a second. */
  readonly tiny: Partial<C>;
  /** Options, other than numbers of epochs, that a quick look at a benchmark needs to be quick. */
  readonly quick?: Partial<C>;
  /** Shapes, of a kind among `inputs`, that the model cannot take: a sentence, or undefined. */
  unsuitable?(config: C, shape: ItemShape): Said | undefined;
  /**
   * The scoring graph of x with N symbolic: images `[N, C, H, W]` in [0, 1], rows `[N, D]` and windows of series
   * `[N, L, D]` scaled by the training part, windows of clips `[N, L, C, H, W]` in [0, 1].
   * Parameters are asked of the scopes by the names under which they were learnt; preprocessing belongs here.
   */
  score(config: C, net: (group: string) => Scope, x: Value): Scoring;
  /** How the score `[N]` follows from the map, for models whose score does: a map can then be rescaled before. */
  pool?(config: C, map: Value): Value;
}

/** A model learns by gradient, by statistics in one pass, or not at all. */
export type Model<C = Record<string, unknown>, N extends string = string> = Common<C, N> &
  (
    | { readonly learns: 'gradient'; phases(config: C, shape: ItemShape): readonly TrainingPhase[] }
    | {
        readonly learns: 'statistics';
        fit(config: C, data: FitData): Promise<Tensors>;
        /**
         * What `fit` learns from other items, from what it has learnt: `kept` are the numbers of the former training items
         * that stay, in order, and `added` follow them, possibly none.
         */
        update?(config: C, learnt: Tensors, kept: Uint32Array, added: FitData): Promise<Tensors>;
      }
    | { readonly learns: 'none' }
  );

/** A model of any options, as registries hold them. */
// biome-ignore lint/suspicious/noExplicitAny: whatever its options are.
export type AnyModel = Model<any>;

/** How long a fit of the model takes, as it says or as it learns. */
export const fitTimeOf = ({ fitTime, learns }: AnyModel): FitTime =>
  fitTime ?? (learns === 'gradient' ? 'minutes' : 'seconds');

/** What an option may hold: what fits behind a flag of the command line. */
export type OptionValue = string | number | boolean;

/**
 * A model as given, typed by its own name and by its schema: methods get their options without a type being written, and
 * `tiny`, `presets` and `defaults` can name no others.
 * @example
 * const knn = defineModel({ name: 'knn', config: z.strictObject({ k: z.int().default(5).describe('…') }), … });
 */
export function defineModel<const N extends string, S extends z.ZodObject<Record<string, z.ZodType<OptionValue>>>>(
  model: Model<z.infer<S>, N> & { readonly config: S },
): Model<z.infer<S>, N> {
  return model;
}
