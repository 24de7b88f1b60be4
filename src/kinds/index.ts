/** The kinds of items by name and by shape. */
import { ConfigError, ShapeError, unknownName } from '../core/errors.ts';
import type { ItemShape } from '../core/item-shape.ts';
import { clip } from './clip.ts';
import type { Kind } from './define.ts';
import { image } from './image.ts';
import { series } from './series.ts';
import { table } from './table.ts';

export { type ClipWindow, clip } from './clip.ts';
export * from './define.ts';
export { checkUnitRange, type ImageInput, image, isPath, pixelsOf, type RawImage } from './image.ts';
export { type SeriesWindow, series } from './series.ts';
export { table } from './table.ts';

// biome-ignore lint/suspicious/noExplicitAny: the registry holds kinds of every input.
export type AnyKind = Kind<any>;

const known: AnyKind[] = [image, table, series, clip];

/** Every kind of item, those of plugins last. */
export const kinds: readonly AnyKind[] = known;

/** Adds a kind from outside. Throws ConfigError `repeated-name` where its name or its number of axes is taken. */
export function registerKind(kind: AnyKind): void {
  const taken = known.find((k) => k.name === kind.name || k.axes === kind.axes);
  if (taken === kind) return;
  if (taken) {
    const what = taken.name === kind.name ? `the name ${kind.name}` : `items of ${kind.axes} axes`;
    throw new ConfigError(
      'repeated-name',
      `A kind needs its own name and number of axes; ${what} belong to ${taken.name}.`,
    );
  }
  known.push(kind);
}

/** The kind of a name. Throws ConfigError `unknown-kind`, offering the nearest name. */
export function findKind(name: string): AnyKind {
  const found = known.find((k) => k.name === name);
  if (found) return found;
  throw unknownName(
    'kind',
    name,
    known.map((k) => k.name),
  );
}

/** What an item of this shape is, by its number of axes. Throws ShapeError for shapes of no kind. */
export function kindOf(shape: ItemShape): AnyKind {
  const found = known.find((k) => k.axes === shape.length);
  if (found) return found;
  throw new ShapeError(`An item must be [C,H,W], [L,D], [D] or [L,C,H,W], got [${shape.join(',')}].`);
}

/** Values of one map of an item of a shape. */
export function mapSize(shape: ItemShape): number {
  return kindOf(shape)
    .mapShape(shape)
    .reduce((n, d) => n * d, 1);
}
