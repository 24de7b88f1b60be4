/**
 * Registration: images are laid on the median of the normal ones before anything else looks at them – moved, or moved and turned –
 * and maps are laid back. Poses are found by normalised correlation of a grey disc about the centre, at two resolutions, with parabolas
 * between the places (Lewis, Fast normalized cross-correlation, 1995). All of it is in the scoring graph. Left out: scale, shear and
 * mirrored parts, and what lies in corners that a turn takes out of the image: nobody looks at it.
 */
import * as z from 'zod';
import { DataError, InternalError } from '../../core/errors.ts';
import { float32, type Tensors } from '../../core/tensor.ts';
import { option, say } from '../../core/text.ts';
import { resample } from '../../data/pure.ts';
import { constant, input } from '../../graph/leaf.ts';
import * as g from '../../graph/ops/index.ts';
import type { Value } from '../../graph/value.ts';
import type { Scope } from '../../nn/scope.ts';
import type { FitData, Model } from '../define.ts';
import { channelsOf, sidesOf } from './shapes.ts';

export const alignOption = z
  .enum(['none', 'shift', 'turn'])
  .default('none')
  .describe('Lay every image on the median normal one before it is looked at: moved, or moved and turned.');

type Align = z.infer<typeof alignOption>;
/** How images are laid. */
export type Laying = Exclude<Align, 'none'>;
type Net = (group: string) => Scope;
type Sides = readonly [height: number, width: number];

/** A search of the pose at one resolution. */
interface Search {
  /** Longer side of the small image, in pixels. */
  readonly side: number;
  /** Share of the shorter side by which images are moved at most, either way. */
  readonly reach: number;
  /** Degrees of a step, and how many steps there are. */
  readonly step: number;
  readonly turns: number;
}

/** Longer side of the images that medians are made of, in pixels. */
const FINE = 128;

const searches = {
  shift: [
    { side: 48, reach: 0.2, step: 0, turns: 1 },
    { side: FINE, reach: 0.04, step: 0, turns: 1 },
  ],
  turn: [
    { side: 48, reach: 0.15, step: 4, turns: 90 },
    { side: FINE, reach: 0.04, step: 1, turns: 9 },
  ],
} satisfies Record<Laying, readonly Search[]>;

/** Images that the median is made of, at most. */
export const MEDIAN_IMAGES = 64;
/** Correlation with the median, in the middle of the images, below which they have no pose in common. */
const LEAST_ALIKE = 0.5;
/** Times that all are laid on a median; at first on the first image. */
const ROUNDS = 3;

/** Where an image is: `aligned(p) = image(R(angle) p + shift)`, p from the centre. Each `[N, 1]`; pixels and radians. */
interface Pose {
  readonly angle: Value;
  readonly down: Value;
  readonly right: Value;
}

/**
 * A model that fits and scores images as `align` lays them. Its scores are those of aligned images, its maps are of the images as they
 * came; places of neighbours, which are of aligned images, are left out.
 */
export function aligning<C extends { readonly align: Align }, N extends string>(model: Model<C, N>): Model<C, N> {
  if (model.learns !== 'statistics') throw new InternalError(`${model.name} does not learn in one pass.`);
  const seenThrough = (data: FitData, align: Laying, medians: Tensors): FitData => ({
    ...data,
    through: (task, build, size) => data.through(task, (net, x) => build(net, laid(x, align, medians)), size),
  });
  const { update } = model;
  return {
    ...model,
    async fit(config, data) {
      if (config.align === 'none') return model.fit(config, data);
      const { medians } = await learnMedians(config.align, data);
      return { ...medians, ...(await model.fit(config, seenThrough(data, config.align, medians))) };
    },
    ...(update && {
      async update(config: C, learnt: Tensors, kept: Uint32Array, added: FitData) {
        if (config.align === 'none') return update.call(model, config, learnt, kept, added);
        const medians = { [nameOf(0)]: learnt[nameOf(0)], [nameOf(1)]: learnt[nameOf(1)] };
        const seen = seenThrough(added, config.align, medians);
        return { ...medians, ...(await update.call(model, config, learnt, kept, seen)) };
      },
    }),
    score(config, net, x) {
      if (config.align === 'none') return model.score(config, net, x);
      const pose = poseOf(x, config.align, (n) => net('alignment').learnt(`median${n}`));
      const { nearest: _, ...scoring } = model.score(config, net, sampled(x, pose));
      return { ...scoring, map: sampled(scoring.map, inverse(pose)) };
    },
  };
}

/** Images `[N, C, H, W]`, laid on the median ones. */
export const laid = (x: Value, align: Laying, medians: Tensors): Value =>
  sampled(x, poseOf(x, align, mediansIn(medians)));

const nameOf = (n: number) => `alignment.median${n}`;
const mediansIn = (medians: Tensors) => (n: number) => constant(medians[nameOf(n)]);

/** Sides of a small image whose longer side is `side`. */
function smallOf([height, width]: Sides, side: number): Sides {
  const scale = Math.min(1, side / Math.max(height, width));
  return [Math.max(8, Math.round(height * scale)), Math.max(8, Math.round(width * scale))];
}

/** Pixels by which a small image is moved at most, and half the side of the square about the disc that is compared. */
function discOf([height, width]: Sides, { reach }: Search) {
  const half = (Math.min(height, width) - 1) / 2;
  const shift = Math.max(1, Math.round(reach * Math.min(height, width)));
  return { shift, radius: Math.floor(half - shift) };
}

/** The pose of images `[N, C, H, W]` by the median images at the two resolutions, each `[turns, 1, s, s]` as `templatesOf` makes it. */
function poseOf(x: Value, align: Laying, medianOf: (n: number) => Value): Pose {
  const sides = sidesOf(x);
  const grey = channelsOf(x) === 1 ? x : g.reduceMean(x, { axes: [1], keep: true });
  const [coarse, fine] = searches[align];
  const small = smallOf(sides, fine.side);
  const image = shrunk(grey, small);
  const first = found(image, sides, coarse, medianOf(0)).pose;
  const seen = sampled(image, scaled(first, [sides[0] / small[0], sides[1] / small[1]]));
  const second = found(seen, sides, fine, medianOf(1)).pose;
  // image(R₁(R₂ p + t₂) + t₁)
  const [cos, sin] = [g.cos(first.angle), g.sin(first.angle)];
  return {
    angle: g.add(first.angle, second.angle),
    down: g.add(first.down, g.add(g.mul(cos, second.down), g.mul(sin, second.right))),
    right: g.add(first.right, g.sub(g.mul(cos, second.right), g.mul(sin, second.down))),
  };
}

const scaled = ({ angle, down, right }: Pose, [y, x]: readonly [number, number]): Pose => ({
  angle,
  down: g.div(down, y),
  right: g.div(right, x),
});

/** image(q), q = R p + t: p = R⁻¹ q − R⁻¹ t. */
function inverse({ angle, down, right }: Pose): Pose {
  const [cos, sin] = [g.cos(angle), g.sin(angle)];
  return {
    angle: g.neg(angle),
    down: g.sub(g.mul(sin, right), g.mul(cos, down)),
    right: g.neg(g.add(g.mul(sin, down), g.mul(cos, right))),
  };
}

const shrunk = (x: Value, to: Sides): Value =>
  sidesOf(x).join() === to.join() ? x : g.resizeBilinear(x, to, { antialias: true });

/** The best pose of small grey images, in pixels of images of `sides`, with its correlation `[N, 1]`. */
function found(grey: Value, sides: Sides, search: Search, templates: Value): { pose: Pose; alike: Value } {
  const small = smallOf(sidesOf(grey), search.side);
  const image = shrunk(grey, small);
  const { radius } = discOf(small, search);
  const disc = discMask(radius);
  const count = disc.reduce((a, b) => a + b, 0);
  const mean = constant(
    float32(
      disc.map((v) => v / count),
      [1, 1, 2 * radius + 1, 2 * radius + 1],
    ),
  );
  const [m, squares] = [g.conv(image, mean, {}), g.conv(g.square(image), mean, {})];
  const spread = g.sqrt(g.add(g.mul(g.relu(g.sub(squares, g.square(m))), count), 1e-4));
  const alike = g.div(g.conv(image, templates, {}), spread); // [N,K,a,b]
  const [a, b] = sidesOf(alike);
  const at = (axes: number[], length: number) => g.sub(peakOf(g.reduceMax(alike, { axes }), length), (length - 1) / 2);
  const turn = at([2, 3], search.turns);
  return {
    pose: {
      angle: g.mul(turn, (search.step * Math.PI) / 180),
      down: g.mul(at([1, 3], a), sides[0] / small[0]),
      right: g.mul(at([1, 2], b), sides[1] / small[1]),
    },
    alike: g.reshape(g.reduceMax(alike, { axes: [1, 2, 3] }), [image.shape[0], 1]),
  };
}

/** The place of the largest of values `[N, L]`, between places by the parabola through its neighbours: `[N, 1]`. */
function peakOf(values: Value, length: number): Value {
  const top = g.argMax(values, 1);
  const place = g.cast(top, 'float32');
  if (length < 3) return place;
  const inner = g.clip(place, 1, length - 2);
  const [before, own, after] = [-1, 0, 1].map((step) =>
    g.gatherElements(values, g.cast(g.add(inner, step), 'int64'), 1),
  );
  const bend = g.sub(g.add(before, after), g.mul(own, 2));
  const offset = g.div(g.mul(g.sub(before, after), 0.5), g.minimum(bend, -1e-6));
  // At the ends there is no parabola about the largest.
  return g.where(g.equal(inner, place), g.add(place, g.clip(offset, -0.5, 0.5)), place);
}

/** Images `[N, C, H, W]` at the places that a pose gives, bilinear; beyond the border the nearest pixel. */
function sampled(x: Value, { angle, down, right }: Pose): Value {
  const [height, width] = sidesOf(x);
  const channels = channelsOf(x);
  const places = Array.from({ length: height * width }, (_, i) => i);
  const [cy, cx] = [(height - 1) / 2, (width - 1) / 2];
  const row = (values: number[]) => constant(float32(values, [1, values.length]));
  const py = row(places.map((p) => Math.floor(p / width) - cy));
  const px = row(places.map((p) => (p % width) - cx));
  const [cos, sin] = [g.cos(angle), g.sin(angle)];
  const within = (v: Value, last: number) => g.clip(v, 0, last);
  const qy = within(g.add(g.add(g.mul(cos, py), g.mul(sin, px)), g.add(down, cy)), height - 1); // [N,P]
  const qx = within(g.add(g.sub(g.mul(cos, px), g.mul(sin, py)), g.add(right, cx)), width - 1);
  const [y0, x0] = [g.floor(qy), g.floor(qx)];
  const [y1, x1] = [g.minimum(g.add(y0, 1), height - 1), g.minimum(g.add(x0, 1), width - 1)];
  const [fy, fx] = [g.unsqueeze(g.sub(qy, y0), 1), g.unsqueeze(g.sub(qx, x0), 1)];
  const flat = g.reshape(x, [x.shape[0], channels, height * width]);
  const pick = (v: Value, u: Value) => {
    const at = g.unsqueeze(g.cast(g.add(g.mul(v, width), u), 'int64'), 1);
    return g.gatherElements(flat, g.broadcastTo(at, [x.shape[0], channels, height * width]), 2);
  };
  const between = (a: Value, b: Value, share: Value) => g.add(a, g.mul(g.sub(b, a), share));
  const made = between(between(pick(y0, x0), pick(y0, x1), fx), between(pick(y1, x0), pick(y1, x1), fx), fy);
  return g.reshape(made, [x.shape[0], channels, height, width]);
}

/** 1 within a disc of a square of side 2 radius + 1. */
function discMask(radius: number): Float32Array {
  const side = 2 * radius + 1;
  return Float32Array.from({ length: side * side }, (_, p) =>
    Math.hypot(Math.floor(p / side) - radius, (p % side) - radius) <= radius + 0.5 ? 1 : 0,
  );
}

/** The middle of a grey image, turned step by step, less its mean and of length 1: `[turns, 1, s, s]`. */
function templatesOf(image: Float32Array, small: Sides, search: Search) {
  const { radius } = discOf(small, search);
  const [side, [height, width]] = [2 * radius + 1, small];
  const disc = discMask(radius);
  const all = new Float32Array(search.turns * side * side);
  const [cy, cx] = [(height - 1) / 2, (width - 1) / 2];
  for (let k = 0; k < search.turns; k++) {
    // A part that is turned by the angle looks like the median, read at places turned back.
    const angle = ((k - (search.turns - 1) / 2) * search.step * Math.PI) / 180;
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    const own = all.subarray(k * side * side, (k + 1) * side * side);
    let [sum, count] = [0, 0];
    for (let p = 0; p < own.length; p++) {
      if (!disc[p]) continue;
      const [y, x] = [Math.floor(p / side) - radius, (p % side) - radius];
      own[p] = valueAt(image, small, cy + cos * y - sin * x, cx + cos * x + sin * y);
      sum += own[p];
      count++;
    }
    let length = 0;
    for (let p = 0; p < own.length; p++) {
      if (!disc[p]) continue;
      own[p] -= sum / count;
      length += own[p] ** 2;
    }
    for (let p = 0; p < own.length; p++) own[p] /= Math.sqrt(length + 1e-4);
  }
  return float32(all, [search.turns, 1, side, side]);
}

/** Between four pixels; beyond the border the nearest. */
function valueAt(image: Float32Array, [height, width]: Sides, y: number, x: number): number {
  const [v, u] = [Math.min(height - 1, Math.max(0, y)), Math.min(width - 1, Math.max(0, x))];
  const [y0, x0] = [Math.floor(v), Math.floor(u)];
  const [y1, x1] = [Math.min(height - 1, y0 + 1), Math.min(width - 1, x0 + 1)];
  const [fy, fx] = [v - y0, u - x0];
  const upper = image[y0 * width + x0] * (1 - fx) + image[y0 * width + x1] * fx;
  return upper * (1 - fy) + (image[y1 * width + x0] * (1 - fx) + image[y1 * width + x1] * fx) * fy;
}

/** Median images, and how far the images that they are of lie from them, in the median. */
export interface Medians {
  readonly medians: Tensors;
  readonly moved: {
    readonly degrees: number;
    /** Pixels, as a share of the shorter side. */
    readonly share: number;
  };
}

/**
 * Learns the median images at the resolutions of a search, turned. `known` are what `smallImages` gives, where that was asked before.
 * @throws DataError `no-common-pose` where images do not resemble it.
 */
export async function learnMedians(
  align: Laying,
  data: Pick<FitData, 'shape' | 'through' | 'compile' | 'signal'>,
  known?: readonly Float32Array[],
): Promise<Medians> {
  const [coarse, fine] = searches[align];
  const small = smallOf(data.shape.slice(1) as unknown as Sides, FINE);
  const images = known ?? (await smallImages(data));
  const area = small[0] * small[1];
  const stack = new Float32Array(images.length * area);
  for (const [i, image] of images.entries()) stack.set(image, i * area);
  const smallest = smallOf(small, coarse.side);
  const turned = (median: Float32Array): Tensors => {
    const shrunk = resample({ height: small[0], width: small[1], channels: 1, data: median }, ...smallest);
    return { [nameOf(0)]: templatesOf(shrunk, smallest, coarse), [nameOf(1)]: templatesOf(median, small, fine) };
  };
  const poses = async (median: Float32Array) => {
    const tensors = turned(median);
    const x = input('x', ['N', 1, ...small]);
    const pose = poseOf(x, align, mediansIn(tensors));
    const moved = sampled(x, pose);
    const { alike } = found(moved, small, fine, mediansIn(tensors)(1));
    const outputs = { ...pose, moved, alike };
    const session = await data.compile({ name: 'median-image', outputs, carry: {} });
    try {
      const out = await session.run({ x: float32(stack, [images.length, 1, ...small]) }, { signal: data.signal });
      return Object.fromEntries(Object.keys(outputs).map((name) => [name, out[name].data as Float32Array]));
    } finally {
      session.close().catch(() => {}); // who cancels does not wait
    }
  };
  let made = await poses(images[0]);
  for (let round = 1; round < ROUNDS; round++) made = await poses(medianOf(made.moved, area));
  const alike = middle(made.alike);
  if (!(alike >= LEAST_ALIKE)) {
    throw new DataError(
      'no-common-pose',
      say`To be aligned, images must show one part that can be laid on one place, but half of the normal ones resemble their median by
        ${alike.toFixed(2)} or less (at least ${LEAST_ALIKE}). Choose ${option('config.align', 'none')}.`,
    );
  }
  // How far they lie apart, not how far the first one lies from them.
  const spread = (values: Float32Array) => middle(values.map((v) => Math.abs(v - middle(values))));
  return {
    medians: turned(medianOf(made.moved, area)),
    moved: {
      degrees: (180 / Math.PI) * spread(made.angle),
      share: Math.max(spread(made.down), spread(made.right)) / Math.min(...small),
    },
  };
}

/** The first images, small and grey, at most `MEDIAN_IMAGES`: what medians of either laying are made of. */
export async function smallImages({ shape, through }: Pick<FitData, 'shape' | 'through'>): Promise<Float32Array[]> {
  const small = smallOf(shape.slice(1) as unknown as Sides, FINE);
  const area = small[0] * small[1];
  const images: Float32Array[] = [];
  const grey = (_: Net, x: Value) => ({ y: shrunk(g.reduceMean(x, { axes: [1], keep: true }), small) });
  for await (const { count, outputs } of through('median image', grey, 8)) {
    const y = outputs.y.data as Float32Array;
    for (let i = 0; i < count && images.length < MEDIAN_IMAGES; i++) images.push(y.slice(i * area, (i + 1) * area));
    if (images.length === MEDIAN_IMAGES) break;
  }
  return images;
}

/** Median of values; of each pixel over images that lie one after the other. */
const middle = (values: ArrayLike<number>) => Float32Array.from(values).sort()[values.length >> 1];
function medianOf(images: Float32Array, area: number): Float32Array {
  const count = images.length / area;
  const own = new Float32Array(count);
  return Float32Array.from({ length: area }, (_, p) => {
    for (let i = 0; i < count; i++) own[i] = images[i * area + p];
    return middle(own);
  });
}
