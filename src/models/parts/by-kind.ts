/** What a model takes for each kind of item, chosen once by the shape: networks, defaults. */
import { ShapeError } from '../../core/errors.ts';
import { kindOf } from '../../kinds/index.ts';
import type { ItemKind, ItemShape } from '../define.ts';

/** The choice for the kind of an item of this shape. Throws ShapeError for a kind that has none. */
export function byKind<T>(shape: ItemShape, choices: Partial<Record<ItemKind, T>>): T {
  const { name, words } = kindOf(shape);
  const choice = choices[name];
  if (choice === undefined) throw new ShapeError(`This needs ${Object.keys(choices).join(' or ')}, got ${words.item}.`);
  return choice;
}
