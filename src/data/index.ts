/** Data: sources of items, data sets by name, splits by protocol, batches in a seeded order, and file formats. */
export { type BatchOrder, type BatchOrderOptions, batchOrder, epochOrder, gatherBatch } from './batches.ts';
export { changeTraining, type TrainingChanges } from './changes.ts';
export type { Dataset, LoadOptions } from './datasets/dataset.ts';
export { dataPath, datasets, findDataset } from './datasets/index.ts';
export type { Decoded, DecodeJob } from './decode.ts';
export { type Decoder, type DecoderOptions, openDecoder } from './decoder.ts';
export { type Diagnosis, type Finding, type Inspection, type InspectOptions, inspect } from './doctor/index.ts';
export { type Downloaded, type DownloadOptions, download } from './download.ts';
export {
  checkImageOptions,
  DEFAULT_SIZE,
  type FolderSourceOptions,
  folderSource,
  type ImageOptions,
  type ImageSize,
} from './folder.ts';
export { type CifarBatch, readCifarBinary } from './formats/cifar-binary.ts';
export { gunzip } from './formats/gzip.ts';
export { type ImageHeader, isImageName, readHeader } from './formats/header.ts';
export { readIdx, writeIdx } from './formats/idx.ts';
export { decodeImage, MAX_PIXELS } from './formats/image.ts';
export { readNpy, writeNpy } from './formats/npy.ts';
export { encodePng, type PngImage } from './formats/png.ts';
export { readSafetensors, type Safetensors, writeSafetensors } from './formats/safetensors.ts';
export { readTorch } from './formats/torch.ts';
export { sha256 } from './hash.ts';
export { findImages } from './image-paths.ts';
export type { Source, SourceItem } from './item.ts';
export {
  type Layout,
  type LayoutItem,
  type LayoutOptions,
  type LayoutWarning,
  type Part,
  readLayout,
} from './layout.ts';
export { type MemoryPart, type MemorySourceOptions, memorySource } from './memory.ts';
export {
  findProtocol,
  missingClass,
  type Protocol,
  type ProtocolOptions,
  protocols,
  resolveClass,
} from './protocols/index.ts';
export { fitImage, fitMask, type Pixels, resample, writeUnit } from './resize.ts';
export { dataRoot } from './root.ts';
export { checkSplit, findLeaks, finishSplit, type Split, type SplitOptions, type SplitPlan } from './split.ts';
export { type SyntheticOptions, synthetic } from './synthetic.ts';
export { type EncodedRows, encodeRows } from './table/encode-rows.ts';
export {
  type ColumnEncoding,
  checkScaling,
  columnTotals,
  encodedWidth,
  type Scaling,
  scalings,
  type TableEncoding,
} from './table/encoding.ts';
export { openRows } from './table/open.ts';
export type { Rows } from './table/rows.ts';
export { type TableSourceOptions, tableSource } from './table/source.ts';
export { type Column, type ColumnKind, columnKinds, type Table } from './table/table.ts';
export { readTextures } from './texture-folder.ts';
export * from './transforms/index.ts';
