/** What the routes of runs answer, as types: the page imports them. */
import type { MapThreshold, ThresholdReport } from '../../engine/judging/calibrate.ts';
import type { RunReport } from '../../engine/judging/report-types.ts';
import type { KindWords } from '../../kinds/index.ts';
import type { Volumes } from '../../metrics/index.ts';
import type { ComparedItem, Comparison, ListedRun, RunRecord, ThresholdPolicy } from '../../runs/index.ts';

/** Runs, the newest first; the name is the folder below the runs of the project, with `/` between folders. */
export interface RunList {
  readonly runs: readonly (Omit<ListedRun, 'run'> & { readonly name: string })[];
  /** Where they lie. */
  readonly folder: string;
}

/** A finished run. */
export interface RunAnswer {
  readonly run: string;
  /** Its folder. */
  readonly path: string;
  readonly record: RunRecord;
  readonly report: RunReport;
  /** Title of the model. */
  readonly title: string;
  /** What is normal, in one sentence. */
  readonly description: string;
  readonly words: KindWords;
  /** As it is in the artefact now, with what it does on the test part. */
  readonly threshold: ThresholdReport;
  readonly mapThreshold: MapThreshold | null;
  /** Sentences. */
  readonly warnings: readonly string[];
  readonly commands: { readonly test: string; readonly threshold: string; readonly report: string };
}

/** The test part of a run, lists of one length in its order, and what its threshold rests on. */
export interface ScoresAnswer {
  readonly ids: readonly string[];
  /** Ids of items of the project; null for those that are none of it. */
  readonly items: readonly (number | null)[];
  readonly classes: readonly string[];
  /** 1 = anomalous. */
  readonly labels: readonly number[];
  /** Raw, larger is more anomalous; null for what is not a number. */
  readonly scores: readonly (number | null)[];
  /** Of held-out normals, ascending. */
  readonly normalScores: readonly number[];
  readonly threshold: ThresholdReport;
  /** The detector can take in what people said of images without learning anew. */
  readonly canUpdate: boolean;
}

/** A series of the test part with its volumes under curves of soft labels. */
export interface SoftSeries {
  readonly id: string;
  /** The largest buffer, in steps. */
  readonly buffer: number | null;
  /** VUS-PR and VUS-ROC; null with a reason where they are undefined. */
  readonly volumes: Volumes | null;
  readonly reason?: string;
}

/** What VUS averages, of one series of the test part. */
export interface SoftCurvesAnswer {
  readonly series: readonly SoftSeries[];
  /** The one that is drawn: lists of one length, thresholds falling; absent where its volumes are undefined. */
  readonly curve?: {
    readonly thresholds: readonly number[];
    readonly recall: readonly number[];
    readonly precision: readonly number[];
    /** Areas under precision and under ROC by the buffer, from 0 steps on. */
    readonly areas: readonly Volumes[];
  };
}

/** A threshold that somebody saved. */
export interface SavedPoint {
  readonly id: number;
  readonly name: string;
  readonly threshold: number;
  /** Where review begins; null for none. */
  readonly review: number | null;
  /** ISO 8601. */
  readonly at: string;
}

/** How a threshold is chosen, and whether it is kept. */
export interface ThresholdRequest {
  readonly policies: readonly ThresholdPolicy[];
  readonly feedback?: boolean;
  readonly write?: boolean;
}

export interface ThresholdAnswer {
  readonly threshold: ThresholdReport;
  readonly before: ThresholdReport;
  readonly isWritten: boolean;
  readonly command: string;
}

/** A compared item with its place in the test part. */
export type PlacedItem = ComparedItem & { readonly index: number };

export interface CompareAnswer extends Omit<Comparison, 'items'> {
  readonly words: KindWords;
  /** Those of which the thresholds make something else, the farthest ranks first; some of them where they are many. */
  readonly changed: readonly PlacedItem[];
  readonly changedCount: number;
  /** Those whose ranks are farthest apart. */
  readonly farthest: readonly PlacedItem[];
  readonly command: string;
}
