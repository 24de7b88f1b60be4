/** How well scores of a jury tell what was planted – by kind, on average, and how much that may be chance – and who wins by that. */
import type { Rng } from '../../core/random.ts';
import type { PlantedKind } from '../../data/pure.ts';
import type { PlantedJudges } from './judges.ts';

/** AUROC on planted defects. */
export interface Judgement {
  /** Mean over kinds, so that no kind decides alone. */
  readonly figure: number;
  /** 95 % bootstrap interval over judges. */
  readonly interval: readonly [low: number, high: number];
  readonly kinds: Readonly<Partial<Record<PlantedKind, number>>>;
}

/** What a setting is ranked by. */
interface Standing {
  /** Absent where it failed. */
  readonly figure?: number;
  /** Share of the planted defects at whose place its map is highest. */
  readonly located?: number;
  readonly place?: number;
}

const ROUNDS = 200;
/** AUROC below which a difference is none: then the one that finds the place of more defects is chosen. */
export const LEVEL = 0.01;

/**
 * Judges scores `[images of the jury]`, larger = more anomalous. Of each kind the share of pairs, planted and normal, that are in
 * the right order, ties half; a planted image is not compared with the one that it was made of.
 */
export function judgeScores(
  { judge, kind }: Pick<PlantedJudges, 'judge' | 'kind'>,
  scores: ArrayLike<number>,
  rng: Rng,
): Judgement {
  const normals = [...kind.keys()].filter((i) => kind[i] === undefined);
  const kinds = [...new Set(kind.filter((k) => k !== undefined))];
  const pairs = kinds.map((name) =>
    [...kind.keys()]
      .filter((i) => kind[i] === name)
      .map((i) => ({
        own: judge[i],
        wins: normals.map((n) => (scores[i] > scores[n] ? 1 : scores[i] === scores[n] ? 0.5 : 0)),
      })),
  );
  const byKind = (weight: (judge: number) => number) =>
    pairs.map((planted) => {
      let [sum, total] = [0, 0];
      for (const { own, wins } of planted)
        for (const [k, n] of normals.entries()) {
          if (judge[n] === own) continue;
          const w = weight(own) * weight(judge[n]);
          sum += w * wins[k];
          total += w;
        }
      return total > 0 ? sum / total : Number.NaN;
    });
  const mean = (values: readonly number[]) => {
    const known = values.filter((v) => !Number.isNaN(v));
    return known.reduce((a, b) => a + b, 0) / Math.max(1, known.length);
  };
  const found = byKind(() => 1);
  const count = Math.max(...judge) + 1;
  const rounds = Array.from({ length: ROUNDS }, () => {
    const drawn = new Uint16Array(count);
    for (let i = 0; i < count; i++) drawn[rng.int(count)]++;
    return mean(byKind((j) => drawn[j]));
  }).sort((a, b) => a - b);
  return {
    figure: mean(found),
    interval: [rounds[Math.floor(0.025 * ROUNDS)], rounds[Math.ceil(0.975 * ROUNDS) - 1]],
    kinds: Object.fromEntries(kinds.map((name, i) => [name, found[i]])),
  };
}

export const figureOf = ({ figure = Number.NEGATIVE_INFINITY }: Standing) => figure;

/** The best first, with their places. */
export const ranked = <One extends Standing>(tried: readonly One[]): (One & Pick<Standing, 'place'>)[] =>
  [...tried]
    .sort((a, b) => figureOf(b) - figureOf(a))
    .map((one, i) => (one.figure === undefined ? one : { ...one, place: i + 1 }));

/** Of some in their order the first, or one that is as good and finds the place of more defects. */
export function winner<One extends Standing>(order: readonly One[]): One {
  const level = order.filter((one) => figureOf(one) >= figureOf(order[0]) - LEVEL);
  return level.reduce((a, b) => ((b.located ?? 0) > (a.located ?? 0) ? b : a));
}
