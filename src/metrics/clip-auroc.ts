/**
 * AUROC of frames where clips are told apart, as the literature of video has it (evaluate.py of Accurate-Interpretable-VAD). The
 * AUROC of all items is its micro AUROC: all frames of all test clips in one list. Macro is the mean over clips. Reconstruction
 * papers bring each clip to [0, 1] before they take the micro AUROC; that uses the highest and the lowest score of a whole clip,
 * which no running camera has, and flatters: the figure is for comparisons, and a detail.
 */
import { aurocOf } from './auroc.ts';
import { defineMetric, type ItemInputs, type NoValue } from './define.ts';
import { rankCounts } from './rank-counts.ts';

/** The largest float64: no score is above it. */
const MOST = Number.MAX_VALUE;

/** Positions of the items of each clip, in the order in which clips first come. */
function membersOf(clips: ArrayLike<number>): readonly (readonly number[])[] {
  const found = new Map<number, number[]>();
  for (let i = 0; i < clips.length; i++) {
    const own = found.get(clips[i]);
    if (own) own.push(i);
    else found.set(clips[i], [i]);
  }
  return [...found.values()];
}

/**
 * Mean over clips of the AUROC of [0, s…, most] under the labels [0, y…, 1]: a normal frame of score 0 and an anomalous one above
 * all are added, so that clips of one label have a value. They inflate it; a normal clip whose scores are not below 0 gets 1.
 */
export function macroAuroc({ scores, labels, clips }: ItemInputs<'clips'>): number {
  const values = membersOf(clips).map((own) => {
    const list = [0, ...own.map((i) => scores[i]), MOST];
    return aurocOf(rankCounts(list, [0, ...own.map((i) => labels[i]), 1])!); // both labels are there
  });
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Scores brought to [0, 1] clip by clip; 0 where all of a clip are the same. */
export function minMaxByClip(scores: ArrayLike<number>, clips: ArrayLike<number>): Float64Array {
  const out = new Float64Array(scores.length);
  for (const own of membersOf(clips)) {
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const i of own) [low, high] = [Math.min(low, scores[i]), Math.max(high, scores[i])];
    for (const i of own) out[i] = high > low ? (scores[i] - low) / (high - low) : 0;
  }
  return out;
}

function minMaxAuroc({ scores, labels, clips }: ItemInputs<'clips'>): number | NoValue {
  const counts = rankCounts(minMaxByClip(scores, clips), labels);
  return counts ? aurocOf(counts) : { reason: 'A score is infinite, so a clip has no range.' };
}

const shared = { level: 'item', range: [0, 1], better: 'higher', needs: ['both-labels', 'clips'] } as const;

/** Frame-level AUROC, macro. */
export const itemMacroAuroc = defineMetric({
  ...shared,
  name: 'macroAuroc',
  title: 'AUROC, macro',
  short: 'AUROC macro',
  meaning:
    'mean over clips of their AUROC, each with a normal frame of score 0 and a sure anomaly added, which inflates it',
  compute: macroAuroc,
});

/** Frame-level AUROC, micro, after each clip was brought to [0, 1]. */
export const itemMinMaxAuroc = defineMetric({
  ...shared,
  name: 'minMaxAuroc',
  title: 'AUROC, min-max by clip',
  short: 'AUROC min-max',
  meaning:
    'AUROC after each clip was brought to [0, 1] by its own scores, as some papers do; knows the future and flatters',
  isDetail: true,
  compute: minMaxAuroc,
});
