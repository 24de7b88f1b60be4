/** Anomaly maps of predicted images as files: pictures to look at, and numbers to work with. */
import { basename, join } from 'node:path';
import { unknownName } from '../core/errors.ts';
import { float32 } from '../core/tensor.ts';
import { encodePng, writeNpy } from '../data/index.ts';
import type { ImageShape } from '../models/index.ts';
import { type MapScale, mapPicture } from '../report/map-image.ts';
import { overlayPicture } from '../report/overlay-image.ts';
import { writeAtomic, writeJson } from './files.ts';

/**
 * `picture`: image, reconstruction and map side by side. `overlay`: the map over the image, with a line around what
 * reaches the map threshold. `png16`: 16-bit grey, value = low + (high − low) · grey / 65535 with `low` and `high` in a
 * JSON file beside it. `npy`: float32 `[H, W]`.
 */
export const mapFormats = ['picture', 'overlay', 'png16', 'npy'] as const;
/** A kind of file that an anomaly map is written to; see `mapFormats`. */
export type MapFormat = (typeof mapFormats)[number];

/** Throws ConfigError `unknown-map-format`, offering the nearest name. */
export function checkMapFormat(name: string): MapFormat {
  const found = mapFormats.find((format) => format === name);
  if (found) return found;
  throw unknownName('map format', name, mapFormats, 'mapFormats');
}

/** One image and what the detector made of it. */
export interface ScoredImage {
  /** Of the image file; its name without ending names the files. */
  readonly path: string;
  readonly shape: ImageShape;
  /** `[C, H, W]` in [0, 1]. */
  readonly image: Float32Array;
  readonly reconstruction?: Float32Array;
  /** `[H, W]`. */
  readonly map: Float32Array;
  readonly scale: MapScale;
  /** Null where there is none. */
  readonly mapThreshold: number | null;
}

/** Bytes of a file's name that leave room for a number, an ending and what stands behind it while it is written. */
const NAME_BYTES = 200;

/** Writes maps into a folder that exists. */
export class MapWriter {
  /** Names of files, as file systems that know no capital letters have them. */
  private readonly taken = new Set<string>();
  private readonly renamed: { readonly path: string; readonly name: string }[] = [];

  constructor(
    private readonly folder: string,
    private readonly formats: readonly MapFormat[],
  ) {}

  /** Says whose files could not be named after their image; undefined when all are. */
  get remark(): string | undefined {
    const all = this.renamed.map(({ path, name }) => `${path}: ${name}`);
    if (all.length === 0) return undefined;
    const more = all.length > 5 ? ` and ${all.length - 5} more` : '';
    return (
      `The map files of ${all.length} images are not named after the image, because the name is too long or another image ` +
      `has it: ${all.slice(0, 5).join(', ')}${more}. The predictions as JSON have the paths of all.`
    );
  }

  /**
   * Writes the files of one image and returns their paths by format. Their name is that of the image, with a number where
   * a file of that name was written for another one, and cut where it is too long; see `remark`.
   */
  async write(one: ScoredImage): Promise<Partial<Record<MapFormat, string>>> {
    const name = this.nameFor(one.path);
    const paths: Partial<Record<MapFormat, string>> = {};
    for (const format of this.formats) {
      const path = join(this.folder, `${name}${endings[format]}`);
      await writeAtomic(path, await this.bytes(format, one, path), { flush: false });
      paths[format] = path;
    }
    return paths;
  }

  private nameFor(path: string): string {
    const plain = basename(path).replace(/\.[^.:]*(?::(\d+))?$/, (_, page) => (page ? `-page${page}` : ''));
    const stem = cut(plain.replaceAll('\\', '_'), NAME_BYTES);
    const filesOf = (name: string) =>
      this.formats
        .flatMap((format) => [endings[format], ...(format === 'png16' ? [endings.png16.replace('png', 'json')] : [])])
        .map((ending) => `${name}${ending}`.normalize('NFC').toLowerCase());
    let name = stem;
    for (let k = 2; filesOf(name).some((file) => this.taken.has(file)); k++) name = `${stem}-${k}`;
    for (const file of filesOf(name)) this.taken.add(file);
    if (name !== plain) this.renamed.push({ path, name });
    return name;
  }

  private async bytes(format: MapFormat, one: ScoredImage, path: string): Promise<Uint8Array> {
    const { shape, image, reconstruction, map, scale, mapThreshold } = one;
    const [, height, width] = shape;
    if (format === 'picture') return mapPicture({ shape, image, reconstruction, map, scale });
    if (format === 'overlay') return overlayPicture({ shape, image, map, scale, threshold: mapThreshold });
    if (format === 'npy') return writeNpy(float32(map.slice(), [height, width]));
    const { low, high } = coveringRange(map, scale);
    const data = Uint16Array.from(map, (v) => Math.round((65535 * (v - low)) / (high - low)));
    await writeJson(path.replace(/png$/, 'json'), { low, high, height, width, mapThreshold }, { flush: false });
    return encodePng({ height, width, channels: 1, data });
  }
}

/** The beginning of a text that takes so many bytes at most, in whole letters. */
function cut(text: string, most: number): string {
  let [kept, bytes] = ['', 0];
  for (const letter of text) {
    bytes += Buffer.byteLength(letter);
    if (bytes > most) break;
    kept += letter;
  }
  return kept;
}

const endings: Readonly<Record<MapFormat, string>> = {
  picture: '.png',
  overlay: '-overlay.png',
  png16: '-map16.png',
  npy: '.npy',
};

/** The run's scale, so that files of different images compare; wider where a map goes beyond it, so that none is cut. */
function coveringRange(map: Float32Array, scale: MapScale): { low: number; high: number } {
  let { low, high } = scale;
  for (const v of map) {
    if (v < low) low = v;
    if (v > high) high = v;
  }
  return { low, high };
}
