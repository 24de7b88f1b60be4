/**
 * Chooses a detector for images and its options from normals alone: candidates learn from some of the training images, and must
 * tell other training images from the same with planted defects. All backbones are tried at a small size and their usual taps first;
 * the two best then at larger sizes, since a defect of few pixels is gone from a small image, and at their best sizes with other
 * taps. What is far behind is not tried again. At last the best is tried on images that are laid on their median, where they show
 * one part in several poses. No test item takes part, nor any that is held out for the threshold.
 */
import type { Backbone } from '../../backbones/index.ts';
import { Cancelled, DataError, type ErrorData, errorData, OddityError } from '../../core/errors.ts';
import { type Listener, silent } from '../../core/events.ts';
import type { ImageShape } from '../../core/item-shape.ts';
import type { Rng } from '../../core/random.ts';
import { type PlantedKind, plantedKinds, type Source } from '../../data/pure.ts';
import { findModel } from '../../models/index.ts';
import type { Runtime } from '../../runtime/index.ts';
import { pretrainedOf } from '../fit.ts';
import type { Platform } from '../platform.ts';
import { type Assessed, assess, type Combination } from './assess.ts';
import { detectorChoices, measureBackbone, sizesOf, tapSetsOf } from './candidates.ts';
import { LEAST_JUDGES, type PlantedJudges, partsOf, plantJudges } from './judges.ts';
import { type LeftOut, nameOfStep, type Step, stepOf, within } from './plan.ts';
import { poseToTry } from './pose.ts';
import { figureOf, type Judgement, judgeScores, LEVEL, ranked, winner } from './rank.ts';

/** A detector with its options, and how it did. */
export interface TriedSettings extends Partial<Judgement> {
  readonly model: string;
  readonly backbone: string;
  readonly taps: readonly string[];
  /** Height and width of images. */
  readonly size: readonly [height: number, width: number];
  /** Options of the model other than its defaults: what to train it with, but for those that follow from the number of images. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Share of the planted defects at whose place its map is highest. */
  readonly located?: number;
  readonly seconds: number;
  /** Place by AUROC, from 1; absent where it failed. */
  readonly place?: number;
  readonly error?: ErrorData;
}

/** What was chosen, from what, and why. */
export interface ImageChoice {
  /** Absent where too few normals train to choose. */
  readonly chosen?: TriedSettings;
  /** Options to train it with: those that it was tried with, for all of the images. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly reason: string;
  /** The best first, those that failed last. */
  readonly tried: readonly TriedSettings[];
  readonly leftOut: readonly LeftOut[];
  /** How many defects of each kind were planted. */
  readonly planted: Readonly<Partial<Record<PlantedKind, number>>>;
  /** Normals that candidates learnt from, and those that something was planted into. */
  readonly counts: { readonly known: number; readonly judges: number };
  readonly seconds: number;
}

/** What is chosen for, and with what. */
export interface ChooseImages {
  readonly source: Source;
  /** Normal items of the training part. */
  readonly normals: Uint32Array;
  readonly rng: Rng;
  readonly runtime: Runtime;
  readonly platform: Pick<Platform, 'loadBackbone'>;
  /** Backbones whose weights are at hand, the first to start with. */
  readonly backbones: readonly Backbone[];
  /** Only the size of the source, where the user chose it or images have no other. */
  readonly onlyOwnSize?: boolean;
  /** Seconds by which everything is to be done; default 180. */
  readonly budget?: number;
  readonly onEvent?: Listener;
  readonly signal?: AbortSignal;
}

/** Seconds. */
const BUDGET = 180;
/** Share of the budget that may be planned: machines differ, and so do plans from what happens. */
const PLANNED = 0.75;
/** Share of that for the first round, and of what is left for the second; the third has the rest. */
const SHARES = { first: 0.6, sizes: 0.6 };
/** Backbones that come into the second round and the third. */
const BACKBONES = 2;
/** Detectors of each that are tried at larger sizes and with other taps. */
const CONTENDERS = 2;
/** AUROC that a contender may be behind the best. */
const MARGIN = 0.1;

/**
 * Chooses by planted defects.
 * @throws Cancelled; what reading the images throws. What goes wrong with one candidate is in its line of `tried`.
 */
export async function chooseForImages(options: ChooseImages): Promise<ImageChoice> {
  const { source, normals, rng, backbones, onlyOwnSize, budget = BUDGET, onEvent = silent, signal } = options;
  const begin = performance.now();
  const spent = () => (performance.now() - begin) / 1000;
  const { known, judges } = partsOf(normals, rng);
  const counts = { known: known.length, judges: judges.length };
  const nothing = { tried: [], leftOut: [], planted: {}, counts };
  if (judges.length < LEAST_JUDGES) {
    const reason = `only ${normals.length} normal images train; to choose by planted defects takes ${4 * LEAST_JUDGES}`;
    return { ...nothing, reason, seconds: spent() };
  }
  onEvent({ type: 'progress', task: 'choose, plant defects', done: 0, total: judges.length, unit: 'images' });
  const jury = await plantJudges(source, judges, rng);
  const tried: TriedSettings[] = [];
  const leftOut: LeftOut[] = [];
  const [channels, ...own] = source.shape as ImageShape;
  const sizes = onlyOwnSize ? [own] : sizesOf(own);
  const stepAt = (backbone: Backbone, size: Step['size'], only: readonly Combination[]): Step[] => {
    const made = stepOf(backbone, [channels, ...size], { known: known.length, jury: jury.images.length }, only);
    leftOut.push(...made.leftOut);
    return made.step ? [made.step] : [];
  };
  const take = async (steps: readonly Step[]) => {
    for (const step of steps) {
      // The first is never cut short: something must be chosen, on a slow machine too.
      const left = tried.length === 0 ? undefined : budget - spent();
      if (left !== undefined && left <= 0)
        leftOut.push({ what: nameOfStep(step), why: `all of the ${budget} s were spent` });
      else tried.push(...(await takeStep(step, { ...options, items: known, jury, left })));
    }
  };
  let left = PLANNED * budget;
  const round = async (steps: readonly Step[], share: number) => {
    const { taken, leftOut: late } = within(steps, share * left);
    leftOut.push(...late);
    await take(taken);
    left -= taken.reduce((sum, { seconds }) => sum + seconds, 0);
  };
  const [smallest, ...larger] = sizes;
  await round(
    backbones.flatMap((backbone) => stepAt(backbone, smallest, combinationsOf(usable(backbone, smallest)[0]))),
    SHARES.first,
  );
  await round(
    bestBackbones(tried, backbones).flatMap((backbone) => {
      const combinations = contenders(tried, backbone).map(combinationOf);
      return larger.toReversed().flatMap((size) => stepAt(backbone, size, combinations));
    }),
    SHARES.sizes,
  );
  await round(
    bestBackbones(tried, backbones).flatMap((backbone) => {
      const found = contenders(tried, backbone);
      const models = found.map(({ model }) => model);
      return found.slice(0, 1).flatMap(({ size }) => {
        const others = usable(backbone, size).filter((taps) => taps.join() !== backbone.usual.join());
        const combinations = others.flatMap(combinationsOf).filter(({ detector }) => models.includes(detector.model));
        return stepAt(backbone, size, combinations);
      });
    }),
    1,
  );
  if (spent() < budget) await take(await laidStep(tried, { ...options, known, stepAt, leftOut }));
  if (signal?.aborted) throw new Cancelled();
  const order = ranked(tried);
  const [first] = order;
  const planted = plantedIn(jury);
  const rest = { tried: order, leftOut, planted, counts, seconds: spent() };
  if (first?.figure === undefined) {
    const [late] = leftOut;
    const reason =
      !first && late ? `no candidate could be tried: ${late.what}, since ${late.why}` : 'no candidate could be fitted';
    return { ...rest, reason };
  }
  const chosen = winner(order);
  return { ...rest, chosen, config: configFor(chosen, options), reason: reasonOf(chosen, rest) };
}

/** What would be chosen of what was tried, with images laid on their median, where that may help. */
async function laidStep(
  tried: readonly TriedSettings[],
  {
    known,
    stepAt,
    leftOut,
    backbones,
    ...about
  }: ChooseImages & {
    readonly known: Uint32Array;
    readonly stepAt: (backbone: Backbone, size: Step['size'], only: readonly Combination[]) => Step[];
    readonly leftOut: LeftOut[];
  },
): Promise<Step[]> {
  const order = ranked(tried);
  if (order[0]?.figure === undefined) return [];
  const best = winner(order);
  const { size, model } = best;
  const backbone = backbones.find(({ name }) => name === best.backbone)!;
  const found = await poseToTry({ ...about, items: known, size });
  if ('align' in found) return stepAt(backbone, size, [combinationOf(best)]).map((step) => ({ ...step, ...found }));
  leftOut.push({ what: `${model}, ${nameOfStep({ backbone, size })}, laid on the median image`, why: found.why });
  return [];
}

/** The options that were tried, with those that follow from how many images train. */
function configFor(
  { model, backbone, taps, size, config }: TriedSettings,
  { source, normals, backbones }: ChooseImages,
) {
  const [channels] = source.shape as ImageShape;
  const { grids } = measureBackbone(backbones.find(({ name }) => name === backbone)!, [channels, ...size], taps);
  const places = Math.max(...[...grids.values()].map(([, height, width]) => height * width));
  return { ...config, ...detectorChoices.find((one) => one.model === model)!.config(places, normals.length) };
}

/** Assesses a step within the seconds that are left. */
async function takeStep(
  step: Step,
  about: ChooseImages & { readonly items: Uint32Array; readonly jury: PlantedJudges; readonly left?: number },
): Promise<TriedSettings[]> {
  const { backbone, size, combinations } = step;
  const { platform, onEvent = silent, signal, left, rng, jury } = about;
  const times = left === undefined ? [] : [AbortSignal.timeout(Math.ceil(1000 * left))];
  const both = AbortSignal.any([...times, ...(signal ? [signal] : [])]);
  const failed = (error: OddityError) =>
    combinations.map(({ detector: { model }, taps }) => ({
      ...{ model, backbone: backbone.name, taps, size, config: {}, seconds: 0, error: errorData(error) },
    }));
  try {
    const [{ detector }] = combinations;
    const taps = [...new Set(combinations.flatMap((one) => one.taps))];
    const model = findModel(detector.model);
    const pretrained = await pretrainedOf({ ...model, backbone: () => ({ name: backbone.name, taps }) }, {}, platform, {
      onEvent,
      signal: both,
    });
    const found = await assess({ ...about, ...step, pretrained: pretrained ?? {}, onEvent, signal: both });
    const judged = found.map((one) => settingsOf(one, step, { jury, rng }));
    for (const { model, taps, figure } of judged) {
      const how = figure === undefined ? 'it could not be fitted' : `AUROC ${figure.toFixed(3)} on planted defects`;
      const message = `choose  ${model} ${backbone.name} ${taps.join(',')} ${size.join('x')} px: ${how}`;
      onEvent({ type: 'log', level: 'info', message });
    }
    return judged;
  } catch (error) {
    if (signal?.aborted || !(error instanceof OddityError)) throw error;
    const late = new DataError('no-time', 'It took longer than the time that was left.');
    return failed(error instanceof Cancelled ? late : error);
  }
}

/** The best way of a detector to its score, judged. */
function settingsOf(
  { combination, config, scores, located, seconds, error }: Assessed,
  { backbone, size }: Step,
  { jury, rng }: { readonly jury: PlantedJudges; readonly rng: Rng },
): TriedSettings {
  const { detector, taps } = combination;
  const about = { model: detector.model, backbone: backbone.name, taps, size, seconds };
  if (error) return { ...about, config, error: errorData(error) };
  const judged = scores.map(({ way, scores }) => ({ way, ...judgeScores(jury, scores, rng.split('interval')) }));
  const { way, ...judgement } = judged.reduce((a, b) => (b.figure > a.figure + LEVEL / 10 ? b : a));
  return { ...about, config: { ...config, ...way }, located, ...judgement };
}

/** The best of a backbone that are not far behind the best of all, each detector once, at its best size. */
function contenders(tried: readonly TriedSettings[], { name }: Backbone): TriedSettings[] {
  const order = ranked(tried.filter((one) => one.figure !== undefined));
  const near = order.filter((one) => one.backbone === name && figureOf(one) >= figureOf(order[0]) - MARGIN);
  return near.filter((one, i) => near.findIndex(({ model }) => model === one.model) === i).slice(0, CONTENDERS);
}

/** Backbones with contenders, by the best of them. */
function bestBackbones(tried: readonly TriedSettings[], backbones: readonly Backbone[]): Backbone[] {
  const best = (backbone: Backbone) => Math.max(...contenders(tried, backbone).map(figureOf));
  return backbones
    .filter((backbone) => contenders(tried, backbone).length > 0)
    .sort((a, b) => best(b) - best(a))
    .slice(0, BACKBONES);
}

/** What was tried, as it can be tried elsewhere. */
const combinationOf = ({ model, taps }: TriedSettings): Combination => ({
  detector: detectorChoices.find((detector) => detector.model === model)!,
  taps,
});

/** All detectors at a set of taps. */
const combinationsOf = (taps: readonly string[] = []): Combination[] =>
  taps.length === 0 ? [] : detectorChoices.map((detector) => ({ detector, taps }));

/** The sets of taps whose grids an image of a size has room for. */
const usable = (backbone: Backbone, size: Step['size']): string[][] =>
  tapSetsOf(backbone).filter((taps) => taps.every((tap) => Math.min(...size) >= 2 * backbone.taps[tap].stride));

function plantedIn({ kind }: PlantedJudges): ImageChoice['planted'] {
  const names = Object.keys(plantedKinds) as PlantedKind[];
  const counts = names.map((name) => [name, kind.filter((k) => k === name).length] as const);
  return Object.fromEntries(counts.filter(([, n]) => n > 0));
}

/** `patchcore through oddity at 384x384 px: AUROC .93 (.90 to .96) on 112 planted defects of 7 kinds, the best of 24 settings`. */
function reasonOf(
  { model, backbone, size, figure = 0, interval = [0, 0], located = 0, place }: TriedSettings,
  { tried, planted, counts }: Pick<ImageChoice, 'tried' | 'planted' | 'counts'>,
): string {
  const two = (value: number) => value.toFixed(3);
  const defects = Object.values(planted);
  const rank =
    place === 1
      ? `the highest of ${tried.length} settings`
      : `level with the highest of ${tried.length} settings and ahead of it in finding the place of defects (${Math.round(100 * located)} %)`;
  return (
    `${model} through ${backbone} on images of ${size[1]} by ${size[0]} pixels: AUROC ${two(figure)} (95 %: ${two(interval[0])} to ` +
    `${two(interval[1])}) on ${defects.reduce((a, b) => a + b, 0)} defects of ${defects.length} kinds planted into ${counts.judges} ` +
    `training images that it had not learnt from, ${rank}.`
  );
}
