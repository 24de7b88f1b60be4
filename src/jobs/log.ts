/** What a job said, in a file of JSON lines that outlives the queue. Node only. */
import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Event } from '../core/events.ts';
import { readIfThere } from '../runs/files.ts';
import type { LoggedEvent } from './job.ts';

/** Progress is kept at most this often. */
const PROGRESS_MS = 1000;

/** Whether the log of a job keeps an event: all of them, but progress at most once a second. */
export function sparse(): (event: Event) => boolean {
  let last = 0;
  return (event) => {
    if (event.type !== 'progress' || event.done >= event.total) return true;
    const now = Date.now();
    if (now - last < PROGRESS_MS) return false;
    last = now;
    return true;
  };
}

/** The logs of the jobs of a queue. */
export class JobLogs {
  private readonly kept = new Map<string, ReturnType<typeof sparse>>();

  /** `folder` gets a file for each job and is made with the first of them. */
  constructor(private readonly folder: string) {}

  write(id: string, event: Event): void {
    const isKept = this.kept.get(id) ?? sparse();
    this.kept.set(id, isKept);
    if (!isKept(event)) return;
    const line = `${JSON.stringify({ time: new Date().toISOString(), ...event })}\n`;
    try {
      mkdirSync(this.folder, { recursive: true });
      appendFileSync(this.pathOf(id), line);
    } catch {
      // On a full disk a line of a log is lost; the job itself says what it cannot write.
    }
  }

  /** A line that was cut short, as the machine was, is left out. */
  async read(id: string): Promise<LoggedEvent[]> {
    const bytes = await readIfThere(this.pathOf(id));
    const lines = new TextDecoder().decode(bytes).split('\n');
    return lines.flatMap((line) => {
      try {
        return [JSON.parse(line) as LoggedEvent];
      } catch {
        return [];
      }
    });
  }

  private pathOf(id: string): string {
    return join(this.folder, `${id}.jsonl`);
  }
}
