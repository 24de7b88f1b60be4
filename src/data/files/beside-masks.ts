/**
 * Masks that lie beside their images and differ from them in the ending only: `7.png` beside `7.jpg`. Names leave it
 * open, so the files are looked at: a mask has a few values, most of them 0. Where that is not clear nobody guesses.
 */
import { join } from 'node:path';
import { DataError, OddityError } from '../../core/errors.ts';
import type { Pixels } from '../resize.ts';
import { decodePath } from './decode.ts';
import type { Placed } from './layout-masks.ts';

/** What a mask beside an image is like. */
export interface BesideMask {
  /** Nothing is marked. */
  readonly isEmpty: boolean;
}

/** What is seen of a file. */
interface Look extends BesideMask {
  /** Few values, as masks have them. */
  readonly isFew: boolean;
  /** Share of the pixels that are 0. */
  readonly zeros: number;
  /** Colours, counted until they are too many for a mask. */
  readonly values: number;
  /** Its sides, the shorter one first: a mask is not turned where its image is. */
  readonly size: string;
}

/** Pixels of a file that are looked at, spread over it. */
const SAMPLED = 65_536;
/** Colours that a mask may have: one for each kind of defect. */
const FEW = 8;
/** Share of pixels that are black or white in a mask with soft edges, or packed as JPEG. */
const NEARLY_ALL = 0.97;
/** How far JPEG leaves values from black and white beside edges. */
const WAVES = 16;
/** Files that are decoded at a time. */
const AT_ONCE = 4;
/** Groups that are named in a question. */
const SHOWN = 3;

/**
 * The masks among files of equal name in one folder, by id. Throws DataError `mask-or-image` where it is not clear which
 * files are masks.
 */
export async function findMasksBeside(
  root: string,
  placed: readonly Placed[],
): Promise<ReadonlyMap<string, BesideMask>> {
  const groups = groupsOf(placed);
  if (groups.length === 0) return new Map();
  const looks = await lookAt(root, groups);
  const isFew = (id: string) => looks.get(id)?.isFew === true;
  const judged = groups.map((ids) => ({ ids, few: ids.filter(isFew) }));
  if (judged.every(({ few }) => few.length === 0)) return new Map();

  const isClear = ({ ids, few }: (typeof judged)[number]) =>
    ids.length === 2 && few.length === 1 && sameSize(ids.map((id) => looks.get(id)));
  const masks = judged.filter(isClear).map(({ few }) => few[0]);
  // Where all pairs agree, an ending says which of two files with few values is the mask.
  const ofMasks = new Set(masks.map(endingOf));
  const ofImages = new Set(
    judged.filter(isClear).flatMap(({ ids, few }) => ids.filter((id) => id !== few[0]).map(endingOf)),
  );
  const unclear: string[][] = [];
  for (const group of judged) {
    if (isClear(group)) continue;
    const { ids, few } = group;
    const like = ids.filter((id) => ofMasks.has(endingOf(id)) && !ofImages.has(endingOf(id)));
    if (ids.length === 2 && few.length === 2 && like.length === 1) masks.push(like[0]);
    else unclear.push(ids);
  }
  const mostlyZero = masks.filter((id) => looks.get(id)!.zeros >= 0.5);
  if (mostlyZero.length * 2 < masks.length)
    unclear.push(...groups.filter((ids) => ids.some((id) => masks.includes(id))));
  if (unclear.length > 0) throw question(unclear, looks);
  return new Map(masks.map((id) => [id, { isEmpty: looks.get(id)!.isEmpty }]));
}

/** Ids of images that lie in one folder and have one name, by folder and name. */
function groupsOf(placed: readonly Placed[]): string[][] {
  const found = new Map<string, string[]>();
  for (const { id, isMask } of placed) {
    if (isMask) continue;
    const key = id.replace(/\.[^./]*$/, '').normalize('NFC');
    const list = found.get(key);
    if (list) list.push(id);
    else found.set(key, [id]);
  }
  return [...found.values()].filter((ids) => ids.length > 1);
}

const endingOf = (id: string) => /[^.]*$/.exec(id)![0].toLowerCase();
const sameSize = (looks: readonly (Look | undefined)[]) => new Set(looks.map((look) => look?.size)).size === 1;

/** Looks at the files of all groups, a few at a time. */
async function lookAt(root: string, groups: readonly string[][]): Promise<Map<string, Look>> {
  const looks = new Map<string, Look>();
  const waiting = groups.flat();
  const lane = async () => {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
      const look = await lookAtFile(join(root, id), id);
      if (look) looks.set(id, look);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return looks;
}

async function lookAtFile(path: string, id: string): Promise<Look | undefined> {
  try {
    return describe(await decodePath(path, { isMask: true }), /^jp/.test(endingOf(id)) ? WAVES : 0);
  } catch (error) {
    // What is broken is named when it is read.
    if (error instanceof OddityError && error.name === 'DataError') return undefined;
    throw error;
  }
}

/** Values up to `near` are taken for black, and those as near to white for white. */
function describe({ height, width, channels, data }: Pixels, near: number): Look {
  const pixels = height * width;
  const step = Math.max(1, pixels / SAMPLED);
  const colours = new Set<string>();
  let [zeros, ends, seen] = [0, 0, 0];
  for (let k = 0; k < pixels; k += step, seen++) {
    const colour = data.subarray(Math.floor(k) * channels, (Math.floor(k) + 1) * channels);
    const isZero = colour.every((v) => v <= near);
    if (isZero) zeros++;
    if (isZero || colour.every((v) => v >= 255 - near)) ends++;
    if (colours.size <= FEW) colours.add(colour.join());
  }
  const isBinary = data instanceof Uint8Array && ends >= NEARLY_ALL * seen;
  return {
    isFew: colours.size <= FEW || isBinary,
    zeros: zeros / seen,
    values: colours.size,
    isEmpty: !data.some((v) => v > near),
    size: [height, width].sort((a, b) => a - b).join('x'),
  };
}

/** Asks what files of one name are, of which some look like masks. */
function question(groups: readonly string[][], looks: ReadonlyMap<string, Look>): DataError {
  const sayFile = (id: string) => {
    const look = looks.get(id);
    if (!look) return `${id} cannot be decoded`;
    const { values, zeros } = look;
    return `${id} has ${values > FEW ? 'many values' : `${values} ${values === 1 ? 'value' : 'values'}`}, ${Math.round(100 * zeros)} % of its pixels are 0`;
  };
  const shown = groups.slice(0, SHOWN).map((ids) => ids.map(sayFile).join('; '));
  const more = groups.length > SHOWN ? ` – and ${groups.length - SHOWN} more` : '';
  const [first] = groups[0];
  const stem = first.replace(/\.[^./]*$/, '');
  return new DataError(
    'mask-or-image',
    `Are these images, or is one the mask of the other? ${shown.join(' – ')}${more}. Give masks the name of their image and ` +
      `_mask (${stem}_mask.png), or put them into a folder named masks; give images names of their own.`,
  );
}
