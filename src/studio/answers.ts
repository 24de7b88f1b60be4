/** What the routes of Studio answer, as types: the page imports them and nothing else of the server. */
import type { ItemKind } from '../core/item-shape.ts';

/** A project in the list. */
export interface ProjectFacts {
  readonly name: string;
  readonly folder: string;
  /** Absent until data came in. */
  readonly kind?: ItemKind;
  /** One sentence: what was understood of the data. */
  readonly explanation?: string;
  readonly items: number;
  readonly normal: number;
  readonly anomalous: number;
  readonly runs: number;
}

export interface ProjectList {
  /** Folder of all of them. */
  readonly folder: string;
  readonly projects: readonly ProjectFacts[];
  readonly samples: readonly { readonly name: string; readonly title: string; readonly about: string }[];
}

/** Something that went wrong, in the form of every answer that is none. */
export interface Refusal {
  readonly error: { readonly code: string; readonly message: string; readonly requestId?: string };
}
