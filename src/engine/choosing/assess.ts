/**
 * Fits detectors to the known normals at one size, through one backbone, and has them score the jury. The features of an image are
 * computed once and serve every detector and every set of taps.
 */
import { type Backbone, features, provideFeatures } from '../../backbones/index.ts';
import { Cancelled, ConfigError, InternalError, OddityError } from '../../core/errors.ts';
import { type Listener, silent } from '../../core/events.ts';
import { type ImageShape, itemSize } from '../../core/item-shape.ts';
import type { Rng } from '../../core/random.ts';
import { sizeOf } from '../../core/shape.ts';
import { float32, type Tensors } from '../../core/tensor.ts';
import type { Source } from '../../data/pure.ts';
import { input } from '../../graph/leaf.ts';
import * as g from '../../graph/ops/index.ts';
import { inputsOf } from '../../graph/program.ts';
import type { Value } from '../../graph/value.ts';
import { type AnyModel, type FitData, findModel } from '../../models/index.ts';
import { type Laying, laid } from '../../models/parts/alignment.ts';
import { Trace } from '../../nn/scope.ts';
import type { Runtime, Session } from '../../runtime/index.ts';
import { bind } from '../scoring/graph.ts';
import { resolveConfig } from '../task/config.ts';
import type { DetectorChoice, Way } from './candidates.ts';
import { type PlantedJudges, resized } from './judges.ts';

/** A detector at a set of taps. */
export interface Combination {
  readonly detector: DetectorChoice;
  readonly taps: readonly string[];
}

/** What one way to a score gave. */
export interface Assessed {
  readonly combination: Combination;
  /** Options other than the defaults of the model, without those of the way. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Scores of the jury by the ways of the detector; none where it failed. */
  readonly scores: readonly { readonly way: Way; readonly scores: Float32Array }[];
  /** Share of the planted defects at whose place the map is highest. */
  readonly located?: number;
  /** Its part of the time, that of the features shared. */
  readonly seconds: number;
  readonly error?: OddityError;
}

/** What is assessed, and with what. */
export interface Assess {
  readonly backbone: Backbone;
  /** Tensors of the backbone, as `backbone.` and their names. */
  readonly pretrained: Tensors;
  readonly size: readonly [height: number, width: number];
  readonly combinations: readonly Combination[];
  /** Images are laid on the median of the known ones first. */
  readonly align?: { readonly align: Laying; readonly medians: Tensors };
  readonly source: Source;
  readonly items: Uint32Array;
  readonly jury: PlantedJudges;
  readonly runtime: Runtime;
  readonly rng: Rng;
  readonly onEvent?: Listener;
  readonly signal?: AbortSignal;
}

/** Numbers of features that are kept of the known images: 512 MiB. */
const KEPT = 2 ** 27;
/** Pixels of a block. */
const BLOCK = 2 ** 19;
/** A map's highest place counts as that of a defect that is no farther off, of the shorter side. */
const NEAR = 0.03;

/** Assesses all combinations. Throws Cancelled, and what reading images and loading weights throws; a detector's own failure is in its line. */
export async function assess(options: Assess): Promise<Assessed[]> {
  const { combinations, size, jury, signal, onEvent = silent, backbone } = options;
  const begin = performance.now();
  const shape: ImageShape = [jury.shape[0], ...size];
  const taps = [...new Set(combinations.flatMap((one) => one.taps))];
  const session = await compileFeatures(options, shape, taps);
  const fitted: Fitted[] = [];
  try {
    const known = await knownFeatures(options, session, shape, taps);
    const shared = (performance.now() - begin) / combinations.length;
    for (const [i, combination] of combinations.entries()) {
      if (signal?.aborted) throw new Cancelled();
      const { model } = combination.detector;
      const task = `choose ${model} ${backbone.name} ${size.join('x')} px`;
      onEvent({ type: 'progress', task, done: i, total: combinations.length, unit: 'candidates' });
      fitted.push(await fitOne(combination, { ...options, shape, known, shared }));
    }
    known.clear();
    await scoreJury(options, { session, shape, taps, fitted });
    return fitted.map(({ session: _, hits, ...one }) => {
      const planted = jury.kind.filter((kind) => kind !== undefined).length;
      // Maps of laid images are not of the places where something was planted.
      const located = one.error === undefined && !options.align && { located: hits / Math.max(1, planted) };
      return { ...one, ...located };
    });
  } finally {
    for (const one of [...fitted.flatMap((f) => f.session ?? []), session]) one.close().catch(() => {});
  }
}

/** Features of the known images at a tap: the grid of one, and all of them one after the other. */
type Known = Map<string, { readonly grid: readonly number[]; readonly data: Float32Array }>;

interface Fitted extends Omit<Assessed, 'located' | 'seconds' | 'scores' | 'error'> {
  scores: Assessed['scores'];
  seconds: number;
  session?: Session;
  hits: number;
  error?: OddityError;
}

function compileFeatures({ backbone, pretrained, runtime, align }: Assess, shape: ImageShape, taps: readonly string[]) {
  const trace = new Trace(false, pretrained);
  const x = input('x', ['N', ...shape]);
  const seen = align ? laid(x, align.align, align.medians) : x;
  const found = features(backbone, trace.group('backbone').frozen(), seen, taps);
  const named = Object.fromEntries(found.map((value, i) => [`tap${i}`, value]));
  return runtime.compile({ name: 'features', outputs: bind(backbone.name, named, trace, pretrained), carry: {} });
}

const blockOf = ([, height, width]: ImageShape) => Math.max(1, Math.min(8, Math.floor(BLOCK / (height * width))));

/** Features of as many known images as may be kept. */
async function knownFeatures(
  { source, items: known, signal, onEvent = silent, backbone, size }: Assess,
  session: Session,
  shape: ImageShape,
  taps: readonly string[],
): Promise<Known> {
  const own = source.shape as ImageShape;
  const image = new Float32Array(itemSize(own));
  const kept: Known = new Map();
  const block = blockOf(shape);
  let count = known.length;
  const begin = performance.now();
  for (let at = 0; at < count; at += block) {
    if (signal?.aborted) throw new Cancelled();
    const items = known.subarray(at, Math.min(count, at + block));
    const x = new Float32Array(items.length * itemSize(shape));
    for (const [k, item] of items.entries()) {
      await source.read([item], image);
      resized(image, own, size, x, k);
    }
    const out = await session.run({ x: float32(x, [items.length, ...shape]) }, { signal, transfer: true });
    if (at === 0) {
      const numbers = taps.reduce((n, _, i) => n + sizeOf(out[`tap${i}`].shape.slice(1)), 0);
      count = Math.min(count, Math.max(block, Math.floor(KEPT / numbers)));
      for (const [i, tap] of taps.entries()) {
        const grid = out[`tap${i}`].shape.slice(1);
        kept.set(tap, { grid, data: new Float32Array(count * sizeOf(grid)) });
      }
    }
    for (const [i, tap] of taps.entries()) {
      const { grid, data } = kept.get(tap)!;
      const made = out[`tap${i}`].data as Float32Array;
      const left = count - at;
      data.set(made.length > left * sizeOf(grid) ? made.subarray(0, left * sizeOf(grid)) : made, at * sizeOf(grid));
    }
    const done = Math.min(count, at + items.length);
    const rate = (1000 * done) / (performance.now() - begin);
    onEvent({
      type: 'progress',
      task: `choose ${backbone.name} ${size.join('x')} px`,
      done,
      total: count,
      unit: 'images',
      rate,
    });
  }
  return kept;
}

/** Fits one detector from features, and opens its scoring graph. What goes wrong with it is told in its line. */
async function fitOne(
  combination: Combination,
  about: Assess & { readonly shape: ImageShape; readonly known: Known; readonly shared: number },
): Promise<Fitted> {
  const { shape, known, shared, runtime, pretrained, backbone } = about;
  const begin = performance.now();
  const { detector, taps } = combination;
  const grids = taps.map((tap) => known.get(tap)!.grid);
  const places = Math.max(...grids.map(([, h, w]) => h * w));
  const { grid, data } = known.get(taps[0])!;
  const count = data.length / sizeOf(grid);
  const config = {
    ...(backbone.name !== 'oddity' && { backbone: backbone.name }),
    ...(taps.join() !== backbone.usual.join() && { taps: taps.join() }),
    ...(about.align && { align: about.align.align }),
  };
  const fitted: Fitted = { combination, config, scores: [], seconds: 0, hits: 0 };
  try {
    const model = findModel(detector.model) as AnyModel & { learns: 'statistics' };
    // Features that are at hand are those of images that were laid already.
    const whole = { ...config, align: 'none', ...detector.config(places, count) };
    const options = resolveConfig(model, { config: whole }, { shape, count }) as Record<string, unknown>;
    const problem = model.unsuitable?.(options, shape);
    if (problem) throw new ConfigError('unsuitable', problem);
    const learnt = await model.fit(options, dataOf(about, taps, count));
    fitted.session = await compileScores(model, detector.ways, options, {
      shape,
      known,
      tensors: { ...pretrained, ...learnt },
      runtime,
      taps,
    });
  } catch (error) {
    if (error instanceof Cancelled || !(error instanceof OddityError)) throw error;
    fitted.error = error;
  }
  fitted.seconds = (shared + performance.now() - begin) / 1000;
  return fitted;
}

/** An image of a shape whose features are inputs of the graph: `tap` and the number of each tap in `known`. */
function imageOf(shape: ImageShape, known: Known, taps: readonly string[]): Value {
  const x = input('x', ['N', ...shape]);
  const names = [...known.keys()];
  const values = new Map(taps.map((tap) => [tap, input(`tap${names.indexOf(tap)}`, ['N', ...known.get(tap)!.grid])]));
  provideFeatures(x, (_, tap) => values.get(tap));
  return x;
}

/** The known images as a model learns from them, their features at hand. */
function dataOf(
  { shape, known, runtime, pretrained, rng, signal }: Assess & { shape: ImageShape; known: Known },
  taps: readonly string[],
  count: number,
): FitData {
  const names = [...known.keys()];
  return {
    shape,
    count,
    rng: rng.split('fit'),
    onEvent: silent,
    ...(signal && { signal }),
    // biome-ignore lint/correctness/useYield: no detector of these reads images.
    async *blocks() {
      throw new InternalError('a candidate reads images, but only their features are at hand.');
    },
    compile: (program) => runtime.compile(program, { carry: program.carry }),
    async *through(task, build, size) {
      const trace = new Trace(false, pretrained);
      const x = imageOf(shape, known, taps);
      const outputs = bind(
        task,
        build((group) => trace.group(group), x),
        trace,
        pretrained,
      );
      const needed = [...inputsOf(Object.values(outputs)).keys()];
      const session = await runtime.compile({ name: task.replaceAll(' ', '-'), outputs, carry: {} });
      try {
        for (let at = 0; at < count; at += size) {
          if (signal?.aborted) throw new Cancelled();
          const n = Math.min(size, count - at);
          const feeds = needed.map((name) => {
            const { grid, data } = known.get(names[Number(name.slice(3))])!;
            return [name, float32(data.slice(at * sizeOf(grid), (at + n) * sizeOf(grid)), [n, ...grid])] as const;
          });
          yield { count: n, outputs: await session.run(Object.fromEntries(feeds), { signal, transfer: true }) };
        }
      } finally {
        session.close().catch(() => {}); // who cancels does not wait
      }
    },
  };
}

/** The scores of all ways as `score0` …, and the highest pixel of the map as `peak`, from features. */
function compileScores(
  model: AnyModel,
  ways: readonly Way[],
  options: Record<string, unknown>,
  {
    shape,
    known,
    tensors,
    runtime,
    taps,
  }: { shape: ImageShape; known: Known; tensors: Tensors; runtime: Runtime; taps: readonly string[] },
): Promise<Session> {
  const trace = new Trace(false, tensors);
  const x = imageOf(shape, known, taps);
  const made = ways.map((way) => model.score({ ...options, ...way }, (group) => trace.group(group), x));
  const outputs: Record<string, Value> = Object.fromEntries(made.map(({ score }, i) => [`score${i}`, score]));
  outputs.peak = g.argMax(g.flatten(made[0].map), 1);
  return runtime.compile({
    name: `${model.name}-choice`,
    outputs: bind(model.name, outputs, trace, tensors),
    carry: {},
  });
}

/** Scores the jury block by block by all detectors that were fitted. */
async function scoreJury(
  { jury, size, signal, onEvent = silent, backbone }: Assess,
  open: { session: Session; shape: ImageShape; taps: readonly string[]; fitted: Fitted[] },
): Promise<void> {
  const { session, shape, taps, fitted } = open;
  const total = jury.images.length;
  const block = blockOf(shape);
  const alive = fitted.filter((one) => one.session);
  for (const one of alive) {
    one.scores = one.combination.detector.ways.map((way) => ({ way, scores: new Float32Array(total) }));
  }
  const image = new Float32Array(itemSize(jury.shape));
  const begin = performance.now();
  for (let at = 0; at < total; at += block) {
    if (signal?.aborted) throw new Cancelled();
    const n = Math.min(block, total - at);
    const x = new Float32Array(n * itemSize(shape));
    for (let k = 0; k < n; k++) {
      const bytes = jury.images[at + k];
      for (let i = 0; i < bytes.length; i++) image[i] = bytes[i] / 255;
      resized(image, jury.shape, size, x, k);
    }
    const started = performance.now();
    const found = await session.run({ x: float32(x, [n, ...shape]) }, { signal, transfer: true });
    const shared = (performance.now() - started) / 1000 / alive.length;
    for (const one of alive) {
      const started = performance.now();
      const own = one.combination.taps.map((tap) => `tap${taps.indexOf(tap)}`);
      const feeds = Object.fromEntries(own.map((name) => [name, found[name]]));
      const out = await one.session!.run(feeds, { signal });
      for (const [i, { scores }] of one.scores.entries()) scores.set(out[`score${i}`].data as Float32Array, at);
      for (let k = 0; k < n; k++) if (isHit(jury, at + k, Number(out.peak.data[k]), size)) one.hits++;
      one.seconds += shared + (performance.now() - started) / 1000;
    }
    const done = at + n;
    const rate = (1000 * done) / (performance.now() - begin);
    onEvent({
      type: 'progress',
      task: `choose, planted defects, ${backbone.name} ${size.join('x')} px`,
      done,
      total,
      unit: 'images',
      rate,
    });
  }
}

/** Whether the highest pixel of a map lies on or next to what was planted. */
function isHit(
  { masks, shape: [, height, width] }: PlantedJudges,
  i: number,
  peak: number,
  [h, w]: readonly [number, number],
): boolean {
  const mask = masks[i];
  if (!mask) return false;
  const [y, x] = [((Math.floor(peak / w) + 0.5) * height) / h, (((peak % w) + 0.5) * width) / w];
  const reach = NEAR * Math.min(height, width);
  for (let v = Math.max(0, Math.floor(y - reach)); v < Math.min(height, y + reach); v++)
    for (let u = Math.max(0, Math.floor(x - reach)); u < Math.min(width, x + reach); u++)
      if (mask[v * width + u] && Math.hypot(v + 0.5 - y, u + 0.5 - x) <= reach) return true;
  return false;
}
