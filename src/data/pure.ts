/** The part of data that runs anywhere, also in a page: what models and the engine import. */
export { type Background, withoutAlpha } from './alpha.ts';
export { type BatchOrder, type BatchOrderOptions, batchOrder, epochOrder, gatherBatch } from './batches.ts';
export { type Clip, type HeldFrames, heldClip } from './clips/clip.ts';
export { type MovingSquares, movingSquares } from './clips/moving-squares.ts';
export { type ClipSourceOptions, clipSource } from './clips/source.ts';
export { tellRange } from './find-range.ts';
export { checkHeader, MAX_PIXELS, tooLarge } from './formats/check-header.ts';
export { type CifarBatch, readCifarBinary } from './formats/cifar-binary.ts';
export { frameCount } from './formats/frames.ts';
export { gunzip } from './formats/gzip.ts';
export { type ImageHeader, isImageName, readHeader } from './formats/header.ts';
export { readIdx, writeIdx } from './formats/idx.ts';
export { readNpy, writeNpy } from './formats/npy.ts';
export { encodePng, type PngImage } from './formats/png.ts';
export { readSafetensors, type Safetensors, writeSafetensors } from './formats/safetensors.ts';
export { readTorch } from './formats/torch.ts';
export { sha256 } from './hash.ts';
export { checkImageOptions, DEFAULT_SIZE, type ImageOptions, type ImageSize } from './image-options.ts';
export type { Part, Source, SourceItem } from './item.ts';
export type { LayoutOptions } from './layout-words.ts';
export { type MadePartsOptions, type MadeSet, madeParts } from './made-parts.ts';
export { type MemoryPart, type MemorySourceOptions, memorySource } from './memory.ts';
export {
  findProtocol,
  missingClass,
  type Protocol,
  type ProtocolOptions,
  protocols,
  resolveClass,
} from './protocols/index.ts';
export { type EndsHeldOut, holdEndsOut } from './protocols/prefix.ts';
export { fitImage, fitMask, type Pixels, resample, writeUnit, zerosLike } from './resize.ts';
export {
  excludedSteps,
  type Interval,
  type IntervalTexts,
  readIntervals,
  unmatched,
  withExcluded,
} from './series/exclude.ts';
export { seriesFromTable } from './series/from-rows.ts';
export { gaussianFilter } from './series/gaussian-filter.ts';
export { type GapPolicy, gapPolicies, type RegularOptions, regular, type SeriesRemark } from './series/regular.ts';
export { type Series, stepsOf } from './series/series.ts';
export {
  encodeSteps,
  type SeriesChannels,
  type SeriesFacts,
  type SeriesSourceOptions,
  type SeriesSpan,
  seriesSource,
  windowStartOfItem,
} from './series/source.ts';
export { stepsBefore, windowStart } from './series/windows.ts';
export {
  checkSplit,
  findLeaks,
  finishSplit,
  type Split,
  type SplitOptions,
  type SplitPlan,
  splitOptions,
} from './split.ts';
export { type SyntheticOptions, synthetic } from './synthetic.ts';
export { checkColumns, type EncodedRows, encodeRows, sourceColumn } from './table/encode-rows.ts';
export {
  type ColumnEncoding,
  checkScaling,
  columnTotals,
  encodedWidth,
  type Scaling,
  scalings,
  type TableEncoding,
} from './table/encoding.ts';
export { objectRows, type RowObject } from './table/object-rows.ts';
export { type ColumnShare, columnReasons, reasonText, usualText } from './table/reasons.ts';
export type { Rows } from './table/rows.ts';
export { type TableSourceOptions, tableSource } from './table/source.ts';
export {
  type Column,
  type ColumnFacts,
  type ColumnKind,
  columnKinds,
  readTable,
  type Table,
  type TableOptions,
} from './table/table.ts';
export { readWithHead } from './table/with-head.ts';
export * from './transforms/index.ts';
export { UsedValuesMeter, type ValueRange } from './value-range.ts';
export { type ValuesSourceOptions, valuesSource } from './values.ts';
