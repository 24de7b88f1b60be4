/** Learning-rate schedules: a factor on the first rate, from the iteration (from 0) and the total number. */
export type Schedule = (iteration: number, total: number) => number;

/** Always 1. */
export const constant: Schedule = () => 1;

/** Times `factor` at each milestone, given as shares of the whole training. */
export const milestones =
  (at: readonly number[], factor = 0.1): Schedule =>
  (iteration, total) =>
    factor ** at.filter((m) => iteration >= m * total).length;

/** From 1 down to `floor` along half a cosine (Loshchilov & Hutter 2017, without restarts). */
export const cosineDecay =
  (floor = 0): Schedule =>
  (iteration, total) =>
    floor + ((1 - floor) * (1 + Math.cos((Math.PI * iteration) / Math.max(1, total)))) / 2;

/** Rises from 0 to 1 over `share` of the training, then follows `next`. */
export const warmUp =
  (share: number, next: Schedule): Schedule =>
  (iteration, total) =>
    Math.min(1, (iteration + 1) / Math.max(1, share * total)) * next(iteration, total);
