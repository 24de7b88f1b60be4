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

/** Writes maps into a folder that exists. */
export class MapWriter {
  private readonly taken = new Set<string>();

  constructor(
    private readonly folder: string,
    private readonly formats: readonly MapFormat[],
  ) {}

  /** Writes the files of one image and returns their paths by format. Images of one name get numbers. */
  async write(one: ScoredImage): Promise<Partial<Record<MapFormat, string>>> {
    const stem = basename(one.path).replace(/\.[^.]*$/, '');
    let name = stem;
    for (let k = 2; this.taken.has(name); k++) name = `${stem}-${k}`;
    this.taken.add(name);
    const paths: Partial<Record<MapFormat, string>> = {};
    for (const format of this.formats) {
      const path = join(this.folder, `${name}${endings[format]}`);
      await writeAtomic(path, await this.bytes(format, one, path), { flush: false });
      paths[format] = path;
    }
    return paths;
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
