/** Transforms of images with their masks: augmentations, tiles, regions of interest. */
export { plantWindows, type WindowAnomaly, windowAnomalies } from './anomalous-windows.ts';
export { type AugmentOptions, augment, checkAugment, readAugment } from './augment.ts';
export { checkDefects, type DefectOptions, perlinMask, plantDefect } from './defects.ts';
export { crop, flipHorizontal, flipVertical, type Motion, move, rotateRight } from './geometry.ts';
export { addNoise, adjust } from './intensity.ts';
export { type OutlierKind, outlierKinds, plantOutliers, type RowBlock } from './outliers.ts';
export { type PerlinOptions, perlinNoise } from './perlin.ts';
export { type PlantedKind, plantedKinds, plantedWords, plantKind } from './planted-kinds.ts';
export { blacken, checkRegion, inside, type Region, regionSource } from './region.ts';
export type { Sample } from './sample.ts';
export { proceduralTexture } from './textures.ts';
export {
  cutTile,
  feather,
  joinTiles,
  type TileGrid,
  type TileOptions,
  type TileSource,
  tileGrid,
  tileSource,
} from './tiles.ts';
