/** Delivery in time that is made up: an hour passes at once. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { WatchRecord } from './journal.ts';
import { type Clock, Outbox, type OutboxOptions } from './outbox.ts';
import { Refused, type Sink } from './sinks/sink.ts';

const HOUR = 3_600_000;
let out: string;
let time: number;
let told: string[];
beforeEach(async () => {
  out = await mkdtemp(join(tmpdir(), 'oddity-outbox-'));
  [time, told] = [0, []];
});
afterEach(() => rm(out, { recursive: true, force: true }));

const clock: Clock = {
  now: () => time,
  async pause(ms) {
    time += ms;
  },
};
const record = (path: string, isAnomalous = true): WatchRecord => ({
  id: path,
  path,
  stamp: '1',
  time: '',
  isAnomalous,
});
const journalOf = (...records: WatchRecord[]) => ({
  records,
  get length() {
    return records.length;
  },
  at: (i: number) => records[i],
});

/** A network sink that is down until a time. */
function sinkUpFrom(up: number) {
  const tries: number[] = [];
  const got: string[] = [];
  const sink: Sink = {
    name: 'webhook',
    async deliver({ record: { path } }) {
      tries.push(time);
      if (time < up) throw new Error('connect ECONNREFUSED');
      got.push(path);
    },
  };
  return { sink, tries, got };
}

async function outboxOf(sink: Sink, journal: ReturnType<typeof journalOf>, options: Partial<OutboxOptions> = {}) {
  const outbox = new Outbox(sink, journal, {
    ...{ out, folder: '/watched', giveUp: HOUR, clock },
    isWanted: ({ isAnomalous }) => isAnomalous === true,
    onTrouble: (code) => void told.push(code),
    ...options,
  });
  await outbox.open();
  return outbox;
}
const { signal } = new AbortController();

describe('a sink that is down', () => {
  it('for an hour is tried with growing pauses, and then gets all, once and in order', async () => {
    const { sink, tries, got } = sinkUpFrom(HOUR);
    const journal = journalOf();
    const outbox = await outboxOf(sink, journal, { giveUp: 2 * HOUR });
    for (let i = 0; i < 5; i++) journal.records.push(record(`${i}.png`, i !== 2));
    await outbox.flush(signal);
    expect(got).toEqual(['0.png', '1.png', '3.png', '4.png']);
    expect(told).toEqual(['sink-down']);
    // 0.5, 1, 2 … 32 s, then each minute: no storm of tries.
    expect(tries.length).toBeLessThan(75);
    expect(Math.max(...tries.slice(1).map((t, i) => t - tries[i]))).toBe(60_000);
    expect(time).toBeLessThan(HOUR + 60_000);
  });

  it('for longer than it is waited for loses nothing: what is given up is in a file', async () => {
    const { sink, got } = sinkUpFrom(1.5 * HOUR);
    const journal = journalOf();
    const outbox = await outboxOf(sink, journal);
    journal.records.push(record('a.png'), record('b.png'));
    await outbox.flush(signal);
    expect(told).toEqual(['sink-down', 'given-up', 'sink-down']);
    expect(got).toEqual(['b.png']);
    const letters = (await readFile(join(out, 'webhook-undelivered.ndjson'), 'utf8')).trim().split('\n');
    expect(letters.map((line) => JSON.parse(line))).toMatchObject([{ path: 'a.png', reason: 'connect ECONNREFUSED' }]);
  });

  it('and what it will never take is not tried again', async () => {
    const sink: Sink = { name: 'webhook', deliver: () => Promise.reject(new Refused('answered 400')) };
    const journal = journalOf();
    const outbox = await outboxOf(sink, journal);
    journal.records.push(record('a.png'));
    await outbox.flush(signal);
    expect([told, time]).toEqual([['given-up'], 0]);
  });
});

describe('a sink that is new to a journal', () => {
  const old = [record('a.png'), record('b.png', false), record('c.png')];

  it('gets what comes from now on, and it is said what it does not get', async () => {
    const { sink, got } = sinkUpFrom(0);
    const journal = journalOf(...old);
    let said = '';
    const onTrouble: OutboxOptions['onTrouble'] = (code, text) => {
      told.push(code);
      said = JSON.stringify(text);
    };
    const outbox = await outboxOf(sink, journal, { onTrouble });
    journal.records.push(record('d.png'));
    await outbox.flush(signal);
    expect(got).toEqual(['d.png']);
    expect(told).toEqual(['sink-new']);
    expect(said).toContain('the 2 that were found before are not sent');
  });

  it('gets all where it is asked for', async () => {
    const { sink, got } = sinkUpFrom(0);
    const outbox = await outboxOf(sink, journalOf(...old), { earlier: true });
    await outbox.flush(signal);
    expect([got, told]).toEqual([['a.png', 'c.png'], []]);
  });

  it('is known from the moment on at which it was new, also when the process is killed at once', async () => {
    const { sink, got } = sinkUpFrom(0);
    const journal = journalOf(...old);
    await outboxOf(sink, journal);
    journal.records.push(record('d.png')); // and killed before it was delivered
    const again = await outboxOf(sink, journal);
    await again.flush(signal);
    expect([got, told]).toEqual([['d.png'], ['sink-new']]);
  });
});
