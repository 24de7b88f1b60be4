/** What a job says, passed on to Redis in few messages: to those who listen now, and into its log. Node only. */
import type { Event, Listener } from '../../core/events.ts';
import type { LoggedEvent } from '../job.ts';
import { sparse } from '../log.ts';
import type { RedisConnection } from './connection.ts';
import { keys, LOG_LINES, type Stored } from './record.ts';

/** Events go together that come within so many milliseconds. */
const TOGETHER_MS = 100;

export class Sayings {
  private readonly isKept = sparse();
  private events: Event[] = [];
  private lines: string[] = [];
  private timer: NodeJS.Timeout | undefined;
  private sent: Promise<unknown> = Promise.resolve();

  /** `hear` hears each event as it comes. */
  constructor(
    private readonly connection: RedisConnection,
    private readonly stored: Stored,
    private readonly hear: Listener,
  ) {}

  say(event: Event): void {
    this.hear(event);
    this.events.push(event);
    if (this.isKept(event)) {
      const logged: LoggedEvent = { time: new Date().toISOString(), ...event };
      this.lines.push(JSON.stringify(logged));
    }
    this.timer ??= setTimeout(() => this.send(), TOGETHER_MS);
  }

  /** Once all is told. */
  async end(): Promise<void> {
    this.send();
    await this.sent;
  }

  private send(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const [events, lines] = [this.events, this.lines.slice(-LOG_LINES)];
    [this.events, this.lines] = [[], []];
    if (events.length === 0) return;
    const { client } = this.connection;
    const key = `${this.stored.queueQualifiedName}:${keys.log(this.stored.id!)}`;
    const sending: Promise<unknown>[] = [this.stored.updateProgress(events)];
    if (lines.length > 0) sending.push(client.rpush(key, ...lines), client.ltrim(key, -LOG_LINES, -1));
    this.sent = Promise.all([this.sent, ...sending]);
    this.sent.catch(() => {}); // `end` says it
  }
}
