/** `oddity watch` on a log that grows: each alarm is told once, whatever is killed meanwhile. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rng } from '../../dist/core/random.js';
import { train } from '../../dist/index.js';
import { type WatchRecord, watch } from '../../dist/watch/index.js';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
let root: string;
let run: string;
const rng = new Rng(11);
const noise = rng.normals(2000);
/** Lines of a wave; steps in `odd` stand out. */
const lines = (from: number, to: number, odd: readonly number[] = []) =>
  Array.from({ length: to - from }, (_, k) => {
    const t = from + k;
    const value = odd.includes(t) ? 4 : Math.sin(t / 3) + 0.05 * noise[t];
    return `${new Date(1.7e12 + 6e4 * t).toISOString()},${value.toFixed(4)}\n`;
  }).join('');
const resultsOf = async (out: string): Promise<WatchRecord[]> =>
  (await readFile(join(out, 'results.ndjson'), 'utf8').catch(() => ''))
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));

const children: ChildProcess[] = [];
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'oddity-watch-series-'));
  run = join(root, 'run');
  await writeFile(join(root, 'normal.csv'), `time,v\n${lines(0, 400)}`);
  await train({ model: 'knn', data: join(root, 'normal.csv'), kind: 'series', window: 12, out: run, threads: 1 });
}, 60_000);
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await rm(root, { recursive: true, force: true });
});

describe('watch of a log', () => {
  it('tells each alarm once while the log grows, is killed, grows and is watched again', async () => {
    const [file, out] = [join(root, 'pump.csv'), join(root, 'out')];
    await writeFile(file, `time,v\n${lines(500, 620, [560, 561, 562])}`);
    const hook = join(root, 'notes');
    const args = [
      main,
      'watch',
      run,
      file,
      '--out',
      out,
      '--device',
      'cpu',
      '--quiet',
      '--on-anomaly',
      `tee -a ${hook}`,
    ];
    const start = () => {
      const child = spawn(process.execPath, args, { stdio: 'ignore' });
      children.push(child);
      return { child, ended: once(child, 'exit') };
    };
    const first = start();
    await expect.poll(async () => (await resultsOf(out)).length, { timeout: 20_000 }).toBeGreaterThanOrEqual(2);
    first.child.kill('SIGKILL');
    await first.ended;
    const before = await resultsOf(out);
    await appendFile(file, lines(620, 760, [700, 701, 702]));
    const second = start();
    await expect
      .poll(async () => (await resultsOf(out)).length, { timeout: 20_000 })
      .toBeGreaterThan(before.length + 1);
    await appendFile(file, lines(760, 860, [800, 801, 802]));
    await expect
      .poll(async () => (await resultsOf(out)).length, { timeout: 20_000 })
      .toBeGreaterThan(before.length + 3);
    second.child.kill('SIGTERM');
    expect(await second.ended).toEqual([0, null]);
    const records = await resultsOf(out);
    expect(new Set(records.map(({ id }) => id)).size).toBe(records.length);
    expect(records.slice(0, before.length)).toEqual(before);
    const begins = records.filter(({ alarm }) => alarm!.end === null);
    const stepOf = ({ line }: WatchRecord) => 500 + line! - 2;
    for (const step of [560, 700, 800]) {
      const near = begins.filter((record) => Math.abs(stepOf(record) - step) < 15);
      expect(near.length).toBeGreaterThan(0);
    }
    expect(records.every(({ isAnomalous, path }) => isAnomalous && path === 'pump.csv')).toBe(true);
    expect(await readFile(hook, 'utf8')).toContain('"path":"pump.csv"');
  }, 90_000);

  it('ends with the log where it is asked to, and refuses what does not go together', async () => {
    const file = join(root, 'short.csv');
    await writeFile(file, `time,v\n${lines(900, 1000, [950, 951])}`);
    const out = join(root, 'short-out');
    const options = { run, out, once: true, device: 'cpu' } as const;
    const summary = await watch({ ...options, folder: file });
    expect(summary.anomalous).toBeGreaterThan(0);
    expect(await watch({ ...options, folder: file })).toMatchObject({ scored: 0 });
    const refused = (more: object) => expect(watch({ ...options, ...more })).rejects;
    await refused({ folder: run }).toMatchObject({ code: 'watch-what' });
    await refused({ folder: file, anomalies: join(root, 'x') }).toMatchObject({ code: 'watch-what' });
    await refused({ camera: file, once: undefined }).toMatchObject({ code: 'watch-what' });
    await refused({ folder: join(root, 'gone.csv') }).toMatchObject({ code: 'stream-file' });
  });
});
