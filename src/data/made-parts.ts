/**
 * Made-up images of parts with a test part, by which the procedure that chooses a detector for images was tuned: grey grain with
 * worn places, a smooth surface with hairline cracks, a part on a plain ground that is turned or lacks a tooth. They look like no
 * real set and stand in no table of results. The same options give the same bytes.
 */
import { ConfigError } from '../core/errors.ts';
import { Rng } from '../core/random.ts';
import type { Source } from './item.ts';
import { type MemoryPart, memorySource } from './memory.ts';
import { perlinNoise } from './transforms/perlin.ts';

/** A made-up set of parts. */
export type MadeSet = 'grain' | 'cracks' | 'turned';

/** Options of `madeParts`; every one but the set has a default. */
export interface MadePartsOptions {
  readonly set: MadeSet;
  /** Normal images that train; default 60. As many normal ones and defects test as half of them. */
  readonly count?: number;
  /** Height and width in pixels, at least 32; default 128. */
  readonly size?: number;
  /** Default 1. */
  readonly channels?: 1 | 3;
  /** Default 0. */
  readonly seed?: number;
}

/** Values `[H, W]` about [0, 1], and where a defect is. */
type Paint = (size: number, odd: boolean, rng: Rng) => { readonly values: Float32Array; readonly mask: Uint8Array };

const blank = (size: number) => ({ values: new Float32Array(size * size), mask: new Uint8Array(size * size) });

/** Noise of two grains; a worn place is smoother. */
const grain: Paint = (size, odd, rng) => {
  const { values, mask } = blank(size);
  const field = (cell: number, name: string) => {
    const cells = Math.max(1, Math.round(size / cell));
    return perlinNoise({ height: size, width: size, cells: [cells, cells] }, rng.split(name));
  };
  const [coarse, fine] = [field(16, 'coarse'), field(3, 'fine')];
  const [cy, cx] = [0.2 + 0.6 * rng.uniform(), 0.2 + 0.6 * rng.uniform()].map((v) => v * size);
  const radius = size * (0.04 + 0.06 * rng.uniform());
  for (let p = 0; p < values.length; p++) {
    const far = Math.hypot(Math.floor(p / size) - cy, (p % size) - cx) / radius;
    const worn = odd && far < 1;
    values[p] = 0.5 + 0.12 * coarse[p] + (worn ? 0.08 : 0.25) * fine[p];
    if (worn) mask[p] = 1;
  }
  return { values, mask };
};

/** A smooth surface under uneven light; a crack is a dark line of a pixel or two. */
const cracks: Paint = (size, odd, rng) => {
  const { values, mask } = blank(size);
  const light = perlinNoise({ height: size, width: size, cells: [2, 2] }, rng.split('light'));
  const noise = rng.split('noise').normals(size * size);
  for (let p = 0; p < values.length; p++) values[p] = 0.6 + 0.15 * light[p] + 0.02 * noise[p];
  if (!odd) return { values, mask };
  let [y, x, angle] = [0.3 + 0.4 * rng.uniform(), 0.3 + 0.4 * rng.uniform(), 7 * rng.uniform()];
  const depth = 0.12 + 0.15 * rng.uniform();
  const length = size * (0.15 + 0.3 * rng.uniform());
  for (let step = 0; step < length; step++) {
    const p =
      Math.min(size - 1, Math.max(0, Math.floor(y * size))) * size +
      Math.min(size - 1, Math.max(0, Math.floor(x * size)));
    if (mask[p] === 0) values[p] -= depth;
    mask[p] = 1;
    angle += 0.3 * (rng.uniform() - 0.5);
    [y, x] = [y + Math.sin(angle) / size, x + Math.cos(angle) / size];
  }
  return { values, mask };
};

/** Teeth of the part. */
const TEETH = 7;

/** A wheel with teeth, one of them longer, always at the same turn but for two degrees; odd ones are turned or lack a tooth. */
const turned: Paint = (size, odd, rng) => {
  const { values, mask } = blank(size);
  const kind = rng.int(2);
  const turn = (2 * (rng.uniform() - 0.5) * Math.PI) / 90 + (odd && kind === 0 ? 0.15 + 0.5 * rng.uniform() : 0);
  const lost = odd && kind === 1 ? rng.int(TEETH) : -1;
  const noise = rng.split('noise').normals(size * size);
  const [cy, cx] = [0.5 + 0.01 * rng.normals(1)[0], 0.5 + 0.01 * rng.normals(1)[0]].map((v) => v * size);
  /** Radius of the wheel in a direction, of the side. */
  const radius = (theta: number, missing: number) => {
    const at = (((theta / (2 * Math.PI)) % 1) + 1) % 1;
    const tooth = Math.floor(at * TEETH);
    if ((at * TEETH) % 1 > 0.5 || tooth === missing) return 0.26;
    return tooth === 0 ? 0.42 : 0.34;
  };
  for (let p = 0; p < values.length; p++) {
    const [dy, dx] = [Math.floor(p / size) + 0.5 - cy, (p % size) + 0.5 - cx];
    const [far, theta] = [Math.hypot(dy, dx) / size, Math.atan2(dy, dx)];
    const inside = far < radius(theta - turn, lost) && far > 0.08;
    values[p] = (inside ? 0.7 - 0.3 * far : 0.15) + 0.02 * noise[p];
    if (odd && inside !== (far < radius(theta, -1) && far > 0.08)) mask[p] = 1;
  }
  return { values, mask };
};

const paints: Readonly<Record<MadeSet, Paint>> = { grain, cracks, turned };

/** Images in [0, 1], class 0 `good`, class 1 `odd`; `readMasks` gives the pixels of defects. Throws ConfigError `synthetic`. */
export async function madeParts({
  set,
  count = 60,
  size = 128,
  channels = 1,
  seed = 0,
}: MadePartsOptions): Promise<Source> {
  for (const [name, value, min] of [
    ['count', count, 2],
    ['size', size, 32],
  ] as const) {
    if (!Number.isInteger(value) || value < min)
      throw new ConfigError('synthetic', `madeParts: ${name} must be an integer of at least ${min}, got ${value}.`);
  }
  const rng = new Rng(seed).split(set);
  const tint = Array.from({ length: channels }, (_, c) =>
    channels === 1 ? 1 : 0.75 + 0.25 * rng.split('tint').split(c).uniform(),
  );
  const part = (name: 'train' | 'test', labels: Uint8Array): MemoryPart => {
    const area = size * size;
    const pixels = new Uint8Array(labels.length * channels * area);
    const masks = new Uint8Array(labels.length * area);
    for (const [i, label] of labels.entries()) {
      const { values, mask } = paints[set](size, label === 1, rng.split(name).split(i));
      masks.set(mask, i * area);
      for (let c = 0; c < channels; c++)
        for (let p = 0; p < area; p++)
          pixels[(i * channels + c) * area + p] = Math.round(255 * Math.min(1, Math.max(0, tint[c] * values[p])));
    }
    return { part: name, labels, pixels, masks };
  };
  const half = Math.floor(count / 2);
  return {
    ...(await memorySource({
      name: `made-${set}`,
      title: `Made-up parts, ${set}`,
      licence: 'none needed: generated',
      shape: [channels, size, size],
      classes: ['good', 'odd'],
      parts: [
        part('train', new Uint8Array(count)),
        part(
          'test',
          Uint8Array.from({ length: 2 * half }, (_, i) => i % 2),
        ),
      ],
    })),
    normalClass: 0,
  };
}
