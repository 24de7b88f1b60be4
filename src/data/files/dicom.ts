/**
 * DICOM files of one uncompressed image or one baseline JPEG, through the optional package dicom-parser. The window of the
 * file makes black and white where it has one, as viewers show it; else the values are the numbers of the file, after
 * its slope and intercept. Node only.
 */
import type { DataSet } from 'dicom-parser';
import { DataError, RuntimeUnavailable } from '../../core/errors.ts';
import { tooLarge } from '../formats/check-header.ts';
import type { Pixels } from '../resize.ts';

const LITTLE = ['1.2.840.10008.1.2', '1.2.840.10008.1.2.1'];
const BIG = '1.2.840.10008.1.2.2';
const BASELINE_JPEG = '1.2.840.10008.1.2.4.50';

/** Encodings that are not read, by transfer syntax. */
const packings: Readonly<Record<string, string>> = {
  '1.2.840.10008.1.2.1.99': 'deflate',
  '1.2.840.10008.1.2.4.51': 'JPEG extended (12 bits)',
  '1.2.840.10008.1.2.4.57': 'JPEG lossless',
  '1.2.840.10008.1.2.4.70': 'JPEG lossless',
  '1.2.840.10008.1.2.4.80': 'JPEG-LS',
  '1.2.840.10008.1.2.4.81': 'JPEG-LS',
  '1.2.840.10008.1.2.4.90': 'JPEG 2000',
  '1.2.840.10008.1.2.4.91': 'JPEG 2000',
  '1.2.840.10008.1.2.5': 'run lengths (RLE)',
};

/** What a file says of its pixels. */
interface Facts {
  readonly height: number;
  readonly width: number;
  /** Samples of a pixel: 1 or 3. */
  readonly samples: number;
  readonly bits: number;
  readonly isSigned: boolean;
  /** Small values are bright. */
  readonly isInverted: boolean;
  readonly slope: number;
  readonly intercept: number;
  readonly window?: { readonly centre: number; readonly width: number };
}

/**
 * Decodes a DICOM file. `decodeJpeg` decodes the JPEG stream that it may hold.
 * @throws DataError `unreadable-image` for damaged files, `dicom-encoding` for pixels that are packed in another way,
 * `dicom-pixels` for kinds of pixels that are not read, `several-pages`, `image-too-large`; RuntimeUnavailable `no-dicom`.
 */
export async function readDicom(
  bytes: Uint8Array,
  file: string,
  maxPixels: number,
  decodeJpeg: (bytes: Uint8Array) => Promise<Pixels>,
): Promise<Pixels> {
  const parser = await library(file);
  let set: DataSet;
  try {
    set = parser.parseDicom(bytes);
  } catch (error) {
    const reason = String((error as { exception?: string }).exception ?? (error as Error).message ?? error);
    throw damaged(file, reason.split('\n')[0]);
  }
  const syntax = set.string('x00020010') ?? LITTLE[0];
  const element = set.elements.x7fe00010;
  if (!element) throw damaged(file, 'it holds no pixels');
  if (![...LITTLE, BIG, BASELINE_JPEG].includes(syntax)) {
    throw new DataError(
      'dicom-encoding',
      `${file} must hold plain pixels or baseline JPEG, but they are packed as ${packings[syntax] ?? `transfer syntax ${syntax}`}. ` +
        'Unpack it first: gdcmconv (option raw), or dcmdjpeg, dcmdjpls or dcmdrle of DCMTK.',
    );
  }
  const facts = factsOf(set, file);
  if (facts.height * facts.width > maxPixels) throw tooLarge(file, `${facts.height}x${facts.width} pixels`, maxPixels);
  if (syntax === BASELINE_JPEG) {
    const jpeg = parser.readEncapsulatedPixelDataFromFragments(set, element, 0, element.fragments?.length);
    const { data, channels, height, width } = await decodeJpeg(new Uint8Array(jpeg));
    return channels === 1 ? valued(data, { ...facts, height, width }) : { data, channels, height, width };
  }
  const { height, width, samples, bits } = facts;
  const need = (height * width * samples * bits) / 8;
  if (element.length < need) throw damaged(file, `its pixels have ${element.length} of ${need} bytes`);
  const raw = bytes.subarray(element.dataOffset, element.dataOffset + need);
  if (samples === 3) {
    const isPlanar = set.uint16('x00280006') === 1;
    const area = height * width;
    const data = isPlanar ? raw.map((_, i) => raw[(i % 3) * area + Math.floor(i / 3)]) : raw.slice();
    return { data, height, width, channels: 3 };
  }
  return valued(numbers(raw, facts, syntax !== BIG), facts);
}

/** What the head of a file says of its pixels; DataError for kinds that are not read. */
function factsOf(set: DataSet, file: string): Facts {
  const [height, width] = [set.uint16('x00280010') ?? 0, set.uint16('x00280011') ?? 0];
  if (!(height > 0 && width > 0)) throw damaged(file, `its size is ${height}x${width}`);
  const frames = set.intString('x00280008') ?? 1;
  if (frames > 1) {
    throw new DataError(
      'several-pages',
      `${file} has ${frames} frames, and an image is one of them. Save each as a file, for example with dcm2pnm.`,
    );
  }
  const samples = set.uint16('x00280002') ?? 1;
  const bits = set.uint16('x00280100') ?? 16;
  const colours = (set.string('x00280004') ?? 'MONOCHROME2').trim();
  const isGrey = samples === 1 && /^MONOCHROME[12]$/.test(colours) && [8, 16, 32].includes(bits);
  // JPEG turns YBR into RGB.
  const isColour = samples === 3 && bits === 8 && (colours === 'RGB' || set.string('x00020010') === BASELINE_JPEG);
  if (!isGrey && !isColour) {
    throw new DataError(
      'dicom-pixels',
      `${file} must be MONOCHROME1, MONOCHROME2 or RGB, found ${colours} with ${samples} samples of ${bits} bits. Convert it ` +
        'first, for example with dcm2pnm.',
    );
  }
  const [centre, windowWidth] = [set.floatString('x00281050'), set.floatString('x00281051')];
  return {
    height,
    width,
    samples,
    bits,
    isSigned: set.uint16('x00280103') === 1,
    isInverted: colours === 'MONOCHROME1',
    slope: set.floatString('x00281053') ?? 1,
    intercept: set.floatString('x00281052') ?? 0,
    ...(centre !== undefined &&
      windowWidth !== undefined &&
      windowWidth > 0 && { window: { centre, width: windowWidth } }),
  };
}

/** The samples of a file as numbers. */
function numbers(raw: Uint8Array, { bits, isSigned }: Facts, little: boolean): Float32Array | Uint8Array {
  if (bits === 8 && !isSigned) return raw.slice();
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const read = {
    8: (i: number) => view.getInt8(i),
    16: (i: number) => (isSigned ? view.getInt16(2 * i, little) : view.getUint16(2 * i, little)),
    32: (i: number) => (isSigned ? view.getInt32(4 * i, little) : view.getUint32(4 * i, little)),
  }[bits as 8 | 16 | 32];
  return Float32Array.from({ length: (8 * raw.length) / bits }, (_, i) => read(i));
}

/**
 * Grey samples after slope and intercept, and through the window (DICOM PS3.3 C.11.2.1.2.1, linear): 16 bits where there
 * is a window, else bytes that mean nothing else as bytes, and the numbers of the file.
 */
function valued(data: ArrayLike<number>, facts: Facts): Pixels {
  const { height, width, slope, intercept, window, isInverted } = facts;
  const size = { height, width, channels: 1 as const };
  if (window) {
    const span = Math.max(1, window.width - 1);
    const shown = Uint16Array.from(data, (v) => {
      const share = (slope * v + intercept - (window.centre - 0.5)) / span + 0.5;
      const inside = Math.min(1, Math.max(0, share));
      const grey = Math.round(65_535 * inside);
      return isInverted ? 65_535 - grey : grey;
    });
    return { ...size, data: shown };
  }
  if (data instanceof Uint8Array && slope === 1 && intercept === 0) {
    return { ...size, data: isInverted ? data.map((v) => 255 - v) : data };
  }
  const sign = isInverted ? -1 : 1;
  return { ...size, data: Float32Array.from(data, (v) => sign * (slope * v + intercept)), isRaw: true };
}

const damaged = (file: string, reason: string) =>
  new DataError(
    'unreadable-image',
    `${file} must be a whole DICOM file, but it cannot be read (${reason}). It is damaged or truncated.`,
  );

async function library(file: string): Promise<typeof import('dicom-parser')> {
  try {
    const parser = await import('dicom-parser');
    return (parser as unknown as { default?: typeof parser }).default ?? parser;
  } catch {
    throw new RuntimeUnavailable(
      'no-dicom',
      `Reading ${file} needs the package dicom-parser, which is not installed. Install it: npm install dicom-parser`,
    );
  }
}
