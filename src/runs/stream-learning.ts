/** A stream of lines through a detector that learns from each: every point is judged as it comes. */
import { openStream, type StreamOptions } from '../streaming/index.ts';
import type { Account } from './stream-account.ts';
import type { Work } from './stream-session.ts';

interface LearningOptions {
  readonly account: Account;
  readonly parts: Omit<StreamOptions, 'channels'>;
  readonly channels: readonly string[];
  /** Whether an alarm that lasts ends with the lines. */
  readonly endsAlarms: boolean;
  /** The saved stream, to go on from. */
  readonly saved?: Uint8Array;
  /** Calls what restores it. */
  restoring(restore: () => void): void;
}

/** Opens the stream, and restores it where it was saved. */
export function openLearning({ account, parts, channels, endsAlarms, saved, restoring }: LearningOptions): Work {
  const stream = openStream({ ...parts, channels });
  if (saved) restoring(() => stream.restore(saved));
  const { gap = 0, least = 1 } = parts.alarms ?? {};
  return {
    get points() {
      return account.points;
    },
    judge(line, cells) {
      const { values, time } = account.read(line, cells);
      return account.tell(stream.push(values), { line: line.number, time });
    },
    flush: async () => [],
    finish: async () => (endsAlarms ? account.ended(stream.finish()) : []),
    progress: () => ({ ...account.progress(), stream: stream.save() }),
    summary: () => account.summary({ begin: least - 1, end: gap + 1 }),
  };
}
