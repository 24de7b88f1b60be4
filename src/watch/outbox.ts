/**
 * Delivers the results of a journal to a sink, in their order, each again and again with growing pauses until it is taken or given up.
 * How far it is stands in a file of its own, so that a restart goes on there; what was given up stands in another. Node only.
 */
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { option, type Said, say } from '../core/text.ts';
import { readJsonIfThere, writeJson } from '../runs/files.ts';
import type { Journal, WatchRecord } from './journal.ts';
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
  /** A sink that is new to the journal gets what was found before, too; default from now on. */
  readonly earlier?: boolean;
  /** Hears what could not be delivered for now, once for each result, what was given up, and what a new sink does not get. */
  onTrouble(code: 'sink-down' | 'given-up' | 'sink-new', said: Said): void;
  /** Another time than that of the machine, for tests. */
  readonly clock?: Clock;
}

/** What time is asked for. */
export interface Clock {
  /** Milliseconds since some moment. */
  now(): number;
  /** Ends early, without an error, once `signal` aborts. */
  pause(ms: number, signal: AbortSignal): Promise<void>;
}

const machineClock: Clock = {
  now: () => performance.now(),
  pause: (ms, signal) => wait(ms, undefined, { signal }).catch(() => {}),
};

/** The way to one sink. */
export class Outbox {
  /** Lines of the journal that are delivered, not wanted or given up. */
  private next = 0;
  private readonly position: string;
  private readonly clock: Clock;

  constructor(
    private readonly sink: Sink,
    private readonly journal: Pick<Journal, 'at' | 'length'>,
    private readonly options: OutboxOptions,
  ) {
    this.clock = options.clock ?? machineClock;
    this.position = join(options.out, `${sink.name}.json`);
  }

  /**
   * Reads how far a run before this one came. A sink that is new to the journal begins behind what is in it, which is said, unless it
   * is to get that too.
   */
  async open(): Promise<void> {
    const { out, earlier = false, isWanted, onTrouble } = this.options;
    const { length } = this.journal;
    const before = await readJsonIfThere<{ delivered?: number }>(this.position, 'damaged-journal');
    this.next = before ? Math.min(before.delivered ?? 0, length) : earlier ? 0 : length;
    if (before) return;
    await writeJson(this.position, { delivered: this.next });
    let missed = 0;
    for (let i = 0; i < this.next; i++) if (isWanted(this.journal.at(i))) missed++;
    if (missed === 0) return;
    onTrouble(
      'sink-new',
      say`${this.sink.name} is new to ${out}, and gets results from now on: the ${missed} that were found before are not sent to it. To
        send them, delete ${this.position} and begin with ${option('earlier', true)}.`,
    );
  }

  /** How many lines of the journal are done with. */
  get done(): number {
    return this.next;
  }

  /** True when nothing is left to deliver. */
  get isEmpty(): boolean {
    return this.next >= this.journal.length;
  }

  /** Delivers all that is in the journal. Returns early once `signal` aborts. */
  async flush(signal: AbortSignal): Promise<void> {
    while (!this.isEmpty && !signal.aborted) {
      const record = this.journal.at(this.next);
      if (this.options.isWanted(record) && !(await this.deliver(record, signal))) return;
      this.next++;
      await writeJson(this.position, { delivered: this.next }, { flush: false });
    }
  }

  /** True once a record is delivered or given up; false when `signal` aborted before. */
  private async deliver(record: WatchRecord, signal: AbortSignal): Promise<boolean> {
    const { folder, giveUp, onTrouble } = this.options;
    const begin = this.clock.now();
    for (let wait = FIRST_PAUSE, tries = 1; ; wait = Math.min(2 * wait, LONGEST_PAUSE), tries++) {
      try {
        await this.sink.deliver({ record, file: join(folder, record.path) }, signal);
        return true;
      } catch (error) {
        if (signal.aborted) return false;
        const reason = reasonOf(error);
        if (error instanceof Refused || this.clock.now() - begin + wait > giveUp) {
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
      await this.clock.pause(wait, signal);
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
