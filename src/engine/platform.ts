/** What differs between Node and a page: where graphs run, how image files are decoded, where weights and files lie. */
import type { Listener } from '../core/events.ts';
import type { ImageShape } from '../core/item-shape.ts';
import type { Tensors } from '../core/tensor.ts';
import type { Pixels } from '../data/pure.ts';
import type { FittedImage } from '../kinds/index.ts';
import type { BackboneChoice } from '../models/index.ts';
import type { Device, Runtime } from '../runtime/runtime.ts';
import type { Artifact } from './scoring/artifact.ts';

export interface Platform {
  /** Version of this package, for artefacts. */
  readonly version: string;
  /** Opens a device. Throws ConfigError for an unknown name, RuntimeUnavailable for one that is not there. */
  openRuntime(device: Device | 'auto', options: { threads?: number; onEvent?: Listener }): Promise<Runtime>;
  /** Decodes a file by its path or URL, its bytes, or a Blob. Throws DataError for what is no image. */
  readImage(input: string | URL | Uint8Array | Blob): Promise<Pixels>;
  /** Decodes a file at a path and brings it to a shape, off this thread; absent where there are no paths. */
  fitFile?(path: string, shape: ImageShape): Promise<FittedImage>;
  /** The tensors of a pretrained network by its own names, as far as the taps need them. */
  loadBackbone(choice: BackboneChoice, options: { onEvent?: Listener; signal?: AbortSignal }): Promise<Tensors>;
  /** Writes an artefact into a folder, which is made, and returns the path of its ONNX file. */
  writeArtifact(folder: string, artifact: Artifact): Promise<string>;
  /** Ends workers that decode. */
  close(): Promise<void>;
}
