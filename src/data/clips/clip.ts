/**
 * A clip as files give it: frames of one size, one after the other, decoded when they are asked for, perhaps with labels and
 * masks. `source.ts` makes items of it. Left out: sound, and frames of more than eight bits.
 */
import { DataError } from '../../core/errors.ts';
import type { ImageShape } from '../../core/item-shape.ts';

export interface Clip {
  /** Unique among the clips of a data set: the name of its file or folder. */
  readonly id: string;
  /** T. */
  readonly frames: number;
  /** The first frames that are for training, 0 to T. */
  readonly train: number;
  /** `[T]`, the class of each frame, 0 = normal; absent where all are normal. */
  readonly labels?: Uint8Array;
  /** Frames a second, where that is known. */
  readonly rate?: number;
  /** sha256 (hex) of what the frames are decoded from. */
  readonly content: string;
  /** Bytes `[n, C, H, W]` of the frames from `from` to before `to`. The caller must not change them. */
  read(from: number, to: number): Promise<Uint8Array>;
  /** Masks `[n, H, W]` of the same, 1 = anomalous pixel; absent where none are known. */
  readMasks?(from: number, to: number): Promise<Uint8Array>;
}

/** A clip whose frames `[T, C, H, W]`, and masks `[T, H, W]`, are bytes in memory. They are kept, not copied. */
export interface HeldFrames extends Pick<Clip, 'id' | 'train' | 'labels' | 'rate' | 'content'> {
  readonly shape: ImageShape;
  readonly bytes: Uint8Array;
  readonly masks?: Uint8Array;
}

/** Frames in memory as a clip. */
export function heldClip({ shape: [channels, height, width], bytes, masks, ...facts }: HeldFrames): Clip {
  const [size, area] = [channels * height * width, height * width];
  return {
    ...facts,
    frames: bytes.length / size,
    read: async (from, to) => bytes.subarray(from * size, to * size),
    ...(masks && { readMasks: async (from: number, to: number) => masks.subarray(from * area, to * area) }),
  };
}

/** Throws DataError `clips` unless there are clips of whole frames, with a class for each, and ids of their own. */
export function checkClips(clips: readonly Clip[], classes: number, name: string): void {
  if (clips.length === 0) throw new DataError('clips', `${name} must hold at least one clip, but has none.`);
  const ids = new Set<string>();
  for (const { id, frames, train, labels } of clips) {
    const odd = labels?.find((label) => label >= classes);
    const fault = ids.has(id)
      ? 'must have a name of its own'
      : !(Number.isInteger(frames) && frames > 0)
        ? `must have whole frames, at least one, but has ${frames}`
        : labels && labels.length !== frames
          ? `has ${frames} frames, but ${labels.length} labels`
          : odd !== undefined
            ? `must have class numbers below ${classes}, but has ${odd}`
            : !(train >= 0 && train <= frames)
              ? `has ${frames} frames, of which ${train} cannot be for training`
              : undefined;
    if (fault) throw new DataError('clips', `The clip ${id} of ${name} ${fault}.`);
    ids.add(id);
  }
}
