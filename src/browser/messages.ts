/** What a page and its worker say to each other. */
import type { ErrorData } from '../core/errors.ts';
import type { Event } from '../core/events.ts';
import type { Detector } from '../engine/scoring/detector.ts';
import type { FitInput } from '../engine/task/source-of.ts';
import type { FitOptions } from './fit.ts';
import type { PageOptions } from './platform.ts';

/** Methods of a detector that a worker calls for a page. */
export type Asked = 'score' | 'scoreImage' | 'scoreRow' | 'scoreRows' | 'scoreSeries';

/** A request; `id` names its answer. */
export type Request = { readonly id: number } & (
  | { readonly call: 'fit'; readonly model: string; readonly data: FitInput; readonly options: FitOptions }
  | { readonly call: 'load'; readonly files: SentFiles; readonly options: PageOptions }
  | { readonly call: 'ask'; readonly detector: number; readonly method: Asked; readonly args: readonly unknown[] }
  | { readonly call: 'files'; readonly detector: number }
  | { readonly call: 'close'; readonly detector: number }
  | { readonly call: 'abort'; readonly request: number }
);

/** The files of a detector, as they can be sent. */
export type SentFiles = string | readonly File[] | Readonly<Record<string, Uint8Array | Blob>>;

/** What a page knows of a detector in its worker. */
export interface Opened extends Pick<Detector, 'device' | 'kind' | 'shape' | 'threshold' | 'info'> {
  readonly detector: number;
}

export type Reply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: ErrorData }
  | { readonly id: number; readonly event: Event };
