/**
 * What is said of the frames of clips: `labels.csv` with stretches of frames, a file of one 0 or 1 a frame beside a clip or in a
 * folder of labels, or masks, one image a frame, whose frames with any white are anomalous. Node only.
 */
import { basename, dirname, join } from 'node:path';
import { DataError } from '../../../core/errors.ts';
import { readNpy } from '../../formats/npy.ts';
import { readInput } from '../read-input.ts';
import type { ClipFile, FoundClips } from './find-clips.ts';

/** Stretches of frames, the first and the last from 1, with what is wrong there. */
interface Stretch {
  readonly clip: string;
  readonly first: number;
  readonly last: number;
  readonly class: string;
}

/** What was found of the labels of all clips. */
export interface FrameLabels {
  /** The classes, `normal` first. */
  readonly classes: readonly string[];
  /** Class numbers of a clip of so many frames; undefined where nothing is said of it. */
  of(clip: ClipFile, frames: number): Promise<Uint8Array | undefined>;
  /** Paths of the masks of a clip of so many frames, one a frame; undefined where there are none. */
  masksOf(clip: ClipFile, frames: number): readonly string[] | undefined;
}

/** Folders whose files are labels of clips. */
const folders = ['labels', 'frame_labels', 'test_frame_mask'];

const GENERAL = 'anomalous';

/** Reads `labels.csv` and finds the other files. Throws DataError `frame-labels` for what cannot be understood. */
export async function readFrameLabels({ root, clips, maskFolders, others }: FoundClips): Promise<FrameLabels> {
  const table = others.find((file) => file.toLowerCase() === 'labels.csv');
  const stretches = table === undefined ? [] : await readStretches(join(root, table), clips);
  const named = [...new Set(stretches.map((s) => s.class))].filter((name) => name !== GENERAL);
  const files = new Map<string, string>();
  for (const file of others) {
    if (!/\.(txt|npy)$/i.test(file)) continue;
    const clip = clips.find((one) => isLabelOf(file, one));
    if (clip) files.set(clip.id, join(root, file));
  }
  const masksOf = (clip: ClipFile, frames: number) => {
    const found = [...maskFolders].find(([folder]) => isMaskOf(folder, clip))?.[1];
    if (found && found.length !== frames) {
      throw new DataError(
        'frame-labels',
        `The masks of the clip ${clip.id} must be one a frame, but there are ${found.length} masks and ${frames} frames. Add the missing ones, or remove the folder.`,
      );
    }
    return found;
  };
  const isGeneral = files.size > 0 || maskFolders.size > 0 || stretches.some((s) => s.class === GENERAL);
  const classes = ['normal', ...named, ...(isGeneral || named.length === 0 ? [GENERAL] : [])];
  return {
    classes,
    masksOf,
    async of(clip, frames) {
      const own = stretches.filter((s) => s.clip === clip.id);
      const file = files.get(clip.id);
      if (file !== undefined && own.length === 0) return readZeroOne(file, frames, classes.indexOf(GENERAL));
      // A table names what is anomalous: of clips that it leaves out, everything is normal.
      if (table === undefined || (own.length === 0 && clip.part === 'train')) return undefined;
      const labels = new Uint8Array(frames);
      for (const { first, last, class: name } of own) {
        if (last > frames) {
          throw new DataError(
            'frame-labels',
            `${join(root, table)} says that frames ${first} to ${last} of ${clip.id} are anomalous, but it has ${frames}. Correct the table.`,
          );
        }
        labels.fill(classes.indexOf(name), first - 1, last);
      }
      return labels;
    },
  };
}

const stemOf = (path: string) => basename(path).replace(/\.[^.]+$/, '');
const clipStem = (clip: ClipFile) => stemOf(clip.id);

/** A file named as the clip, beside it or in a folder of labels; clips for training have none in such folders. */
function isLabelOf(file: string, clip: ClipFile): boolean {
  if (stemOf(file) !== clipStem(clip)) return false;
  const [own, folder] = [dirname(clip.id), dirname(file)];
  return folder === own || (folders.includes(basename(folder).toLowerCase()) && clip.part !== 'train');
}

/** `Test001_gt` beside the clip, or a folder named as the clip in one of masks. */
function isMaskOf(folder: string, clip: ClipFile): boolean {
  const stem = clipStem(clip);
  if (basename(folder).replace(/_gt$/i, '') !== stem) return false;
  return dirname(folder) === dirname(clip.id) ? folder !== clip.id : clip.part !== 'train';
}

async function readZeroOne(path: string, frames: number, number: number): Promise<Uint8Array> {
  const bytes = await readInput(path, 'frame-labels');
  const values = /\.npy$/i.test(path)
    ? Array.from((await readNpy(bytes, path)).data as ArrayLike<number>, Number)
    : new TextDecoder()
        .decode(bytes)
        .split(/[\s,;]+/)
        .filter((word) => word !== '')
        .map(Number);
  const odd = values.findIndex((value) => value !== 0 && value !== 1);
  if (odd >= 0 || values.length !== frames) {
    throw new DataError(
      'frame-labels',
      `${path} must hold one 0 (normal) or 1 (anomalous) for each of ${frames} frames, but ${odd >= 0 ? `value ${odd + 1} is neither` : `has ${values.length}`}. Correct it, or remove it.`,
    );
  }
  return Uint8Array.from(values, (value) => (value === 1 ? number : 0));
}

/** `clip,first,last` and perhaps `class`; the clip by its path from the root, or by its name where that is clear. */
async function readStretches(path: string, clips: readonly ClipFile[]): Promise<Stretch[]> {
  const lines = new TextDecoder().decode(await readInput(path, 'frame-labels')).split(/\r?\n/);
  const [head, ...rows] = lines.map((line) =>
    line.split(/[,;\t]/).map((cell) => cell.trim().replace(/^"(.*)"$/, '$1')),
  );
  const at = (name: string) => head.findIndex((cell) => cell.replace(/^\uFEFF/, '').toLowerCase() === name);
  const [clip, first, last, kind] = ['clip', 'first', 'last', 'class'].map(at);
  const refuse = (what: string) => new DataError('frame-labels', `${path} ${what}.`);
  if (clip < 0 || first < 0 || last < 0)
    throw refuse('must have the columns clip, first and last – frames from 1 – and perhaps class; add them');
  return rows.flatMap((row, r): Stretch[] => {
    if (row.every((cell) => cell === '')) return [];
    const named = clips.filter(({ id }) => id === row[clip]);
    const alike =
      named.length > 0
        ? named
        : clips.filter((one) => one.part !== 'train' && clipStem(one) === stemOf(row[clip] ?? ''));
    if (alike.length !== 1)
      throw refuse(
        `(line ${r + 2}) must name a clip, such as ${clips[0].id}, but has "${row[clip]}"; correct the name`,
      );
    const [from, to] = [Number(row[first]), Number(row[last])];
    if (!(Number.isInteger(from) && Number.isInteger(to) && from >= 1 && to >= from))
      throw refuse(
        `(line ${r + 2}) must have a first and a last frame, from 1, but has "${row[first]}" and "${row[last]}"; correct them`,
      );
    return [{ clip: alike[0].id, first: from, last: to, class: row[kind] || GENERAL }];
  });
}
