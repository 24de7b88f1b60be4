/** `oddity watch` on a CSV file to which rows are appended: scored as `predict` scores them, each once, whatever is killed meanwhile. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rng } from '../../dist/core/random.js';
import { predict, train } from '../../dist/index.js';
import { type WatchOptions, type WatchRecord, watch } from '../../dist/watch/index.js';

type Step = Parameters<NonNullable<WatchOptions['onStep']>>[0];

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const head = 'time;load;speed;colour\n';
let root: string;
let run: string;
const at = (name: string) => join(root, name);
const rng = new Rng(5);
const noise = rng.normals(4000);
const comma = (value: number) => value.toFixed(3).replace('.', ',');
/** Rows of two columns that go together, with decimal commas, half a minute apart; in those of `odd` they do not. */
const rows = (from: number, to: number, odd: readonly number[] = []) =>
  Array.from({ length: to - from }, (_, k) => {
    const i = from + k;
    const load = 10 + noise[2 * i];
    const speed = 2 * load + 0.2 * noise[2 * i + 1] + (odd.includes(i) ? 25 : 0);
    const time = new Date(1.7e12 + 3e4 * i).toISOString().slice(0, 19).replace('T', ' ');
    return `${time};${comma(load)};${i % 17 === 0 ? 'n/a' : comma(speed)};${i % 3 === 0 ? 'red' : 'blue'}\n`;
  }).join('');
const resultsOf = async (out: string): Promise<WatchRecord[]> =>
  (await readFile(join(out, 'results.ndjson'), 'utf8').catch(() => ''))
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
const cpu = { device: 'cpu', threads: 1 } as const;

const children: ChildProcess[] = [];
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'oddity-watch-rows-'));
  run = at('run');
  await writeFile(at('normal.csv'), head + rows(0, 600));
  await train({ model: 'knn', data: at('normal.csv'), kind: 'table', out: run, threads: 1 });
}, 120_000);
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await rm(root, { recursive: true, force: true });
});

describe('watch of rows', () => {
  it('says of each row what predict says of it, in whatever pieces it comes, and goes on after lines that are none', async () => {
    const file = at('line.csv');
    const bad = ['1;2\n', 'nonsense;x;y;red\n', '2024-01-01 00:00:00;"1,0;2,0;red\n', '\n'];
    const whole = rows(600, 700, [640, 660]) + rows(700, 720);
    const lines = whole.split(/(?<=\n)/);
    const out = at('pieces');
    const steps: Step[] = [];
    const heard: string[] = [];
    const ending = new AbortController();
    await writeFile(file, head);
    const watching = watch({
      ...{ run, folder: file, out, ...cpu, signal: ending.signal, all: true },
      onStep: (step) => steps.push(step),
      onEvent: (event) => event.type === 'warning' && heard.push(event.code),
    });
    const pieces = [...lines.slice(0, 30), ...bad, ...lines.slice(30)].join('').match(/[\s\S]{1,700}/g)!;
    for (const piece of pieces) {
      await appendFile(file, piece); // most pieces end in the middle of a line
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    await expect.poll(() => steps.length, { timeout: 30_000 }).toBe(lines.length + 3);
    ending.abort();
    const summary = await watching;

    await writeFile(at('clean.csv'), head + whole);
    const { predictions, failed } = await predict({ run, images: [at('clean.csv')], device: 'cpu' });
    expect(failed).toEqual([]);
    const records = await resultsOf(out);
    const read = records.filter(({ error }) => !error);
    const strip = ({ score, decision, pValue, columns }: (typeof predictions)[number] | WatchRecord) => ({
      ...{ score, decision, pValue },
      // Gaps of the row behind a bad one are told otherwise: there is one more row between.
      columns: columns?.map(({ name }) => name).sort(),
    });
    expect(read.map(({ score }) => score).slice(0, 30)).toEqual(predictions.slice(0, 30).map(({ score }) => score));
    expect(read.slice(33).map(strip)).toEqual(predictions.slice(33).map(strip));
    const wrong = records.filter(({ error }) => error);
    expect(wrong.map(({ line }) => line)).toEqual([32, 33, 34]);
    expect(wrong[0].error!.message).toMatch(/line 32: 2 fields instead of 4/);
    expect(wrong[1].error!.message).toMatch(/\(line 33\): the column \w+ must hold/);
    expect(wrong[2].error!.message).toMatch(/quote on line 34 is not closed/);
    expect(summary).toMatchObject({ scored: lines.length + 3, failed: 3 });
    expect(heard.filter((code) => code === 'missing-values')).toHaveLength(1); // and not with every row

    const odd = records.filter(({ isAnomalous }) => isAnomalous);
    expect(odd.map(({ line }) => line)).toEqual(expect.arrayContaining([640 - 600 + 2 + 4, 660 - 600 + 2 + 4]));
    expect(odd.find(({ line }) => line === 46)!.columns![0]).toMatchObject({ name: 'speed', usual: expect.any(Array) });
    expect(odd[0].id).toBe(`line.csv:${odd[0].line}`);
    const at46 = steps.find(({ line }) => line === 46)!;
    expect(at46).toMatchObject({ decision: 'anomalous', threshold: predictions[0].threshold, alarm: null });
    expect(at46.values!.speed).toBe(Number(lines[40].split(';')[2].replace(',', '.')));
    expect(steps.map((step) => step.at)).toEqual(steps.map((_, i) => i));
    expect(steps.filter(({ skipped }) => skipped).map(({ line }) => line)).toEqual([32, 33, 34]);
    expect(await readFile(join(out, 'results.csv'), 'utf8')).toMatch(/^path,line,time,score/);
  }, 120_000);

  it('tells each anomaly once while the file grows, is killed, grows and is watched again', async () => {
    const [file, out, hook] = [at('killed.csv'), at('killed'), at('notes')];
    await writeFile(file, head + rows(800, 860, [820]));
    const args = ['watch', run, file, '--out', out, '--device', 'cpu', '--quiet', '--on-anomaly', `tee -a ${hook}`];
    const start = () => {
      const child = spawn(process.execPath, [main, ...args], { stdio: 'ignore' });
      children.push(child);
      return { child, ended: once(child, 'exit') };
    };
    const linesOf = async () => (await resultsOf(out)).map(({ line }) => line! - 2 + 800);
    const first = start();
    await expect.poll(linesOf, { timeout: 60_000 }).toContain(820);
    first.child.kill('SIGKILL');
    await first.ended;
    await rm(join(out, 'rows.json'), { force: true }); // as if it was killed before how far was read could be kept
    const before = await resultsOf(out);
    await appendFile(file, rows(860, 900, [880]));
    const second = start();
    await expect.poll(linesOf, { timeout: 60_000 }).toContain(880);
    await appendFile(file, rows(900, 940, [930]));
    await expect.poll(linesOf, { timeout: 60_000 }).toContain(930);
    await expect.poll(() => readFile(hook, 'utf8').catch(() => ''), { timeout: 30_000 }).toContain('"line":132');
    second.child.kill('SIGTERM');
    expect(await second.ended).toEqual([0, null]);
    const records = await resultsOf(out);
    expect(records.slice(0, before.length)).toEqual(before);
    expect(new Set(records.map(({ id }) => id)).size).toBe(records.length);
    expect(records.every(({ isAnomalous }) => isAnomalous)).toBe(true); // normal rows are no results
    expect(records.length).toBeLessThan(20);
    expect((await readFile(hook, 'utf8')).match(/"columns":\[\{"name":/g)!.length).toBeGreaterThanOrEqual(3);
  }, 200_000);

  it('ends with a sentence where the file begins anew or its head changes, and keeps what came before', async () => {
    const [file, out] = [at('anew.csv'), at('anew')];
    const options = { run, folder: file, out, once: true, ...cpu };
    await writeFile(file, head + rows(1000, 1040));
    expect(await watch(options)).toMatchObject({ scored: 40 });
    expect(await watch(options)).toMatchObject({ scored: 0 });
    await appendFile(file, `${head}${rows(1040, 1050)}speed;time;load;colour\n${rows(1050, 1060)}`);
    const steps: Step[] = [];
    await expect(watch({ ...options, onStep: (step) => steps.push(step) })).rejects.toMatchObject({
      code: 'stream-head',
      message: expect.stringMatching(/anew\.csv:53: .*expected time, load, speed, colour, found speed, time/),
    });
    expect(steps.map(({ line }) => line)).toEqual(Array.from({ length: 10 }, (_, i) => 43 + i)); // the head that is repeated is no row
    await truncate(file, 200);
    await expect(watch(options)).rejects.toMatchObject({
      code: 'stream-file-anew',
      message: expect.stringContaining('Watch it with another `out`'),
    });
    const other = { ...options, out: at('rotated'), once: false };
    await writeFile(file, head + rows(1000, 1040));
    const rotated = watch({ ...other, onStep: ({ at: n }) => void (n === 39 && rotate()) });
    const rotate = async () => {
      await writeFile(at('next.csv'), head);
      await rename(at('next.csv'), file);
    };
    await expect(rotated).rejects.toMatchObject({ code: 'stream-file-anew' });
  }, 120_000);

  it('refuses what does not go together', async () => {
    const file = at('other.csv');
    await writeFile(file, 'time,load\n2024-01-01 00:00:00,1\n');
    const options = { run, out: at('refused'), once: true, ...cpu } as const;
    const refused = (more: object) => expect(watch({ ...options, ...more })).rejects;
    await refused({ folder: file }).toMatchObject({ code: 'missing-columns' });
    await refused({ folder: run }).toMatchObject({ code: 'watch-what', message: expect.stringContaining('rows') });
    await refused({ folder: file, overlays: true }).toMatchObject({ code: 'watch-what' });
    await refused({ camera: file, once: undefined }).toMatchObject({ code: 'watch-what' });
    await refused({ folder: at('gone.csv') }).toMatchObject({ code: 'stream-file' });
    await writeFile(join(options.out, 'rows.json'), '{"position": 7}');
    await refused({ folder: file }).toMatchObject({ code: 'damaged-state' });
  });
});
