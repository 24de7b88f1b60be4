/** Bytes from wherever a page has them: memory, a Blob or File, a URL. */
import { DataError } from '../core/errors.ts';

/** A file as a page has it: its URL (relative ones count from the page), a Blob or File, or its bytes. */
export type PageFile = string | URL | Blob | Uint8Array;

/** A file in memory and what messages call it. */
export interface NamedBytes {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Reads a file; `name` is for those that have none. Throws DataError `unreadable-file` for a URL that gives nothing. */
export async function readPageFile(file: PageFile, name: string, signal?: AbortSignal): Promise<NamedBytes> {
  if (file instanceof Uint8Array) return { name, bytes: file };
  if (file instanceof Blob) return { name: file instanceof File ? file.name : name, bytes: await bytesOf(file) };
  const found = await fetchBytes(file, signal);
  if (found instanceof Uint8Array) return { name: String(file), bytes: found };
  throw new DataError('unreadable-file', `${file} must be a file that can be fetched, and ${found}.`);
}

/** The bytes at a URL, or in words why there are none. Rejects only when `signal` aborts. */
export async function fetchBytes(url: string | URL, signal?: AbortSignal): Promise<Uint8Array | string> {
  try {
    const response = await fetch(url, { signal });
    return response.ok ? await bytesOf(response) : `the server answers ${response.status}`;
  } catch (error) {
    signal?.throwIfAborted();
    return (error as Error).message;
  }
}

const bytesOf = async (body: Blob | Response) => new Uint8Array(await body.arrayBuffer());
