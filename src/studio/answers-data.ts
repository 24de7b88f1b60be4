/** What the routes of data answer, as types for the page. */
import type { ItemKind } from '../core/item-shape.ts';
import type { ColumnFacts, ColumnKind } from '../data/pure.ts';
import type { JobState } from '../jobs/job.ts';
import type { FormOption } from './jobs/answers.ts';

export type Label = 'normal' | 'anomalous';
export type Split = 'train' | 'validation' | 'test';

/** The tag of items that no version takes: copies, broken files. They stay in the project, and come back without the tag. */
export const LEFT_OUT = 'left out';

/** One item: an image, a row, a series or a clip. */
export interface ItemFacts {
  readonly id: number;
  /** What it is called: path in its data set, line of its file, name of its series. */
  readonly name: string;
  /** The file, from the project's folder where it lies in it. */
  readonly path: string;
  /** Row of the file, from 1; 0 for an item that is a whole file. */
  readonly line: number;
  readonly label: Label | null;
  readonly type: string | null;
  readonly split: Split | null;
  readonly hasMask: boolean;
  readonly width: number | null;
  readonly height: number | null;
  readonly tags: readonly string[];
  /** By the run that was asked for; of a series the highest of its steps. */
  readonly score?: number;
  /** The run's decision is not the item's label. */
  readonly isWrong?: boolean;
  /** Cells of a row, in the order of `columns`. */
  readonly values?: readonly string[];
}

export interface ItemPage {
  readonly kind?: ItemKind;
  /** Items that the filters let through. */
  readonly total: number;
  readonly from: number;
  readonly items: readonly ItemFacts[];
  /** Names of the cells of rows; absent of other kinds. */
  readonly columns?: readonly string[];
}

/** How many items have which value; `none` for those without. */
export interface Facets {
  readonly total: number;
  readonly label: Readonly<Record<string, number>>;
  readonly split: Readonly<Record<string, number>>;
  readonly type: Readonly<Record<string, number>>;
  readonly tag: Readonly<Record<string, number>>;
  readonly masks: number;
  /** Sentences of what would be taken back and done again; absent where there is nothing. */
  readonly undo?: string;
  readonly redo?: string;
}

/** What the page may do about a finding by one click. */
export type FindingAction = 'leave-out' | 'remove-mask';

/** Something to set of how rows are read: an option of a run by its path. Without a value the choice is a person's. */
export interface ReadingChoice {
  readonly path: readonly string[];
  readonly value?: unknown;
}

/** Something that an inspection found. */
export interface FoundThing {
  readonly id: string;
  readonly severity: 'error' | 'warning' | 'note';
  readonly code: string;
  readonly message: string;
  readonly advice: string;
  /** Items that it is about. */
  readonly items: number;
  /** Of these, how many the action has not dealt with yet. */
  readonly open: number;
  readonly action?: FindingAction;
  /** Of rows: what may be set about how they are read. */
  readonly choices: readonly ReadingChoice[];
  /** Files that are no items, at most ten, with what is to be said of each. */
  readonly files: readonly { readonly path: string; readonly remark?: string }[];
}

/** What came in, and what was found in it. */
export interface ImportFacts {
  readonly path: string;
  readonly at: string;
  readonly explanation: string;
  /** Files that were looked at, while they are; absent once all are. */
  readonly checking?: { readonly done: number; readonly total: number };
  /** Why they could not be looked at. */
  readonly fault?: string;
  readonly findings: readonly FoundThing[];
}

export interface ImportAnswer {
  readonly kind: ItemKind;
  readonly explanation: string;
  /** Items that are new; those that were there before stay as they are. */
  readonly added: number;
  readonly known: number;
}

/** What was found of strangers among the normal items; empty where nobody looked. */
export interface Strangers {
  readonly job?: {
    readonly id: string;
    readonly state: JobState;
    readonly error?: string;
    readonly endedAt?: string;
  };
  /** Items that were looked at, and those that are odd among them. */
  readonly looked?: number;
  readonly odd?: number;
}

/** A data set as a run can name it. */
export interface VersionFacts {
  readonly hash: string;
  readonly at: string;
  /** Absolute path of the list or the table that `train` takes. */
  readonly path: string;
  readonly counts: VersionCounts;
  /** What `train` must be told: its data, and the kind where the files do not say it. */
  readonly options: {
    readonly data: string;
    readonly kind?: 'table' | 'series' | 'clip';
    readonly columns?: Readonly<Record<string, ColumnKind>>;
    readonly missing?: readonly string[];
    readonly decimal?: '.' | ',';
  };
}

/** A file of rows as it is read with what was chosen. */
export interface ReadingAnswer {
  readonly kind: 'table' | 'series';
  /** What was chosen. */
  readonly reading: Readonly<Record<string, unknown>>;
  /** The options that can be set, with their schemas. */
  readonly options: readonly FormOption[];
  readonly explanation: string;
  readonly columns: readonly ColumnFacts[];
  /** Values of the column of labels, the most frequent first; absent where there is none, or of more than can be chosen among. */
  readonly labels?: readonly { readonly value: string; readonly count: number; readonly isNormal: boolean }[];
  /** The first rows as a model takes them, cell by cell in the order of the columns; null where a value is missing. */
  readonly rows: readonly (readonly (string | number | null)[])[];
  /** Why it cannot be read so; what is there is then the plain cells. */
  readonly fault?: { readonly message: string; readonly choices: readonly ReadingChoice[] };
}

/** A version, or what came in, with what does the same on the command line. */
export interface Commanded {
  readonly command: string;
}

export interface VersionCounts {
  readonly items: number;
  readonly normal: number;
  readonly anomalous: number;
  /** Taken for normal. */
  readonly unlabelled: number;
  readonly leftOut: number;
}

/** Steps of a series, thinned to what a plot can show. */
export interface SeriesView {
  readonly id: number;
  readonly name: string;
  readonly steps: number;
  readonly from: number;
  readonly to: number;
  /** Milliseconds since 1970 of the first and the last step of the view, where the file has times. */
  readonly times?: readonly [number, number];
  /** Lowest and highest value of each column of pixels. */
  readonly channels: readonly {
    readonly name: string;
    readonly low: readonly (number | null)[];
    readonly high: readonly (number | null)[];
  }[];
  readonly stretches: readonly Stretch[];
}

/** Steps that a person, or the file, gave a label; from 0, the end not included. */
export interface Stretch {
  readonly begin: number;
  readonly end: number;
  readonly label: Label;
}

export type { ColumnFacts };
