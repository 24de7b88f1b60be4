/**
 * A made-up data set of clips for tests and first steps: squares that cross a textured floor from left to right under a fixed
 * camera. Training clips are normal; in each test clip there are stretches of one kind of anomaly: a square that is too fast,
 * goes back, or stops, and an object that is no square. How many squares are in the picture, how large and bright they are and
 * how fast within the usual range differs, the light flickers and the camera has noise, so that the amount of change between
 * frames alone tells little. Results on it say that a pipeline works, never how good a model is on real clips.
 */
import { ConfigError } from '../../core/errors.ts';
import type { ImageShape } from '../../core/item-shape.ts';
import { Rng } from '../../core/random.ts';
import { sha256 } from '../hash.ts';
import { type Clip, heldClip } from './clip.ts';
import type { ClipSourceOptions } from './source.ts';

/** Options of `movingSquares`; every one has a default. */
export interface MovingSquares {
  /** Height and width in pixels, at least 32; default 64. Squares and speeds grow with it. */
  readonly size?: number;
  /** Frames of a clip, at least 40; default 200. */
  readonly frames?: number;
  /** Training clips; default 8. */
  readonly train?: number;
  /** Test clips of each kind of anomaly; default 2. */
  readonly test?: number;
  /** Default 0. */
  readonly seed?: number;
}

/** The classes of frames, the normal one first. */
const CLASSES = ['normal', 'fast', 'reversed', 'stopped', 'foreign object'] as const;

/** Squares that come in turn by turn, each after a pause of so many frames at most. */
const SQUARES = 4;
const PAUSE = 60;

/** Pixels a frame at a size of 64, and degrees about the way to the right. */
const USUAL = { speed: [0.8, 1.4], angle: 20 } as const;

/** How many times as fast a fast square is. */
const FAST = [2.2, 3] as const;

/** Shares of white: the noise of a pixel and the flicker of the light, as standard deviations. */
const NOISE = { pixel: 0.02, light: 0.01 } as const;

/** One clip needs no other: its frames follow from the seed and its number. The same options give the same bytes. */
export async function movingSquares(options: MovingSquares = {}): Promise<ClipSourceOptions> {
  const { size = 64, frames = 200, train = 8, test = 2, seed = 0 } = options;
  for (const [name, value, least] of [
    ['size', size, 32],
    ['frames', frames, 40],
    ['train', train, 1],
    ['test', test, 0],
  ] as const) {
    if (!Number.isInteger(value) || value < least)
      throw new ConfigError(
        'moving-squares',
        `moving-squares: ${name} must be an integer of at least ${least}, got ${value}.`,
      );
  }
  const rng = new Rng(seed).split('moving-squares');
  const shape: ImageShape = [1, size, size];
  const floor = floorOf(size, rng.split('floor'));
  const clips: Clip[] = [];
  const add = async (id: string, kind: number) => {
    const isTest = id.startsWith('test');
    const { bytes, labels, masks } = filmed({ size, frames, kind, floor }, rng.split(id));
    const content = await sha256(bytes);
    clips.push(heldClip({ id, shape, bytes, content, train: isTest ? 0 : frames, ...(isTest && { labels, masks }) }));
  };
  for (let i = 0; i < train; i++) await add(`train/${i + 1}`, 0);
  for (let i = 0; i < test; i++)
    for (let kind = 1; kind < CLASSES.length; kind++)
      await add(`test/${CLASSES[kind].replace(' ', '-')}-${i + 1}`, kind);
  return {
    name: 'moving-squares',
    title: 'Moving squares (made up)',
    licence: 'none needed: generated',
    shape,
    classes: CLASSES,
    clips,
  };
}

/** What moves: its middle and its step in pixels, its side, its share of white, and whether it is a ring instead. */
interface Mover {
  x: number;
  y: number;
  speed: number;
  angle: number;
  side: number;
  light: number;
  isRing: boolean;
  /** Frames until it comes in; 0 where it is seen. */
  wait: number;
}

interface Scene {
  readonly size: number;
  readonly frames: number;
  /** Index into the classes. */
  readonly kind: number;
  readonly floor: Float32Array;
}

const between = (rng: Rng, [low, high]: readonly [number, number]) => low + (high - low) * rng.uniform();

/** Slow waves with grain, in shares of white. */
function floorOf(size: number, rng: Rng): Float32Array {
  const waves = Array.from({ length: 3 }, () => {
    const [angle, k] = [between(rng, [0, 2 * Math.PI]), (2 * Math.PI * between(rng, [1, 3])) / size];
    return { kx: k * Math.cos(angle), ky: k * Math.sin(angle), phase: between(rng, [0, 2 * Math.PI]) };
  });
  const grain = rng.normals(size * size, 0, 0.03);
  return grain.map((v, p) => {
    const [x, y] = [p % size, Math.floor(p / size)];
    return waves.reduce((sum, { kx, ky, phase }) => sum + 0.04 * Math.sin(kx * x + ky * y + phase), 0.3 + v);
  });
}

/** A square that comes in at the left, at a height, a speed and a size of its own. */
function entering(size: number, rng: Rng): Mover {
  const side = (between(rng, [8, 13]) * size) / 64;
  return {
    x: -side / 2,
    y: between(rng, [0.15, 0.85]) * size,
    speed: (between(rng, USUAL.speed) * size) / 64,
    angle: (between(rng, [-USUAL.angle, USUAL.angle]) * Math.PI) / 180,
    side,
    light: between(rng, [0.6, 0.95]),
    isRing: false,
    wait: 0,
  };
}

/** Two stretches of frames, apart from each other and from either end. */
function stretchesOf(frames: number, rng: Rng): [number, number][] {
  return [0, 1].map((half) => {
    const length = Math.round(between(rng, [0.13, 0.25]) * frames);
    const room = Math.floor(frames / 2) - length - 4;
    const from = Math.floor((half * frames) / 2) + 2 + rng.int(Math.max(1, room));
    return [from, from + length];
  });
}

/** The bytes of a clip, the class of each frame, and where an anomalous object is. */
function filmed({ size, frames, kind, floor }: Scene, rng: Rng) {
  const area = size * size;
  const [bytes, masks, labels] = [new Uint8Array(frames * area), new Uint8Array(frames * area), new Uint8Array(frames)];
  const [draws, noise] = [rng.split('motion'), rng.split('noise')];
  const movers = Array.from({ length: SQUARES }, () => ({ ...entering(size, draws), x: draws.uniform() * size }));
  // What is no square takes as long as it takes to cross: one is enough.
  const stretches = stretchesOf(frames, rng.split('stretches')).slice(0, [0, 2, 2, 2, 1][kind]);
  const times = { 1: between(rng, FAST), 2: -1, 3: 0 }[kind] ?? 1;
  let odd: Mover | undefined;
  let wantsRing = false;
  for (let t = 0; t < frames; t++) {
    const stretch = stretches.find(([from, to]) => t >= from && t < to);
    if (kind !== 4) odd = stretch && (odd ?? middlemost(movers, size));
    else if (t === stretch?.[0]) wantsRing = true;
    for (const m of movers) {
      const isIn = move(m, size, m === odd ? times : 1);
      if (isIn) continue;
      if (m === odd && kind !== 4) Object.assign(m, { ...entering(size, draws), speed: m.speed });
      else if (m.wait === 0) Object.assign(m, entering(size, draws), { wait: 1 + draws.int(PAUSE) });
      if (m === odd && times < 0) m.x = size + m.side / 2;
      if (kind !== 4 || m.wait === 0) continue;
      if (m === odd) odd = undefined;
      if (wantsRing && !odd) {
        Object.assign(m, { isRing: true, wait: 0 });
        odd = m;
        wantsRing = false;
      }
    }
    const picture = floor.slice();
    for (const m of movers) if (m.wait === 0 && m !== odd) paint(m, size, picture);
    if (odd) {
      const mask = masks.subarray(t * area, (t + 1) * area);
      paint(odd, size, picture, mask);
      if (mask.includes(1)) labels[t] = kind;
    }
    const light = 1 + NOISE.light * noise.normals(1)[0];
    const grain = noise.normals(area, 0, NOISE.pixel);
    for (let p = 0; p < area; p++)
      bytes[t * area + p] = Math.round(255 * Math.min(1, Math.max(0, picture[p] * light + grain[p])));
  }
  return { bytes, labels, masks };
}

/** The square nearest to the middle, so that what it does is seen; undefined where none is in. */
function middlemost(movers: readonly Mover[], size: number): Mover | undefined {
  const away = ({ x, y }: Mover) => Math.hypot(x - size / 2, y - size / 2);
  return movers.filter(({ wait }) => wait === 0).sort((a, b) => away(a) - away(b))[0];
}

/** One step, so many times as far; false where it is out of the picture. */
function move(m: Mover, size: number, times: number): boolean {
  if (m.wait > 0) {
    m.wait--;
    return m.wait === 0;
  }
  m.x += times * m.speed * Math.cos(m.angle);
  m.y += times * m.speed * Math.sin(m.angle);
  const half = m.side / 2;
  return m.x >= -half && m.x <= size + half && m.y >= -half && m.y <= size + half;
}

/** Lays a square or a ring with soft edges over a picture; the mask is 1 where it covers at least half a pixel. */
function paint(m: Mover, size: number, picture: Float32Array, mask?: Uint8Array): void {
  const half = m.side / 2;
  const clamp = (v: number) => Math.min(1, Math.max(0, v));
  for (let y = Math.max(0, Math.floor(m.y - half - 1)); y < Math.min(size, m.y + half + 1); y++) {
    for (let x = Math.max(0, Math.floor(m.x - half - 1)); x < Math.min(size, m.x + half + 1); x++) {
      const [dx, dy] = [Math.abs(x + 0.5 - m.x), Math.abs(y + 0.5 - m.y)];
      const distance = Math.hypot(dx, dy);
      const cover = m.isRing
        ? clamp(half + 0.5 - distance) * clamp(distance - half / 2 + 0.5)
        : clamp(half + 0.5 - dx) * clamp(half + 0.5 - dy);
      const p = y * size + x;
      picture[p] += cover * (m.light - picture[p]);
      if (mask && cover >= 0.5) mask[p] = 1;
    }
  }
}
