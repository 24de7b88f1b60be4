/** Bytes from wherever a page has them: memory, a Blob or File, a URL. */
import { DataError } from '../core/errors.ts';
import { readBody } from '../data/read-body.ts';

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
  if (file instanceof Blob) {
    const bytes = new Uint8Array(await file.arrayBuffer());
    return { name: file instanceof File ? file.name : name, bytes };
  }
  const bytes = await fetchIfThere(file, signal);
  if (!bytes) throw unreadable(file, 'the server has none there');
  return { name: String(file), bytes };
}

/** The bytes at a URL; undefined where the server has none (404). Throws DataError `unreadable-file` for other failures. */
export async function fetchIfThere(url: string | URL, signal?: AbortSignal): Promise<Uint8Array | undefined> {
  const response = await fetch(url, { signal }).catch((error: Error) => {
    signal?.throwIfAborted();
    throw unreadable(url, error.message);
  });
  if (response.status === 404) return undefined;
  if (!response.ok) throw unreadable(url, `the server answers ${response.status}`);
  return readBody(response, String(url));
}

function unreadable(url: string | URL, found: string): DataError {
  return new DataError('unreadable-file', `${url} must be a file that can be fetched, and ${found}. Check the URL.`);
}
