/** Reads plain files out of a tar archive (POSIX ustar); links, folders and long-name extensions are passed over. */
import { DataError } from '../../core/errors.ts';
import { gunzip } from './gzip.ts';

/**
 * Files of a `.tar` or `.tar.gz` by their path in the archive. The arrays share the unpacked archive's memory.
 * @throws DataError `gzip-corrupt` or `tar-corrupt`.
 */
export async function readTar(content: Uint8Array, file: string): Promise<Map<string, Uint8Array>> {
  const bytes = await gunzip(content, file);
  const text = (from: number, length: number) =>
    new TextDecoder().decode(bytes.subarray(from, from + length)).replace(/\0.*$/s, '');
  const files = new Map<string, Uint8Array>();
  // A header block of 512 bytes: name at 0, size in octal at 124, type at 156; content is padded to whole blocks.
  for (let at = 0; at + 512 <= bytes.length && bytes[at] !== 0; ) {
    const name = text(at, 100);
    const size = Number.parseInt(text(at + 124, 12).trim() || '0', 8);
    if (!(size >= 0) || at + 512 + size > bytes.length) {
      throw new DataError('tar-corrupt', `${file} is not a whole tar archive: ${name} does not fit. Fetch it again.`);
    }
    const type = bytes[at + 156];
    if (type === 0 || type === 0x30) files.set(name, bytes.subarray(at + 512, at + 512 + size));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}
