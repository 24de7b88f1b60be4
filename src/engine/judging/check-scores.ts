/**
 * Whether a detector can tell anything: its scores of normal items must differ, and items that are like none of them must
 * get others. In one place for all models, before an artefact is written.
 */
import { DataError } from '../../core/errors.ts';
import type { Listener } from '../../core/events.ts';
import { itemSize, pictureShape } from '../../core/item-shape.ts';
import { Rng } from '../../core/random.ts';
import { float32 } from '../../core/tensor.ts';
import type { Source } from '../../data/pure.ts';
import { kindOf } from '../../kinds/index.ts';
import type { AnyModel } from '../../models/index.ts';
import type { Session } from '../../runtime/index.ts';

/** Scores that are no larger than this share of the square of the largest value are float32's rounding. */
const ROUNDING = 1e-10;
/** Scores that differ by no more than this share of the largest are the same but for rounding. */
const SAME = 1e-6;
/** Items that are changed to see whether scores answer. */
const PROBES = 8;
/** How far a row is moved, in units of its inputs: scaled columns of training rows lie within a few. */
const FAR = 10;

/** What scores are made from. */
interface Scored {
  readonly model: AnyModel;
  readonly session: Session;
  readonly source: Source;
  /** Normal items that the detector may have seen or not. */
  readonly items: Uint32Array;
  /** Those of the scores that the detector itself made; the others are of folds. */
  readonly own: Float32Array;
}

/** Scores that are the same, or so small that they are rounding. */
function suspicion(scores: Float32Array): 'tied' | 'tiny' | undefined {
  if (scores.length === 0) return undefined;
  const low = scores.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const high = scores.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const size = Math.max(Math.abs(low), Math.abs(high));
  if (scores.length > 1 && high - low <= SAME * size) return 'tied';
  return size <= ROUNDING ? 'tiny' : undefined;
}

/**
 * Warns `tied-scores` when normal items all score the same, or differ by rounding alone, and says why as a sentence;
 * undefined where nothing is wrong. Fewer than two scores are never tied.
 * @throws DataError `scores` for scores that are not finite, `blind` when items unlike any normal one score the same.
 */
export async function checkScores(
  scores: Float32Array,
  { model, session, source, items, own }: Scored,
  onEvent: Listener,
): Promise<string | undefined> {
  const bad = scores.findIndex((score) => !Number.isFinite(score));
  if (bad >= 0) {
    throw new DataError(
      'scores',
      `${model.name} scored a normal item with ${scores[bad]}, so its scores mean nothing. Look for values far outside ` +
        'the others, or use another model.',
    );
  }
  const found = suspicion(scores);
  const probed = items.subarray(0, PROBES);
  if (probed.length === 0 || (scores.length > 0 && !found && !suspicion(own))) return undefined;
  const { largest, before, change } = await probe({ session, source }, probed);
  if (!(change > Math.max(SAME * before, ROUNDING * Math.max(1, largest) ** 2)))
    throw blind(model, scores.length, source);
  if (scores.length < 2 || !found) return undefined;
  const { items: what } = kindOf(source.shape).words;
  const message =
    found === 'tied'
      ? `All ${scores.length} normal ${what} score ${scores[0]}: the threshold separates them from nothing, and whatever differs at all may alarm.`
      : `Scores of normal ${what} are as small as rounding (such as ${scores[0]}): the threshold may separate rounding from rounding.`;
  onEvent({ type: 'warning', code: 'tied-scores', message: `${message} Use another model, or data with more detail.` });
  return message;
}

function blind({ name }: AnyModel, normals: number, { shape, name: data }: Source): DataError {
  const { items } = kindOf(shape).words;
  const found = normals > 0 ? `${normals} normal ones score the same but for rounding` : 'normal ones score the same';
  return new DataError(
    'blind',
    `${name} cannot tell ${items} of ${data} apart: ${found}, and so do ${items} far from all of them. Use another model or other options of it.`,
  );
}

/** By how much scores of some items change once these are beyond recognition, the largest score before, and the largest value. */
async function probe({ session, source }: Pick<Scored, 'session' | 'source'>, items: Uint32Array) {
  const { shape, encoding } = source;
  const size = itemSize(shape);
  const values = new Float32Array(items.length * size);
  await source.read(items, values);
  const noise = new Rng(1, 'probe').uniforms(values.length);
  const [low, high] = encoding?.clip ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const changed = pictureShape(shape)
    ? values.map((v, i) => (Math.floor(i / size) % 2 === 0 ? 1 - v : noise[i]))
    : values.map((v, i) => Math.min(high, Math.max(low, v + (noise[i] < 0.5 ? -FAR : FAR))));
  const { name } = kindOf(shape).input;
  const score = async (data: Float32Array) => {
    const out = await session.run({ [name]: float32(data, [items.length, ...shape]) }, { fetch: ['score'] });
    return out.score.data as Float32Array;
  };
  const [first, second] = [await score(values), await score(changed)];
  const largestOf = (list: Float32Array) => list.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  const change = largestOf(second.map((v, i) => v - first[i]));
  return { change, before: largestOf(first), largest: largestOf(changed) };
}
