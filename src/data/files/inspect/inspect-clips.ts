/** Inspection of clips: how many frames, of which size, what is said of them. Frames of images are not decoded. Node only. */
import { basename } from 'node:path';
import { segmentsOf } from '../../../core/segments.ts';
import { type ClipFilesOptions, describeClips } from '../clips/clip-files.ts';

/** What a path of clips holds. */
export interface ClipsInspection {
  readonly kind: 'clip';
  readonly name: string;
  /** The classes of frames, `normal` first. */
  readonly classes: readonly string[];
  readonly clips: readonly {
    readonly id: string;
    readonly frames: number;
    readonly height: number;
    readonly width: number;
    /** Frames a second; absent where the file does not say. */
    readonly rate?: number;
    /** The first frames that are for training. */
    readonly train: number;
    /** Labelled stretches, and their frames; absent where nothing is said of the clip. */
    readonly segments?: number;
    readonly anomalous?: number;
  }[];
}

/** Looks at the clips at a path. Throws as reading them does: the first fault is the one that is told. */
export async function inspectClips(path: string, options: ClipFilesOptions): Promise<ClipsInspection> {
  const { classes, clips } = await describeClips(path, options);
  return {
    kind: 'clip',
    name: basename(path),
    classes,
    clips: clips.map(({ facts, clip }) => {
      const { height, width, rate } = facts;
      const { labels } = clip;
      const marks = labels && Uint8Array.from(labels, (y) => Number(y > 0));
      return {
        ...{ id: clip.id, frames: clip.frames, height, width, train: clip.train },
        ...(rate !== undefined && { rate }),
        ...(marks && { segments: segmentsOf(marks).length, anomalous: marks.reduce((n, y) => n + y, 0) }),
      };
    }),
  };
}
