/** What is missing before anything can be trained: by the very split that a training makes, so that its sentence is the training's. */
import { DataError } from '../../core/errors.ts';
import type { ItemKind } from '../../core/item-shape.ts';
import { Rng } from '../../core/random.ts';
import type { Source } from '../../data/index.ts';
import { findProtocol } from '../../data/protocols/index.ts';
import { itemsOfVersion } from '../data/versions.ts';
import type { Project } from '../project.ts';

/** The sentence with which a training on the items as they are would end; undefined where it would not. Of images and rows. */
export function neededFor(project: Project, kind: ItemKind): string | undefined {
  if (kind !== 'image' && kind !== 'table') return undefined;
  const items = itemsOfVersion(project).map(({ id, label, part }) => ({
    ...{ id: String(id), class: label === 'anomalous' ? 1 : 0, part },
  }));
  try {
    findProtocol('folder').split(itemsAlone(project.name, kind, items), { rng: new Rng(1) });
    return undefined;
  } catch (error) {
    if (error instanceof DataError) return error.message;
    throw error;
  }
}

/** A source of which only the items are known: all that a split looks at. */
const itemsAlone = (name: string, kind: ItemKind, items: Source['items']): Source => ({
  ...{ name, kind, title: name, licence: '', shape: [1], hash: '', items },
  ...{ classes: ['normal', 'anomalous'], normalClass: 0, read: async () => {} },
});
