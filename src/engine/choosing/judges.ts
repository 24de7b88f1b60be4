/**
 * The images that candidates are judged by: normals that none of them learns from, and the same with planted defects of several
 * kinds. All of them are of the training part; what is held out for the threshold, and what tests, is not looked at.
 */
import { type ImageShape, itemSize } from '../../core/item-shape.ts';
import type { Rng } from '../../core/random.ts';
import { type PlantedKind, plantedKinds, plantKind, resample, type Source } from '../../data/pure.ts';

/** Normals of the training part that candidates learn from and are judged by. */
export interface Parts {
  readonly known: Uint32Array;
  readonly judges: Uint32Array;
}

const MOST = { known: 128, judges: 32 };
/** Judges below which nothing is chosen. */
export const LEAST_JUDGES = 10;

/** A quarter of the normals judges, at most 32, and at most 128 of the others are learnt from; drawn by the stream. */
export function partsOf(normals: Uint32Array, rng: Rng): Parts {
  const drawn = rng.split('parts').shuffle(normals.slice());
  const judges = Math.min(MOST.judges, Math.floor(drawn.length / 4));
  return {
    judges: drawn.slice(0, judges).sort(),
    known: drawn.slice(judges, judges + MOST.known).sort(),
  };
}

/** Images in one list: the judges as they are, then those with something planted. */
export interface PlantedJudges {
  /** Of the images as they are kept. */
  readonly shape: ImageShape;
  /** Position of the judge that an image is made of. */
  readonly judge: readonly number[];
  /** What was planted; undefined for normals. */
  readonly kind: readonly (PlantedKind | undefined)[];
  /** `[C, H, W]` each, 255 = white. */
  readonly images: readonly Uint8Array[];
  /** `[H, W]`, 1 = planted; undefined for normals. */
  readonly masks: readonly (Uint8Array | undefined)[];
}

/** Every kind is planted into half of the judges, if it can be seen on them. */
export async function plantJudges(source: Source, judges: Uint32Array, rng: Rng): Promise<PlantedJudges> {
  const shape = source.shape as ImageShape;
  const [channels, height, width] = shape;
  const jury = {
    shape,
    judge: [] as number[],
    kind: [] as (PlantedKind | undefined)[],
    images: [] as Uint8Array[],
    masks: [] as (Uint8Array | undefined)[],
  };
  const add = (judge: number, image: Float32Array, kind?: PlantedKind, mask?: Uint8Array) => {
    jury.judge.push(judge);
    jury.kind.push(kind);
    jury.images.push(Uint8Array.from(image, (v) => Math.round(255 * v)));
    jury.masks.push(mask);
  };
  const planted: Parameters<typeof add>[] = [];
  const image = new Float32Array(itemSize(shape));
  for (const [j, item] of judges.entries()) {
    await new Promise((resolve) => setTimeout(resolve, 0)); // lets Ctrl-C be heard
    await source.read([item], image);
    add(j, image);
    for (const [k, kind] of (Object.keys(plantedKinds) as PlantedKind[]).entries()) {
      if ((j + k) % 2 === 1) continue;
      const made = plantKind(kind, { channels, height, width, image }, rng.split('planted').split(j));
      if (made) planted.push([j, made.image, kind, made.mask]);
    }
  }
  for (const one of planted) add(...one);
  return jury;
}

/** Images `[n, C, H, W]` at another size, each plane by itself, written into `out` from item `at` on. */
export function resized(
  image: Float32Array,
  [channels, height, width]: ImageShape,
  [toHeight, toWidth]: readonly [number, number],
  out: Float32Array,
  at: number,
): void {
  const [from, to] = [height * width, toHeight * toWidth];
  for (let c = 0; c < channels; c++) {
    const data = image.subarray(c * from, (c + 1) * from);
    const plane =
      from === to && height === toHeight ? data : resample({ height, width, channels: 1, data }, toHeight, toWidth);
    out.set(plane, (at * channels + c) * to);
  }
}
