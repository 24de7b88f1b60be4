/** A page as a platform: ONNX Runtime web, the decoders of the browser, and weights that the page hands over. */
import { findBackbone, isOnnxFile } from '../backbones/index.ts';
import { ConfigError, RuntimeUnavailable } from '../core/errors.ts';
import { version } from '../core/version.ts';
import type { Platform } from '../engine/platform.ts';
import { type BrowserOptions, openBrowserRuntime } from '../runtime/browser.ts';
import { type PageFile, readPageFile } from './bytes.ts';
import { readImage } from './read-image.ts';

/** Where a page computes: `wasm` is WebAssembly in a Web Worker. */
export type PageDevice = 'wasm' | 'webgpu';

/** What a page decides about its runtime. */
export interface PageOptions extends Pick<BrowserOptions, 'wasmPaths' | 'threads'> {
  /** Default `auto`, which is `wasm`. */
  readonly device?: PageDevice | 'auto';
  /** Pixels that an image file may have; default 100 million. */
  readonly maxPixels?: number;
}

export interface PagePlatformOptions extends PageOptions {
  /** The weights of the model's pretrained network: those of `oddity` lie in `oddity/weights/oddity.safetensors`. */
  readonly weights?: PageFile;
}

export function pagePlatform({ wasmPaths, maxPixels, weights }: PagePlatformOptions = {}): Platform {
  return {
    version,
    async openRuntime(device, { threads }) {
      if (device === 'auto' || device === 'wasm') return openBrowserRuntime('wasm', { threads, wasmPaths });
      if (device === 'webgpu') return openBrowserRuntime('webgpu', { threads, wasmPaths });
      throw new RuntimeUnavailable(
        'device-missing',
        `The device of a page must be auto, wasm or webgpu, got ${device}.`,
      );
    },
    readImage: (file) => readImage(file, maxPixels),
    async loadBackbone({ name, taps, weights: named }, { signal }) {
      // Loaded when it is needed: readers of files of weights are a tenth of what a page loads.
      const { readOnnxBackbone, readWeights, weightsUpTo } = await import('../backbones/weights.ts');
      if (isOnnxFile(name)) {
        const { bytes } = await readPageFile(name, name, signal);
        return readOnnxBackbone({ file: name, bytes }, taps);
      }
      const backbone = findBackbone(name);
      const given = weights ?? named;
      if (!given) {
        throw new ConfigError(
          'weights-needed',
          `${backbone.title} needs its weights, and a page has no files of its own. Pass them as the option weights: a ` +
            'URL, a Blob or bytes. Those of the backbone "oddity" are oddity/weights/oddity.safetensors of this package.',
        );
      }
      const file = await readPageFile(given, `${name}.safetensors`, signal);
      return weightsUpTo(backbone, taps, await readWeights(backbone, { file: file.name, bytes: file.bytes }));
    },
    async writeArtifact() {
      throw new RuntimeUnavailable(
        'no-disk',
        'A page has no folder to save to. Take the files with detectorFiles(detector), and offer or send them.',
      );
    },
    async close() {},
  };
}
