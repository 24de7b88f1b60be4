/**
 * Delivers the results of a journal to a sink, in their order, each again and again with growing pauses until it is taken or given up.
 * How far it is stands in a file of its own, so that a restart goes on there; what was given up stands in another. Node only.
 */
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { readJsonIfThere, writeJson } from '../runs/files.ts';
import type { WatchRecord } from './journal.ts';
import { Refused, type Sink } from './sinks/sink.ts';

/** Pauses between tries, milliseconds. */
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 60_000;

/** How results are delivered. */
export interface OutboxOptions {
  /** Folder of results. */
  readonly out: string;
  /** Folder that is watched. */
  readonly folder: string;
  /** Milliseconds after which a result is given up. */
  readonly giveUp: number;
  isWanted(record: WatchRecord): boolean;
  /** Hears what could not be delivered for now, once for each result, and what was given up. */
  onTrouble(code: 'sink-down' | 'given-up', message: string): void;
}

/** The way to one sink. */
export class Outbox {
  /** Lines of the journal that are delivered, not wanted or given up. */
  private next = 0;
  private readonly position: string;

  constructor(
    private readonly sink: Sink,
    private readonly records: readonly WatchRecord[],
    private readonly options: OutboxOptions,
  ) {
    this.position = join(options.out, `${sink.name}.json`);
  }

  /** Reads how far a run before this one came. */
  async open(): Promise<void> {
    const before = await readJsonIfThere<{ delivered?: number }>(this.position, 'damaged-journal');
    this.next = Math.min(before?.delivered ?? 0, this.records.length);
  }

  /** True when nothing is left to deliver. */
  get isEmpty(): boolean {
    return this.next >= this.records.length;
  }

  /** Delivers all that is in the journal. Returns early once `signal` aborts. */
  async flush(signal: AbortSignal): Promise<void> {
    while (!this.isEmpty && !signal.aborted) {
      const record = this.records[this.next];
      if (this.options.isWanted(record) && !(await this.deliver(record, signal))) return;
      this.next++;
      await writeJson(this.position, { delivered: this.next }, { flush: false });
    }
  }

  /** True once a record is delivered or given up; false when `signal` aborted before. */
  private async deliver(record: WatchRecord, signal: AbortSignal): Promise<boolean> {
    const { folder, giveUp, onTrouble } = this.options;
    const begin = performance.now();
    for (let wait = FIRST_PAUSE, tries = 1; ; wait = Math.min(2 * wait, LONGEST_PAUSE), tries++) {
      try {
        await this.sink.deliver({ record, file: join(folder, record.path) }, signal);
        return true;
      } catch (error) {
        if (signal.aborted) return false;
        const reason = reasonOf(error);
        if (error instanceof Refused || performance.now() - begin + wait > giveUp) {
          await this.bury(record, reason);
          onTrouble(
            'given-up',
            `${this.sink.name}: ${record.path} was not delivered (${reason}). It is in ${this.letters}.`,
          );
          return true;
        }
        if (tries === 1) {
          onTrouble(
            'sink-down',
            `${this.sink.name} does not take ${record.path} (${reason}). It is tried again; results go on.`,
          );
        }
      }
      await pause(wait, undefined, { signal }).catch(() => {});
      if (signal.aborted) return false;
    }
  }

  private get letters(): string {
    return join(this.options.out, `${this.sink.name}-undelivered.ndjson`);
  }

  private async bury(record: WatchRecord, reason: string): Promise<void> {
    await appendFile(this.letters, `${JSON.stringify({ ...record, reason })}\n`);
  }
}

/** The innermost message: fetch says "fetch failed" and keeps the reason to itself. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? cause.message || ((cause as NodeJS.ErrnoException).code ?? message) : message;
}
