import { describe, expect, it } from 'vitest';
import type { Event } from '../core/events.ts';
import { bytes, duration, fixed, progressView, table } from './render.ts';

const step = (done: number, total = 100, task = 'fit'): Event => ({
  type: 'progress',
  task,
  done,
  total,
  unit: 'step',
});

/** A view that writes into a list, with a clock of its own. */
function view(options: { tty: boolean; quiet?: boolean; debug?: number; columns?: number }) {
  const written: string[] = [];
  const clock = { ms: 0 };
  const shown = progressView({ ...options, write: (text) => written.push(text), now: () => clock.ms });
  return { ...shown, written, clock };
}

describe('progress', () => {
  it('is a bar that is drawn over itself on a terminal', () => {
    const { listener, written, clock } = view({ tty: true });
    listener(step(0));
    clock.ms = 1000;
    listener(step(50));
    clock.ms = 1010; // too early to draw again
    listener(step(51));
    clock.ms = 2000;
    listener(step(100));
    expect(written).toEqual([
      'fit             ░░░░░░░░░░░░░░    0 %  0/100 steps',
      '\r\x1b[2K',
      'fit             ███████░░░░░░░   50 %  50/100 steps  50.0 steps/s  0:01 left',
      '\r\x1b[2K',
      'fit             ██████████████  100 %  100/100 steps  50.0 steps/s\n',
    ]);
  });

  it('is a line every few seconds elsewhere', () => {
    const { listener, written, clock } = view({ tty: false });
    for (let second = 0; second <= 10; second++) {
      clock.ms = 1000 * second;
      listener(step(10 * second));
    }
    expect(written.map((line) => line.slice(16, 20))).toEqual([' 40 ', ' 80 ', '100 ']);
    expect(written.every((line) => line.endsWith('\n'))).toBe(true);
  });

  it('never is wider than the terminal', () => {
    const { listener, written } = view({ tty: true, columns: 60 });
    listener({ ...step(1), metrics: { loss: 0.123456 } } as Event);
    expect(written).toEqual(['fit             ░░░░░░░░░░░░░░    1 %  1/100 steps']);
  });

  it('leaves the line before anything else is said', () => {
    const { listener, written } = view({ tty: true });
    listener(step(1));
    listener({ type: 'log', level: 'info', message: 'hello' });
    expect(written.slice(1)).toEqual(['\r\x1b[2K', 'hello\n']);
  });

  it('shows a warning once, also when quiet, and debug remarks only when asked', () => {
    const { listener, written } = view({ tty: false, quiet: true });
    for (let i = 0; i < 2; i++) listener({ type: 'warning', code: 'w', message: 'careful' });
    listener({ type: 'log', level: 'info', message: 'hello' });
    listener(step(100));
    expect(written).toEqual(['warning: careful\n']);
    const loud = view({ tty: false, debug: 1 });
    loud.listener({ type: 'log', level: 'debug', message: 'fit: 1 s' });
    expect(loud.written).toEqual(['fit: 1 s\n']);
  });

  it('counts bytes as bytes', () => {
    const { listener, written } = view({ tty: false });
    const event = { type: 'progress', task: 'download', total: 1 << 20, unit: 'bytes', rate: 2048 } as const;
    listener({ ...event, done: 1 << 20 });
    expect(written[0]).toContain('1.0 MiB of 1.0 MiB  2.0 KiB/s');
  });
});

it('aligns tables', () => {
  expect(
    table(
      ['a', 'long'],
      [
        ['xyz', '1'],
        ['', '22'],
      ],
      [1],
    ),
  ).toBe('a    long\nxyz     1\n       22');
});

it('writes numbers for people', () => {
  expect([bytes(0), bytes(1536), bytes(3 * 2 ** 30)]).toEqual(['0 B', '1.5 KiB', '3.0 GiB']);
  expect([0.42, 8.13, 185, 3723].map(duration)).toEqual(['0.42 s', '8.1 s', '3:05', '1:02:03']);
  expect([fixed(0.98765), fixed(null), fixed(undefined)]).toEqual(['0.9877', '–', '–']);
});
