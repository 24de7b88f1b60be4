/** How many pictures an animated GIF or WebP file holds; everything else but TIFF holds one. */

/** Frames of a file in memory. A file that is cut has those that begin in it. */
export function frameCount(bytes: Uint8Array, format: string): number {
  if (format === 'gif') return gifFrames(bytes);
  return format === 'webp' ? webpFrames(bytes) : 1;
}

/** Whether a GIF or WebP file ends before its last frame does: decoders show such a frame in part, and say nothing. */
export function isCutAnimation(bytes: Uint8Array, format: string): boolean {
  if (format === 'gif') return walkGif(bytes).end > bytes.length;
  if (format !== 'webp') return false;
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true) + 8 > bytes.length;
}

const gifFrames = (bytes: Uint8Array): number => Math.max(1, walkGif(bytes).frames);

/**
 * Walks the blocks (GIF89a): an image begins with 0x2C, an extension with 0x21, and 0x3B ends the file. Where the walk ends lies
 * behind the file if that is cut.
 */
function walkGif(bytes: Uint8Array): { readonly frames: number; readonly end: number } {
  const table = (packed: number) => (packed & 0x80 ? 3 << ((packed & 7) + 1) : 0);
  let at = 13 + table(bytes[10]);
  let frames = 0;
  const skipBlocks = () => {
    while (at < bytes.length && bytes[at] !== 0) at += 1 + bytes[at];
    at++;
  };
  while (at < bytes.length && bytes[at] !== 0x3b) {
    if (bytes[at] === 0x2c) {
      frames++;
      at += 10 + table(bytes[at + 9]) + 1;
    } else if (bytes[at] === 0x21) at += 2;
    else break; // something behind the pictures
    skipBlocks();
  }
  return { frames, end: at };
}

/** Chunks named ANMF (RFC 9649), each a frame. */
function webpFrames(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let frames = 0;
  for (let at = 12; at + 8 <= bytes.length; ) {
    if (view.getUint32(at) === 0x414e4d46) frames++;
    const size = view.getUint32(at + 4, true);
    at += 8 + size + (size % 2);
  }
  return Math.max(1, frames);
}
