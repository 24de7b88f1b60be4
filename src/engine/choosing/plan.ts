/**
 * What is tried, and what is left out for lack of time: decided by counted multiplications, so that the same data and seed give the
 * same choice whatever else the machine does.
 */
import type { Backbone } from '../../backbones/index.ts';
import type { ImageShape } from '../../core/item-shape.ts';
import type { Assess, Combination } from './assess.ts';
import { measureBackbone } from './candidates.ts';

/** Multiplications a second of two cores, a low guess: a plan must hold on a slow machine too. */
const SPEED = 60e9;
/** Seconds that the fit of what is chosen may take, for so many images. */
export const FIT = { seconds: 60, images: 240 };

/** Combinations through one backbone at one size, with what they would cost. */
export interface Step {
  readonly backbone: Backbone;
  readonly size: readonly [height: number, width: number];
  readonly combinations: readonly Combination[];
  /** How images are laid first. */
  readonly align?: Assess['align'];
  /** As planned. */
  readonly seconds: number;
}

/** What was not tried, and why. */
export interface LeftOut {
  readonly what: string;
  readonly why: string;
}

/** How many images train and are judged. */
export interface Counts {
  readonly known: number;
  readonly jury: number;
}

/** `oddity, 256x384 px`. */
export const nameOfStep = ({ backbone, size }: Pick<Step, 'backbone' | 'size'>): string =>
  `${backbone.name}, ${size.join('x')} px`;

/** Combinations through a backbone at a size, without what would take too long to fit; or the reason for none. */
export function stepOf(
  backbone: Backbone,
  [channels, ...size]: ImageShape,
  { known, jury }: Counts,
  usable: readonly Combination[],
): { readonly step?: Step; readonly leftOut: readonly LeftOut[] } {
  const what = nameOfStep({ backbone, size });
  if (usable.length === 0) return { leftOut: [] };
  const taps = [...new Set(usable.flatMap((one) => one.taps))];
  const { products, grids } = measureBackbone(backbone, [channels, ...size], taps);
  const costs = usable.map(({ detector, taps }) => {
    const places = Math.max(...taps.map((tap) => grids.get(tap)![1] * grids.get(tap)![2]));
    const width = taps.reduce((n, tap) => n + grids.get(tap)![0], 0);
    const fit = (images: number) => detector.fitCost({ images, places, channels: width });
    return {
      trial: fit(known) + jury * detector.scoreCost({ places, channels: width }),
      whole: (detector.passes * FIT.images * products + fit(FIT.images)) / SPEED,
    };
  });
  const combinations = usable.filter((_, i) => costs[i].whole <= FIT.seconds);
  const slow = usable.filter((_, i) => costs[i].whole > FIT.seconds);
  const leftOut = [...new Set(slow.map(({ detector }) => detector.model))].map((model) => {
    const longest = Math.max(...usable.map((one, i) => (one.detector.model === model ? costs[i].whole : 0)));
    return {
      what: `${model}, ${what}`,
      why: `to fit it to ${FIT.images} images would take about ${Math.round(longest)} s, more than ${FIT.seconds} s`,
    };
  });
  if (combinations.length === 0) return { leftOut };
  const trial = usable.reduce((sum, _, i) => sum + (costs[i].whole <= FIT.seconds ? costs[i].trial : 0), 0);
  return { step: { backbone, size, combinations, seconds: ((known + jury) * products + trial) / SPEED }, leftOut };
}

/** The steps that fit into a number of seconds, in their order; the others are left out. */
export function within(
  steps: readonly Step[],
  seconds: number,
): { readonly taken: Step[]; readonly leftOut: LeftOut[] } {
  const taken: Step[] = [];
  const leftOut: LeftOut[] = [];
  let left = seconds;
  for (const step of steps) {
    if (step.seconds <= left) {
      taken.push(step);
      left -= step.seconds;
    } else
      leftOut.push({
        what: nameOfStep(step),
        why: `it would take about ${Math.round(step.seconds)} s, and ${Math.max(0, Math.round(left))} s were left`,
      });
  }
  return { taken, leftOut };
}
