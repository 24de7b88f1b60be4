/**
 * Predictions of any size: in parts, stopped, killed, sharded and put together, the files are those that one call makes which
 * holds everything. `ODDITY_SOAK=1` takes 1,000,000 rows and 20,000 images in 8 shards.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rng } from '../../dist/core/random.js';
import { encodePng } from '../../dist/data/index.js';
import { predictInto, train } from '../../dist/index.js';
import { mergeShards } from '../../dist/sweeps/mergers.js';

const isSoak = process.env.ODDITY_SOAK === '1';
const ROWS = isSoak ? 1_000_000 : 30_000;
const IMAGES = isSoak ? 20_000 : 60;
const SHARDS = isSoak ? 8 : 3;
const LONG = isSoak ? 3_600_000 : 120_000;

const root = mkdtempSync(join(tmpdir(), 'oddity-into-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const at = (...names: string[]) => join(root, ...names);
const text = (...names: string[]) => readFileSync(at(...names), 'utf8');
const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const withCode = (code: string) => expect.objectContaining({ code });

/** Runs the command line in the test's folder. */
function oddity(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [main, ...args, ...(args[0] === 'merge' ? [] : ['--device', 'cpu']), '--quiet'],
    {
      cwd: root,
      encoding: 'utf8',
    },
  );
  return { code: status, stdout, stderr };
}

/** Starts it, kills it once its files have grown, and says whether it was killed. */
async function killed(out: string, args: string[], after: number): Promise<boolean> {
  const child = spawn(process.execPath, [main, ...args, '--out', out, '--device', 'cpu', '--quiet'], { cwd: root });
  const ended = new Promise<NodeJS.Signals | null>((resolve) => child.on('close', (_, signal) => resolve(signal)));
  const part = at(out, 'predictions.csv.part');
  const timer = setInterval(() => {
    if (existsSync(part) && statSync(part).size > after) child.kill('SIGKILL');
  }, 5);
  const signal = await ended;
  clearInterval(timer);
  return signal === 'SIGKILL';
}

/** Shards of one input, each in a process of its own; the second is killed on its way and begun again. */
async function sharded(name: string, args: string[]): Promise<string[]> {
  const folders: string[] = [];
  for (let i = 1; i <= SHARDS; i++) {
    const folder = `${name}-${i}`;
    folders.push(folder);
    const own = [...args, '--shard', `${i}/${SHARDS}`];
    if (i === 2) await killed(folder, own, isSoak ? 100_000 : 10);
    const { code, stderr } = oddity(...own, '--out', folder);
    expect([0, 6], stderr).toContain(code);
  }
  return folders;
}

const picture = (n: number) => {
  const rng = new Rng(n + 1);
  const data = Uint8Array.from(rng.uniforms(32 * 32), (v) => 90 + 60 * v);
  if (n % 10 === 9) data.fill(255, 300, 420);
  return encodePng({ height: 32, width: 32, channels: 1, data });
};

/** A row of a log: numbers that depend on each other, a text, an uneven time. */
function rowsOf(count: number, seed: number): string {
  const rng = new Rng(seed);
  const lines = ['time;a;b;sum;way'];
  let time = Date.UTC(2024, 0, 1);
  for (let i = 0; i < count; i++) {
    const [a, b, step] = rng.uniforms(3);
    time += 1000 * Math.round(60 + 600 * step);
    const sum = a + b + (i % 500 === 499 ? 1 : 0);
    const cells = [a.toFixed(4), i % 97 === 5 ? '' : b.toFixed(4), sum.toFixed(4), a > b ? '"up; or so"' : 'down'];
    if (i % 1000 === 777) cells[0] = 'broken';
    lines.push(`${new Date(time).toISOString().slice(0, 19)};${cells.join(';')}`);
  }
  return `${lines.join('\n')}\n`;
}

beforeAll(async () => {
  writeFileSync(at('train.csv'), rowsOf(400, 1).replaceAll('broken', '0.5'));
  writeFileSync(at('rows.csv'), rowsOf(ROWS, 2));
  writeFileSync(at('few.csv'), rowsOf(10, 3));
  writeFileSync(at('strange.csv'), 'x,y\n1,2\n');
  for (const [folder, count, from] of [
    ['parts/good', 30, 1_000_000],
    ['new/first/10', IMAGES / 2, 0],
    ['new/first-b', IMAGES / 2, IMAGES / 2],
  ] as const) {
    mkdirSync(at(folder), { recursive: true });
    for (let n = 0; n < count; n++)
      writeFileSync(at(folder, `${n}.png`), picture(from === 1_000_000 ? 10 * n : from + n));
  }
  writeFileSync(at('new/first-b/5-broken.png'), 'none');
  const more = { threads: 1, device: 'cpu', seed: 1 } as const;
  await train({
    model: 'pca',
    data: at('train.csv'),
    kind: 'table',
    columns: { time: 'time' },
    out: at('table'),
    ...more,
  });
  await train({
    model: 'patchcore',
    data: at('parts'),
    size: [32, 32],
    config: { coreset: 0.1 },
    out: at('images'),
    ...more,
  });
}, LONG);

describe('rows', () => {
  const args = ['predict', 'table', 'few.csv', 'gone.csv', 'rows.csv', 'strange.csv'];

  it('are scored in parts, killed and sharded with the bytes of one call that holds them', {
    timeout: LONG,
  }, async () => {
    const held = oddity(...args, '--csv', 'held.csv');
    expect(held.code, held.stderr).toBe(6);
    expect(
      JSON.parse(readFileSync(at('table/model.json'), 'utf8')).table.columns.map(
        (c: { time?: { part: string } }) => c.time?.part,
      ),
    ).toContain('gap');
    expect(oddity(...args, '--out', 'parted').code).toBe(6);
    expect(text('parted/predictions.csv')).toBe(text('held.csv'));
    const failures = text('parted/failed.csv').split('\n');
    expect(failures.slice(0, 3)).toEqual([
      'path,code,message',
      expect.stringMatching(/^gone\.csv,no-data,/),
      expect.stringMatching(/^rows\.csv:779,csv-rows,.*must hold a finite number/),
    ]);
    expect(failures.at(-2)).toMatch(/^strange\.csv,missing-columns,/);
    const folders = await sharded('rows', args);
    const { code } = oddity('merge', ...folders, '--out', 'rows');
    expect(code).toBe(6);
    for (const name of ['predictions.csv', 'failed.csv']) expect(text('rows', name)).toBe(text('parted', name));
    expect(existsSync(at('rows/predict-progress.json'))).toBe(false);
  });

  it('are gone on with after they were stopped, without a row that is scored again', { timeout: LONG }, async () => {
    const controller = new AbortController();
    const options = { run: at('table'), items: [at('rows.csv')], out: at('stopped'), device: 'cpu' as const };
    const stopped = predictInto({
      ...options,
      signal: controller.signal,
      onEvent: (event) => {
        if (event.type === 'progress' && event.task === 'predict' && event.done > 5000) controller.abort();
      },
    });
    await expect(stopped).rejects.toEqual(withCode('cancelled'));
    expect(existsSync(at('stopped/predictions.csv'))).toBe(false);
    const left = statSync(at('stopped/predictions.csv.part')).size;
    const done: number[] = [];
    const found = await predictInto({
      ...options,
      onEvent: (event) => event.type === 'progress' && event.task === 'predict' && done.push(event.done),
    });
    expect(found.resumed).toBeGreaterThan(0);
    expect(left).toBeGreaterThan(10_000);
    expect(done[0]).toBeGreaterThan(5000);
    const whole = await predictInto({ ...options, out: at('whole') });
    expect([found.scored, found.failed, found.anomalous]).toEqual([whole.scored, whole.failed, whole.anomalous]);
    expect(whole.scored + whole.failed).toBe(ROWS);
    expect(found.top).toEqual(whole.top);
    expect(text('stopped/predictions.csv')).toBe(text('whole/predictions.csv'));
  });

  it('of other files than those that were begun are begun anew', async () => {
    mkdirSync(at('anew'));
    writeFileSync(
      at('anew/predict-progress.json'),
      JSON.stringify({ format: 'oddity-predict-progress-1', plan: 'other' }),
    );
    const found = await predictInto({ run: at('table'), items: [at('few.csv')], out: at('anew'), device: 'cpu' });
    expect([found.resumed, found.scored]).toEqual([0, 10]);
  });
});

describe('images', () => {
  it('are scored in parts, killed and sharded with the bytes of one call that holds them', {
    timeout: LONG,
  }, async () => {
    const held = oddity('predict', 'images', 'new', '--json', '--out', 'held');
    expect(held.code, held.stderr).toBe(6);
    expect(oddity('predict', 'images', 'new', '--out', 'seen').code).toBe(6);
    for (const name of ['predictions.csv', 'regions.csv']) expect(text('seen', name)).toBe(text('held', name));
    expect(text('seen/predictions.csv').split('\n')).toHaveLength(IMAGES + 2);
    expect(text('seen/regions.csv').split('\n').length).toBeGreaterThan(2);
    expect(text('seen/failed.csv').split('\n')[1]).toMatch(/^new\/first-b\/5-broken\.png,/);
    const folders = await sharded('seen', ['predict', 'images', 'new']);
    expect(oddity('merge', ...folders, '--out', 'joined').code).toBe(6);
    for (const name of ['predictions.csv', 'regions.csv', 'failed.csv'])
      expect(text('joined', name)).toBe(text('seen', name));
  });

  it('may be named in a file', async () => {
    writeFileSync(at('list.txt'), 'new/first/10/3.png\n\nnew/first/10/1.png\r\n');
    expect(oddity('predict', 'images', '--list', 'list.txt', '--out', 'listed').code).toBe(0);
    const paths = text('listed/predictions.csv')
      .split('\n')
      .map((line) => line.split(',')[0]);
    expect(paths).toEqual(['path', 'new/first/10/3.png', 'new/first/10/1.png', '']);
    expect(oddity('predict', 'images', '--out', 'listed').stderr).toContain('--list');
  });
});

describe('shards', () => {
  const shard = (name: string, index: number, count: number, items = [at('few.csv'), at('few.csv')]) =>
    predictInto({ run: at('table'), items, out: at(name), shard: { index, count }, device: 'cpu' });

  it('that are missing are named, and those of something else are refused', async () => {
    await shard('one', 1, 3);
    await shard('three', 3, 3);
    await expect(mergeShards([at('one'), at('three')], at('all'))).rejects.toThrow('2/3 is missing');
    await shard('two', 2, 3, [at('few.csv')]);
    await expect(mergeShards([at('one'), at('two'), at('three')], at('all'))).rejects.toEqual(
      withCode('different-shards'),
    );
    expect(existsSync(at('all'))).toBe(false);
  });

  it('that are done are kept, and damage is found', async () => {
    await shard('a', 1, 2);
    await shard('b', 2, 2);
    const again = await shard('b', 2, 2);
    expect([again.resumed, again.scored]).toEqual([2, 10]);
    writeFileSync(at('b/predictions.csv'), text('b/predictions.csv').replace('few.csv:4', 'few.csv:5'));
    await expect(mergeShards([at('a'), at('b')], at('both'))).rejects.toEqual(withCode('shard-damaged'));
    expect(existsSync(at('both/predictions.csv'))).toBe(false);
  });

  it('cannot be had of what needs everything at once', async () => {
    for (const more of [
      ['--fdr', '0.1'],
      ['--format', 'json'],
      ['--maps', 'npy'],
    ]) {
      const { code, stderr } = oddity('predict', 'table', 'few.csv', '--shard', '1/2', '--out', 'x', ...more);
      expect([code, stderr]).toEqual([2, expect.stringContaining(`${more[0]} needs all at once`)]);
    }
  });
});
