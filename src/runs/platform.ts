/** Node as a platform: native or WebAssembly runtimes in workers, sharp, files. */
import { loadBackbone } from '../backbones/load.ts';
import { DataError } from '../core/errors.ts';
import { type Decoder, dataRoot, decodeImage, decodePath, openDecoder, readImageFile } from '../data/index.ts';
import { readBody } from '../data/read-body.ts';
import type { Platform } from '../engine/platform.ts';
import { isPath } from '../kinds/index.ts';
import { openRuntime } from '../runtime/index.ts';
import { writeArtifact } from './artifact.ts';
import { makeFolder } from './files.ts';
import { oddityVersion } from './versions.ts';

/** This process. `root` is where weights lie; default `ODDITY_DATA`, else the user's cache. */
export function nodePlatform({
  root,
  download,
  maxPixels,
}: {
  root?: string;
  download?: boolean;
  maxPixels?: number;
} = {}): Platform {
  let decoder: Decoder | undefined;
  return {
    version: oddityVersion(),
    openRuntime,
    async readImage(input) {
      if (input instanceof Uint8Array) return decodeImage(input, 'The image', maxPixels);
      if (input instanceof Blob) {
        const name = 'name' in input ? String(input.name) : 'The image';
        return decodeImage(new Uint8Array(await input.arrayBuffer()), name, maxPixels);
      }
      if (typeof input === 'string' && isPath(input)) return decodePath(input, {});
      const url = new URL(input);
      if (url.protocol === 'file:') return decodeImage(await readImageFile(url), url.pathname);
      const response = await fetch(url).catch((error: Error) => error);
      if (response instanceof Response && response.ok) {
        return decodeImage(await readBody(response, String(url)), String(url));
      }
      const found = response instanceof Response ? `the server answered ${response.status}` : response.message;
      throw new DataError('unreadable-file', `${url} cannot be fetched: ${found}.`);
    },
    loadBackbone: ({ name, taps, weights }, { onEvent, signal }) =>
      loadBackbone(name, taps, { path: weights, root: root ?? dataRoot(), download, onEvent, signal }),
    fitFile(path, shape) {
      decoder ??= openDecoder();
      return decoder.decode({ path, as: 'image', shape, maxPixels });
    },
    async writeArtifact(folder, artifact) {
      await makeFolder(folder);
      return writeArtifact(folder, artifact);
    },
    async close() {
      await decoder?.close();
    },
  };
}
