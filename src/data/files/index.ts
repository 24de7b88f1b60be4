/** What touches a disk, a network or a thread: folders, files of rows, data sets by name, decoding. Node only. */

export { changeTraining, type TrainingChanges } from './changes.ts';
export { type CameraAddress, cameraAddress, cameraFrames } from './clips/camera.ts';
export { clipFilesSource, openClipFiles } from './clips/clip-files.ts';
export { isOfClips } from './clips/find-clips.ts';
export type { Dataset, LoadOptions } from './datasets/dataset.ts';
export { dataPath, datasets, findDataset, kindOfData, registerDataset } from './datasets/index.ts';
export { isOfRows, openTable } from './datasets/rows.ts';
export { openSeries, seriesOfRows } from './datasets/series-files.ts';
export { type Decoded, type DecodeJob, decodePath, readImageFile } from './decode.ts';
export { decodeImage } from './decode-image.ts';
export { type Decoder, type DecoderOptions, openDecoder } from './decoder.ts';
export { type Downloaded, type DownloadOptions, download } from './download.ts';
export { type FolderSourceOptions, folderSource } from './folder.ts';
export { type FileListing, findImages, listImages, listNamedIn } from './image-paths.ts';
export {
  type ClipsInspection,
  type Diagnosis,
  type Finding,
  type Inspection,
  type InspectOptions,
  inspect,
  inspectClips,
  inspectRows,
  inspectSeries,
  type RowsFinding,
  type RowsInspection,
  type SeriesInspection,
} from './inspect/index.ts';
export { type Layout, type LayoutItem, type LayoutWarning, readLayout } from './layout.ts';
export { openRows, rowsOf } from './open-rows.ts';
export { pagePaths } from './page-path.ts';
export { dataRoot } from './root.ts';
export { type BlockOfRows, openRowBlocks, type RowBlocks } from './row-blocks.ts';
export { readTextures } from './texture-folder.ts';
