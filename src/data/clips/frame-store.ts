/**
 * Decoded frames of clips, in blocks: what was used last is kept within a budget of bytes, the rest is decoded again when it is
 * asked for. Bytes take a quarter of the memory of numbers, and neighbouring windows share all frames but one.
 */
import type { Clip } from './clip.ts';

/** Frames of a block: a video is decoded in order, so single frames would each cost a start. */
export const BLOCK = 64;

/** A part of the frames of a clip. */
export interface FrameBlock {
  /** Bytes of its frames, one after the other. */
  readonly bytes: Uint8Array;
  /** The first of them, and the one behind the last. */
  readonly from: number;
  readonly to: number;
}

/** Gives the block of a clip's frames in which frame `t` lies. */
export type FrameStore = (clip: Clip, t: number) => Promise<FrameBlock>;

/** A store of frames of `frameBytes` bytes each that keeps at most `budget` bytes, but always the last block. */
export function frameStore(frameBytes: number, budget: number): FrameStore {
  /** In the order of their last use. */
  const kept = new Map<string, { readonly block: Promise<FrameBlock>; readonly bytes: number }>();
  let held = 0;
  return (clip, t) => {
    const from = t - (t % BLOCK);
    const key = `${from}/${clip.id}`;
    const known = kept.get(key);
    if (known) {
      kept.delete(key);
      kept.set(key, known);
      return known.block;
    }
    const to = Math.min(clip.frames, from + BLOCK);
    const block = clip.read(from, to).then((bytes) => ({ bytes, from, to }));
    const bytes = (to - from) * frameBytes;
    kept.set(key, { block, bytes });
    held += bytes;
    for (const [oldest, { bytes: freed }] of kept) {
      if (held <= budget || oldest === key) break;
      kept.delete(oldest);
      held -= freed;
    }
    block.catch(() => {
      if (kept.get(key)?.block !== block) return;
      kept.delete(key);
      held -= bytes;
    });
    return block;
  };
}
