/** What the routes of single items answer: the page imports the types. */
import type { EndedAlarm } from '../../core/alarms.ts';
import type { MapScale } from '../../engine/scoring/artifact.ts';
import type { NearestPlace } from '../../engine/scoring/detector.ts';
import type { ColumnShare, ImageRegion, Size } from '../../kinds/index.ts';
import type { Decision, FeedbackLabel } from '../../runs/index.ts';

/** Pictures of an item, by name. */
export const pictureNames = ['image', 'map', 'reconstruction', 'nearest'] as const;
export type PictureName = (typeof pictureNames)[number];

/** One item of a run's test part, scored once more. */
export interface ItemAnswer {
  /** Its place in the test part. */
  readonly index: number;
  readonly id: string;
  readonly type: string;
  /** 1 = anomalous. */
  readonly label: number;
  /** Raw, larger is more anomalous. */
  readonly score: number;
  readonly threshold: number | null;
  readonly decision: Decision | null;
  /** Held-out normals, and how many of them score at least as high. */
  readonly normals: { readonly total: number; readonly higher: number };
  /** What somebody said of it; null for nothing. */
  readonly feedback: FeedbackLabel | null;
  /** False of frames of clips, of which nothing can be said yet. */
  readonly takesFeedback: boolean;
  /** Of images and frames. */
  readonly picture?: PictureFacts;
  /** Of rows: the columns by what they add, the largest first. */
  readonly columns?: readonly ColumnShare[];
  /** Of steps: the part of the series around it. */
  readonly trace?: Trace;
}

/** How an image is shown with its map. Outlines are paths of SVG in pixels of the map. */
export interface PictureFacts {
  /** Of the map, and of the image as the model took it. */
  readonly mapSize: Size;
  /** Of the image file. */
  readonly size: Size;
  readonly names: readonly PictureName[];
  /** Around what reaches the map threshold; empty where nothing does. */
  readonly contour: string;
  /** Around the ground truth; absent where it is not known. */
  readonly truth?: string;
  /** Values at which colours run; the threshold is in their middle. */
  readonly scale: MapScale;
  /** How many times as far from the low end as the threshold the scale ends: the same for all runs of the project. */
  readonly reach: number;
  /** These colours, cold to hot, as stops of a gradient in CSS. */
  readonly colours: readonly string[];
  /** In pixels of the image file, the highest peak first. */
  readonly regions: readonly ImageRegion[];
  readonly nearest?: NearestPlace;
}

/** Steps of a series around one of them; lists have one entry a step. */
export interface Trace {
  readonly series: string;
  readonly channels: readonly string[];
  /** Number of the first step in its series, from 0, and of the step that is looked at. */
  readonly first: number;
  readonly step: number;
  /** Of all steps of the series. */
  readonly total: number;
  /** Milliseconds since 1970. */
  readonly times?: readonly number[];
  /** By channel. */
  readonly values: readonly (readonly (number | null)[])[];
  /** By channel: between which values steps usually lie. */
  readonly lower?: readonly (readonly (number | null)[])[];
  readonly upper?: readonly (readonly (number | null)[])[];
  /** Null where a step was not judged. */
  readonly scores: readonly (number | null)[];
  /** 1 = anomalous. */
  readonly labels: readonly number[];
  /** Places in the test part; null for steps that are not in it. */
  readonly places: readonly (number | null)[];
  /** Alarms that touch these steps, counted as `step`. */
  readonly alarms: readonly Pick<EndedAlarm, 'start' | 'end'>[];
}

/** What is said of items of the test part. */
export interface FeedbackRequest {
  /** Their places in the test part. */
  readonly items: readonly number[];
  /** Null takes back what was said. */
  readonly label: FeedbackLabel | null;
}

export interface FeedbackAnswer {
  readonly normal: number;
  readonly anomalous: number;
  readonly changed: number;
  readonly command: string;
}
