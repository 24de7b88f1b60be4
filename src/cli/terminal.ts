/** One command's way to speak: its answer on stdout, everything else on stderr, and Ctrl-C. */
import { Cancelled, DataError, InternalError, OddityError } from '../core/errors.ts';
import type { Listener } from '../core/events.ts';
import { visibleJson, visibleMessage, visibleText } from '../core/visible.ts';
import { progressView } from './render.ts';
import { inCommandWords, said } from './words.ts';

/** The options that every command has. */
export interface SpeechOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly debug?: 0 | 1 | 2 | 3;
}

/** Where a command writes. */
export interface Terminal {
  /** The answer: the value as one JSON object under `--json`, else the text. */
  answer(value: unknown, text: string): void;
  /** A line on stderr; nothing with `--quiet`. */
  note(text: string): void;
  /** Shows events on stderr. */
  readonly listener: Listener;
  /** Aborts at the first Ctrl-C. */
  readonly signal: AbortSignal;
  /** Takes Ctrl-C away from this command and ends a bar that is being drawn. */
  close(): void;
}

/** Opens a terminal for one command. While it is open the first Ctrl-C aborts `signal` and the second one exits. */
export function openTerminal(options: SpeechOptions): Terminal {
  const stderr = (text: string) => process.stderr.write(text);
  const view = progressView({
    write: stderr,
    tty: process.stderr.isTTY === true,
    columns: process.stderr.columns || 80,
    debug: options.debug,
    quiet: options.quiet,
  });
  const controller = new AbortController();
  const interrupt = () => {
    if (controller.signal.aborted) process.exit(130);
    view.clear();
    if (!options.quiet) stderr('Stopping … (Ctrl-C again to stop at once)\n');
    controller.abort();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  return {
    answer(value, text) {
      view.clear();
      process.stdout.write(
        options.json ? `${visibleJson(JSON.stringify(value, inCommandWords, 2))}\n` : `${visibleText(text)}\n`,
      );
    },
    note(text) {
      if (options.quiet) return;
      view.clear();
      stderr(`${visibleText(text)}\n`);
    },
    listener: view.listener,
    signal: controller.signal,
    close() {
      view.clear();
      process.off('SIGINT', interrupt);
      process.off('SIGTERM', interrupt);
    },
  };
}

/** Plain words for what the system says about a file. */
const systemErrors: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full. Free some space or choose another folder with --out',
  EROFS: 'the file system is read-only. Choose another folder with --out',
  EACCES: 'there is no permission. Choose another folder or change its permissions',
  EPERM: 'there is no permission. Choose another folder or change its permissions',
  ENOENT: 'it does not exist. Check the path',
  ENOTDIR: 'a part of the path is not a folder. Check the path',
  EISDIR: 'it is a folder, not a file. Check the path',
  EMFILE: 'too many files are open. Raise the limit with ulimit -n',
};

/** Any thrown value as one of our errors: files as DataError, whatever nobody thought of as InternalError. */
export function ourError(thrown: unknown): OddityError {
  if (thrown instanceof OddityError) return thrown;
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  let ours: OddityError;
  const { code, path } = error as NodeJS.ErrnoException;
  if (error.name === 'AbortError') ours = new Cancelled();
  else if (code && path && systemErrors[code]) ours = new DataError('file', `${path}: ${systemErrors[code]}.`);
  else ours = new InternalError(error.message);
  ours.stack = error.stack;
  return ours;
}

/** What is shown of an error: the sentence, whose fault it is, and from `--debug 1` on where it was thrown. */
export function errorText(error: OddityError, debug: number): string {
  const lines = [visibleMessage(`error: ${said(error)}`)];
  if (error instanceof InternalError) {
    lines.push('This is a bug in oddity, not in your input. Please report it with the command and --debug 1.');
  }
  if (debug > 0 && error.stack) lines.push(error.stack.split('\n').slice(1).join('\n'));
  return lines.join('\n');
}
