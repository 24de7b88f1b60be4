/** A benchmark from end to end as a user runs it: rows, page, answer, and going on where it stopped. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { dataRoot, findDataset } from '../../dist/data/index.js';

const main = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'dist', 'cli', 'main.js');
const cwd = mkdtempSync(join(tmpdir(), 'oddity-bench-'));
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

const oddity = (...args: string[]) =>
  spawnSync(process.execPath, [main, ...args], { cwd, encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } });

const isHere = await findDataset('arrhythmia')
  .load({ root: dataRoot(), download: false })
  .then(
    () => true,
    () => false,
  );

it.skipIf(!isHere)('arrhythmia: rows, a page, an answer, and nothing done twice', { timeout: 180_000 }, () => {
  const args = ['bench', 'arrhythmia', '--quick', '--models', 'pca,isolation-forest', '--threads', '1'];
  const one = oddity(...args, '--seeds', '1');
  expect(one.status, one.stderr).toBe(0);
  expect(one.stderr).toContain('2 of 4: isolation-forest, arrhythmia');
  expect(one.stdout).toMatch(/^QUICK: /);
  expect(one.stdout).toContain('published:\n');
  const two = oddity(...args, '--seeds', '1,2', '--json');
  expect(two.status, two.stderr).toBe(0);
  expect(two.stderr).not.toContain('2 of 8');
  expect(two.stderr).toContain('3 of 8: pca, arrhythmia');

  // Two splits of the data, each with a table.
  const { out, page, quick, rows, tables } = JSON.parse(two.stdout);
  expect([out, page, quick]).toEqual([
    join('bench', 'results', 'arrhythmia-quick.csv'),
    join('bench', 'results', 'arrhythmia-quick.html'),
    true,
  ]);
  expect(rows).toHaveLength(8);
  expect(rows[0]).toMatchObject({ model: 'pca', protocol: 'arrhythmia', quick: true, parameters: 0 });
  const f1 = rows
    .filter(({ model, protocol }: Record<string, string>) => model === 'pca' && protocol === 'arrhythmia')
    .map((row: Record<string, number>) => row['item.f1']);
  expect(tables[0].protocol).toBe('arrhythmia');
  expect(tables[0].rows[0].metrics['item.f1'].mean).toBeCloseTo((f1[0] + f1[1]) / 2, 12);
  const text = readFileSync(join(cwd, out), 'utf8').trim().split('\n');
  expect(text).toHaveLength(9);
  expect(text[0].split(',').slice(0, 10)).toEqual([
    ...['model', 'data', 'shape', 'protocol', 'class', 'seed', 'contamination', 'trainLimit', 'testLimit', 'quick'],
  ]);
  const html = readFileSync(join(cwd, page), 'utf8');
  expect(html).toContain('QUICK: few epochs');
  expect(html).toContain(`${tables[0].rows[0].metrics['item.f1'].mean.toFixed(3)} ± `);
});

it.skipIf(!isHere)('shards of arrhythmia are the rows of one process, but for times', { timeout: 180_000 }, () => {
  const args = ['bench', 'arrhythmia', '--quick', '--models', 'pca', '--seeds', '1', '--threads', '1'];
  const one = oddity(...args, '--out', 'one.csv', '--state', 'one', '--json');
  expect(one.status, one.stderr).toBe(0);
  for (const shard of ['1', '2']) {
    const { status, stdout, stderr } = oddity(...args, '--shard', `${shard}/2`, '--state', `part-${shard}`, '--json');
    expect(status, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ rows: 1, of: 2 });
  }
  const missing = oddity('merge', 'part-1', '--out', 'merged');
  expect([missing.status, missing.stderr]).toEqual([3, expect.stringContaining('2/2 is missing')]);
  const merged = oddity('merge', 'part-2', 'part-1', '--out', 'merged', '--json');
  expect(merged.status, merged.stderr).toBe(0);
  type Row = Record<string, unknown>;
  const timeless = (text: string) =>
    JSON.parse(text).rows.map(({ fitSeconds: _, totalSeconds: __, command, ...row }: Row) => ({
      ...row,
      command: String(command).replace(/ --json| --out \S+/g, ''),
    }));
  expect(timeless(merged.stdout)).toEqual(timeless(one.stdout));
  // What was put together is a state from which the benchmark goes on: nothing is trained, and the rows are the same bytes.
  const csv = readFileSync(join(cwd, 'merged', 'arrhythmia-quick.csv'), 'utf8');
  const again = oddity(...args, '--state', 'merged', '--out', 'again.csv');
  expect(again.stderr).not.toContain('1 of 2');
  expect(readFileSync(join(cwd, 'again.csv'), 'utf8')).toBe(csv);
});
