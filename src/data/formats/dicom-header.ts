/** Size and channels of a DICOM file (PS3.10), found without walking it: decoding checks them again. */

/** Where a DICOM file says that it is one. */
const MARK_AT = 128;

/** True for the first bytes of a DICOM file. */
export const isDicom = (bytes: Uint8Array): boolean =>
  String.fromCharCode(...bytes.subarray(MARK_AT, MARK_AT + 4)) === 'DICM';

/** Height, width and samples of a pixel; 0 where they are not found. */
export function dicomSize(bytes: Uint8Array): { height: number; width: number; channels: 1 | 3 } {
  const channels = shortOf(bytes, 0x02) === 3 ? 3 : 1;
  return { height: shortOf(bytes, 0x10), width: shortOf(bytes, 0x11), channels };
}

/** The value of the element (0028, 00xx) of one unsigned short, with its type or without; little-endian. */
function shortOf(bytes: Uint8Array, element: number): number {
  for (let at = MARK_AT + 4; at + 10 <= bytes.length; at += 2) {
    if (bytes[at] !== 0x28 || bytes[at + 1] !== 0 || bytes[at + 2] !== element || bytes[at + 3] !== 0) continue;
    const isTyped = bytes[at + 4] === 0x55 && bytes[at + 5] === 0x53 && bytes[at + 6] === 2 && bytes[at + 7] === 0; // US
    const isPlain = bytes[at + 4] === 2 && bytes[at + 5] === 0 && bytes[at + 6] === 0 && bytes[at + 7] === 0;
    if (isTyped || isPlain) return bytes[at + 8] + 256 * bytes[at + 9];
  }
  return 0;
}
