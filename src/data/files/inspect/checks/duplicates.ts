/** Checks of images that are there more than once: a copy in training and in test makes a result too good. */
import type { LayoutItem } from '../../layout.ts';
import { type Check, count, type Finding } from '../check.ts';
import { type Examined, type FileFacts, THUMBNAIL } from '../examine.ts';

type Image = Examined['images'][number];

const isAcross = (a: LayoutItem, b: LayoutItem) => a.part !== b.part;

export const duplicates: Check = {
  code: 'duplicates',
  find({ images }) {
    const first = new Map<string, Image>();
    const pairs: [Image, Image][] = [];
    for (const image of images) {
      const { hash, sizeBytes } = image.file;
      if (sizeBytes === 0) continue;
      const before = first.get(hash);
      if (before) pairs.push([image, before]);
      else first.set(hash, image);
    }
    const differing = pairs.filter(([a, b]) => a.item.label !== b.item.label);
    const rest = pairs.filter(([a, b]) => a.item.label === b.item.label);
    const across = rest.filter(([a, b]) => isAcross(a.item, b.item));
    const within = rest.filter(([a, b]) => !isAcross(a.item, b.item));
    const finding = (some: typeof pairs, severity: Finding['severity'], where: string, advice: string): Finding[] =>
      some.length === 0
        ? []
        : [
            {
              severity,
              message: `${count(some.length, 'image is a copy', 'images are copies')} of another, byte for byte, ${where}.`,
              advice,
              paths: some.map(([a]) => a.file.id),
              remarks: some.map(([, b]) => `as ${b.file.id}`),
            },
          ];
    return [
      ...finding(differing, 'error', 'with the other label', 'Decide which label is right and remove the other copy.'),
      ...finding(across, 'error', 'in another part', 'Remove one of each: test images must not be training images.'),
      ...finding(
        within,
        'warning',
        'in the same part',
        'Remove them: copies count twice, and a random split may put them in different parts.',
      ),
    ];
  },
};

/** Side of the picture whose gradients make the hash; the hash has SIDE² bits. */
const SIDE = 16;
/** Largest number of different bits, of 256. */
export const NEAR_BITS = 10;
/** Largest root mean square difference of the small pictures without their means, of white = 1. */
export const NEAR_DIFFERENCE = 0.02;
/** Every image is compared with every other: above this many it would take minutes. */
const MOST = 20_000;

/**
 * The gradient hash (dHash): bit (i, j) says whether the picture grows brighter from column j to the next, the last
 * one beside the first. On products that all look alike, hashes of different pieces agree too; so the small pictures
 * must agree as well.
 */
export function gradientHash(thumbnail: Float32Array): Uint32Array {
  const step = THUMBNAIL / SIDE;
  const small = new Float32Array(SIDE * SIDE);
  for (let y = 0; y < THUMBNAIL; y++) {
    for (let x = 0; x < THUMBNAIL; x++) {
      small[Math.floor(y / step) * SIDE + Math.floor(x / step)] += thumbnail[y * THUMBNAIL + x];
    }
  }
  const hash = new Uint32Array((SIDE * SIDE) / 32);
  for (let i = 0; i < SIDE * SIDE; i++) {
    const right = i - (i % SIDE) + ((i + 1) % SIDE);
    if (small[i] < small[right]) hash[i >> 5] |= 1 << (i & 31);
  }
  return hash;
}

/** Number of different bits. */
export function hashDistance(a: Uint32Array, b: Uint32Array): number {
  let n = 0;
  for (let i = 0; i < a.length; i++) {
    let v = a[i] ^ b[i];
    v -= (v >>> 1) & 0x55555555;
    v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
    n += Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
  }
  return n;
}

/** Root mean square difference of two small pictures without their means. */
function difference(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < a.length; i++) {
    const d = a[i] - b[i];
    sum += d;
    squares += d * d;
  }
  return Math.sqrt(Math.max(0, squares / a.length - (sum / a.length) ** 2));
}

/** A small grey picture with its hash: what images are compared by. */
export interface Look {
  readonly hash: Uint32Array;
  readonly thumbnail: Float32Array;
}

export const lookOf = (thumbnail: Float32Array): Look => ({ hash: gradientHash(thumbnail), thumbnail });

/** Different bits of the hashes of two pictures that are much alike; undefined where they are not. */
export function nearBits(a: Look, b: Look): number | undefined {
  const bits = hashDistance(a.hash, b.hash);
  return bits <= NEAR_BITS && difference(a.thumbnail, b.thumbnail) <= NEAR_DIFFERENCE ? bits : undefined;
}

export const nearDuplicates: Check = {
  code: 'near-duplicates',
  find({ images }) {
    const seen = images.filter(({ file }) => file.image);
    if (seen.length > MOST) {
      const message = `Near duplicates were not searched for: there are more than ${MOST} images.`;
      return [{ severity: 'note', message, advice: 'Inspect part of them separately.', paths: [] }];
    }
    const looks = seen.map(({ file }) => lookOf(file.image!.thumbnail));
    const near: { image: Image; other: FileFacts; bits: number; isAcross: boolean }[] = [];
    for (const [i, image] of seen.entries()) {
      for (let j = 0; j < i; j++) {
        const bits = nearBits(looks[i], looks[j]);
        const other = seen[j];
        if (bits === undefined || image.item.label !== other.item.label || image.file.hash === other.file.hash)
          continue;
        const across = isAcross(image.item, other.item);
        near.push({ image, other: other.file, bits, isAcross: across });
        break;
      }
    }
    return [true, false].flatMap((across): Finding[] => {
      const some = near.filter((pair) => pair.isAcross === across);
      if (some.length === 0) return [];
      const where = across ? 'in another part' : 'in the same part';
      return [
        {
          severity: across ? 'warning' : 'note',
          message:
            `${count(some.length, 'image looks', 'images look')} like another of the same label ${where} ` +
            `(at most ${NEAR_BITS} of ${SIDE * SIDE} bits of a gradient hash differ).`,
          advice: across
            ? 'Keep pictures of one object in one part: testing on objects seen in training is too optimistic.'
            : 'Check whether they show the same object; if so, keep them on one side of the split.',
          paths: some.map(({ image }) => image.file.id),
          remarks: some.map(({ other, bits }) => `distance ${bits} from ${other.id}`),
        },
      ];
    });
  },
};
