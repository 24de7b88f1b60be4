/**
 * The contracts of what learns step by step: a detector gives each point of a stream a score, a threshold decides on each
 * score. Both are values with a schema of their options; what they open holds all that was learnt in typed arrays, so that
 * saving, restoring and checking are written once, here.
 */
import type * as z from 'zod';
import { ConfigError } from '../core/errors.ts';
import { Rng } from '../core/random.ts';
import { checkKeys, propertiesOf, rangeOf } from '../core/schema.ts';
import { checkWidth, decodeState, encodeState, isWhole, type StateArrays, sameHead, takeArrays } from './state.ts';

/** What a detector says of one point. */
export interface StreamScore {
  /** Larger means more anomalous; null while the detector has not seen enough to tell (its warm-up). */
  readonly score: number | null;
  /** The values that were expected `[D]`, in the units of the point, from earlier points; absent where a detector expects nothing. */
  readonly expected?: Float64Array;
  /** What each channel adds to the score `[D]`; the parts add up to the score. */
  readonly parts?: Float64Array;
}

/** What a threshold says of one score. */
export interface StreamVerdict {
  /** The threshold that this score met; null while it is being calibrated. */
  readonly threshold: number | null;
  /** True where the score is beyond it. */
  readonly exceeds: boolean;
}

/** What saves and restores itself: `restore` takes what `save` of an equally opened one gave, and both go on alike. */
export interface Saved {
  /** Everything learnt so far; equal states give equal bytes. */
  save(): Uint8Array;
  /** Replaces what was learnt. DataError `stream-state-damaged` and `stream-state-other`; then nothing has changed. */
  restore(bytes: Uint8Array): void;
}

/** A detector at work on one stream. */
export interface DetectorStream extends Saved {
  /** D. */
  readonly channels: number;
  /**
   * The score of a point `[D]` from what came before it, then learns the point. A point with a value that is not a finite
   * number gives undefined and changes nothing: whoever calls counts such points and tells. DataError `stream-channels`
   * where D differs.
   */
  push(point: Float64Array): StreamScore | undefined;
}

/** A threshold at work on the scores of one stream. */
export interface ThresholdStream extends Saved {
  /** The verdict on a finite score from the scores before it, then learns the score. */
  push(score: number): StreamVerdict;
}

/** What is learnt, in arrays of fixed length, and what goes on outside of them. */
interface Learner {
  readonly arrays: StateArrays;
  /** Brings the arrays up to date before they are saved. */
  beforeSave?(): void;
  /** Makes what follows from the arrays after they were replaced. */
  afterRestore?(): void;
}

/** What the author of a detector writes: points are finite and have D values. */
export interface DetectorLearner extends Learner {
  push(point: Float64Array): StreamScore;
}

/** What the author of a threshold writes. */
export interface ThresholdLearner extends Learner {
  push(score: number): StreamVerdict;
}

/** What is known of a detector or threshold by name. */
interface Described<S extends z.ZodObject> {
  /** As in files and on the command line: `half-space-trees`. */
  readonly name: string;
  readonly title: string;
  /** One sentence. */
  readonly summary: string;
  /** Options with defaults and ranges. */
  readonly config: S;
}

/** A detector of streams as a value. */
export interface StreamDetector<S extends z.ZodObject = z.ZodObject> extends Described<S> {
  /** Starts on a stream of D `channels`. ConfigError `unknown-option`, `option-range`. The same seed gives the same scores. */
  open(channels: number, options?: z.input<S>, seed?: number): DetectorStream;
}

/** A threshold of streams as a value. */
export interface StreamThreshold<S extends z.ZodObject = z.ZodObject> extends Described<S> {
  /** Starts on the scores of a stream. ConfigError `unknown-option`, `option-range`. */
  open(options?: z.input<S>): ThresholdStream;
}

/** A detector whatever its options. */
// biome-ignore lint/suspicious/noExplicitAny: each detector types its own options.
export type AnyStreamDetector = StreamDetector<any>;
/** A threshold whatever its options. */
// biome-ignore lint/suspicious/noExplicitAny: each threshold types its own options.
export type AnyStreamThreshold = StreamThreshold<any>;

/** A detector from its description and its learner. */
export function defineStreamDetector<S extends z.ZodObject>(
  definition: Described<S> & { learn(config: z.output<S>, channels: number, rng: Rng): DetectorLearner },
): StreamDetector<S> {
  const { learn, ...described } = definition;
  return {
    ...described,
    open(channels, options, seed = 1) {
      if (!Number.isInteger(channels) || channels < 1)
        throw new ConfigError('stream-channels', `A stream must have one channel or more, got ${channels}.`);
      const config = configOf(described, options);
      const learner = learn(config, channels, new Rng(seed).split('stream').split(described.name));
      return {
        channels,
        push(point) {
          checkWidth(point, channels);
          return isWhole(point) ? learner.push(point) : undefined;
        },
        ...saving(`detector ${described.name}`, { channels, options: config, seed }, learner),
      };
    },
  };
}

/** A threshold from its description and its learner. */
export function defineStreamThreshold<S extends z.ZodObject>(
  definition: Described<S> & { learn(config: z.output<S>): ThresholdLearner },
): StreamThreshold<S> {
  const { learn, ...described } = definition;
  return {
    ...described,
    open(options) {
      const config = configOf(described, options);
      const learner = learn(config);
      return {
        push: (score) => learner.push(score),
        ...saving(`threshold ${described.name}`, { options: config }, learner),
      };
    },
  };
}

/** Options with defaults. ConfigError `unknown-option`, `option-range`. */
export function configOf<S extends z.ZodObject>(
  { name, config: schema }: Pick<Described<S>, 'name' | 'config'>,
  options: z.input<S> | undefined,
): z.output<S> {
  const given: Readonly<Record<string, unknown>> = options ?? {};
  const properties = propertiesOf(schema);
  checkKeys(given, Object.keys(properties), name, ['config']);
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const key = String(issue.path[0] ?? '');
  const property = properties[key];
  const must = issue.code === 'custom' || !property ? issue.message : rangeOf(property);
  throw new ConfigError('option-range', { of: name, option: ['config', key], value: given[key], must });
}

/** `save` and `restore` of what a learner holds. */
export function saving(kind: string, head: Readonly<Record<string, unknown>>, learner: Learner): Saved {
  return {
    save() {
      learner.beforeSave?.();
      return encodeState(kind, head, learner.arrays);
    },
    restore(bytes) {
      const saved = decodeState(kind, bytes);
      sameHead(head, saved.head);
      takeArrays(learner.arrays, saved.arrays);
      learner.afterRestore?.();
    },
  };
}

/** The largest of some amounts as a score, and the score split among the channels in proportion to their amounts. */
export function largestAsScore(amounts: Float64Array): { readonly score: number; readonly parts: Float64Array } {
  let [score, sum] = [0, 0];
  for (let c = 0; c < amounts.length; c++) {
    score = Math.max(score, amounts[c]);
    sum += amounts[c];
  }
  return { score, parts: amounts.map((amount) => (sum > 0 ? (score * amount) / sum : 0)) };
}
