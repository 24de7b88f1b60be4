/** Where results go besides the journal. */
import type { WatchRecord } from '../journal.ts';

/** What a sink is given. */
export interface Delivery {
  readonly record: WatchRecord;
  /** The file that was scored; it may be gone. */
  readonly file: string;
}

/** Takes results one after the other, in their order. It may get one again after a crash: its `id` tells. */
export interface Sink {
  /** Of the file that remembers how far it is: `webhook`. */
  readonly name: string;
  /** Throws Refused for what will never be taken; any other error is tried again. */
  deliver(delivery: Delivery, signal: AbortSignal): Promise<void>;
  close?(): Promise<void>;
}

/** What a sink will never take, however often it is tried. */
export class Refused extends Error {}
