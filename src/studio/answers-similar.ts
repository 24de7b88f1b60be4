/** What the routes of the map of similar items answer, as types for the page. */
import type { Label, Strangers } from './answers-data.ts';

/** How the map of a project stands. */
export interface SimilarFacts {
  /** Names what the features were made of; another name means that items came in or files changed. */
  readonly key: string;
  /** The last job that made these features. */
  readonly job?: Strangers['job'];
  readonly isReady: boolean;
  /** Items of the project; of many some at even distances are taken. */
  readonly all: number;
  /** Items that are on the map, and those that would be if their files could be read. */
  readonly taken: number;
  readonly missing: number;
}

/** An item of the map as it is now. */
export interface SimilarItem {
  readonly id: number;
  readonly name: string;
  readonly label: Label | null;
}
