/** What the terminal shows: aligned tables, numbers, and progress that is a bar on a terminal and lines elsewhere. */
import type { Event, Listener } from '../core/events.ts';
import { visible, visibleMessage } from '../core/visible.ts';
import { said } from './words.ts';

/** Rows as aligned columns, two spaces apart; `right` names the columns (by number) that hold numbers. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], right: readonly number[] = []) {
  const all = (head.length > 0 ? [head, ...rows] : rows).map((row) => row.map(visible));
  const widths = (all[0] ?? []).map((_, c) => Math.max(...all.map((row) => row[c].length)));
  return all
    .map((row) =>
      row
        .map((cell, c) => (right.includes(c) ? cell.padStart(widths[c]) : cell.padEnd(widths[c])))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** A metric with four decimals, or a dash where it is undefined. */
export function fixed(value: number | null | undefined, digits = 4): string {
  return value === null || value === undefined || Number.isNaN(value) ? '–' : value.toFixed(digits);
}

/** Bytes in a unit that reads well: `1.5 GiB`. */
export function bytes(n: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = n < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(n) / 10));
  const value = n / 1024 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}

/** A duration: `0.42 s`, `8.1 s`, `3:05`, `1:02:03`. */
export function duration(seconds: number): string {
  if (seconds < 1) return `${seconds.toFixed(2)} s`;
  return seconds < 60 ? `${seconds.toFixed(1)} s` : clock(seconds);
}

/** `m:ss` or `h:mm:ss`. */
function clock(seconds: number): string {
  const s = Math.round(seconds);
  const two = (n: number) => String(n).padStart(2, '0');
  const minutes = Math.floor(s / 60);
  return minutes < 60 ? `${minutes}:${two(s % 60)}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(s % 60)}`;
}

/** Three significant digits, for rates and losses. */
function short(value: number): string {
  if (value !== 0 && Math.abs(value) < 0.001) return value.toExponential(2);
  return value >= 1000 ? value.toFixed(0) : value.toPrecision(3);
}

/** Where progress is written, and how. */
export interface ProgressOptions {
  /** Gets the text, line ends included. */
  readonly write: (text: string) => void;
  /** A terminal that can rewrite its line. */
  readonly tty: boolean;
  readonly columns?: number;
  /** Remarks of level debug are shown from 1 on. */
  readonly debug?: number;
  /** No progress and no remarks; warnings stay. */
  readonly quiet?: boolean;
  /** Milliseconds; given by tests. */
  readonly now?: () => number;
}

/** A listener that shows events, and a way to leave the terminal on a fresh line. */
export interface ProgressView {
  readonly listener: Listener;
  /** Ends a bar that is being drawn; call it before writing anything else. */
  clear(): void;
}

/** Milliseconds between two redraws of a bar, and between two lines where there is no terminal. */
const FRAME_MS = 80;
const LINE_MS = 4000;

/** Shows progress, remarks and warnings; each warning once. */
export function progressView(options: ProgressOptions): ProgressView {
  const { write, tty, columns = 80, debug = 0, quiet = false, now = () => performance.now() } = options;
  const warned = new Set<string>();
  let task = '';
  let begin = 0;
  let firstDone = 0;
  let lastShown = Number.NEGATIVE_INFINITY;
  let drawn = false;

  function clear(): void {
    if (drawn) write('\r\x1b[2K');
    drawn = false;
  }

  function progress(event: Event & { type: 'progress' }): void {
    const time = now();
    if (event.task !== task) {
      task = event.task;
      begin = time;
      firstDone = event.done;
      lastShown = tty ? Number.NEGATIVE_INFINITY : time;
    }
    const finished = event.total > 0 && event.done >= event.total;
    if (!finished && time - lastShown < (tty ? FRAME_MS : LINE_MS)) return;
    lastShown = time;
    const text = progressLine(event, { seconds: (time - begin) / 1000, firstDone, columns, bar: tty });
    clear();
    write(tty && !finished ? text : `${text}\n`);
    drawn = tty && !finished;
    if (finished) task = '';
  }

  return {
    clear,
    listener(event) {
      if (event.type === 'warning') {
        const text = visibleMessage(`warning: ${said(event)}`);
        if (warned.has(text)) return;
        warned.add(text);
        clear();
        write(`${text}\n`);
      } else if (quiet) {
        return;
      } else if (event.type === 'progress') {
        progress(event);
      } else if (event.type === 'log' && (event.level === 'info' || debug > 0)) {
        clear();
        write(`${visibleMessage(said(event))}\n`);
      }
    },
  };
}

/** One line: task, bar, share, counts, rate, time left, metrics; what does not fit beside a bar is left out. */
export function progressLine(
  event: Event & { type: 'progress' },
  { seconds, firstDone, columns, bar }: { seconds: number; firstDone: number; columns: number; bar: boolean },
): string {
  const { done, total, metrics = {} } = event;
  const task = visible(event.task);
  const unit = event.unit.endsWith('s') ? event.unit : `${event.unit}s`;
  const share = total > 0 ? Math.min(1, done / total) : 0;
  const rate = event.rate ?? (seconds > 0 ? (done - firstDone) / seconds : 0);
  const parts = [task.padEnd(14)];
  if (bar && total > 0) {
    const width = columns < 100 ? 14 : 20;
    const full = Math.round(share * width);
    parts.push('█'.repeat(full) + '░'.repeat(width - full));
  }
  const amount = unit === 'bytes' ? `${bytes(done)} of ${bytes(total)}` : `${done}/${total} ${unit}`;
  parts.push(total > 0 ? `${String(Math.floor(share * 100)).padStart(3)} %  ${amount}` : `${done} ${unit}`);
  if (rate > 0) {
    parts.push(unit === 'bytes' ? `${bytes(rate)}/s` : `${short(rate)} ${unit}/s`);
    if (total > done) parts.push(`${clock((total - done) / rate)} left`);
  }
  for (const [name, value] of Object.entries(metrics))
    parts.push(`${name} ${Number.isInteger(value) ? value : short(value)}`);
  if (bar) while (parts.length > 1 && parts.join('  ').length >= columns) parts.pop();
  return parts.join('  ');
}
