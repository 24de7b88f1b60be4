/** `oddity clean`: the odd ones among supposed normals, from files to lists, page and a training without them. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rng } from '../../src/core/random.ts';
import { encodePng } from '../../src/data/index.ts';
import type { CleanResult } from '../../src/runs/clean.ts';
import { problemsOf } from '../helpers/check-html.ts';

const cwd = mkdtempSync(join(tmpdir(), 'oddity-clean-'));
const main = join(import.meta.dirname, '..', '..', 'dist', 'cli', 'main.js');
const oddity = (...args: string[]) => spawnSync(process.execPath, [main, ...args], { cwd, encoding: 'utf8' });
const SIDE = 64;

/** A grey image of a function of row and column in [0, 1]. */
function picture(path: string, value: (y: number, x: number) => number): void {
  const data = Uint8Array.from({ length: SIDE * SIDE }, (_, p) =>
    Math.round(255 * Math.min(1, Math.max(0, value(Math.floor(p / SIDE), p % SIDE)))),
  );
  writeFileSync(join(cwd, path), encodePng({ height: SIDE, width: SIDE, channels: 1, data }));
}

/** Images of twelve kinds, no two alike. */
const kinds: readonly ((y: number, x: number, noise: number) => number)[] = [
  (_, x) => (Math.floor(x / 4) % 2 ? 0.9 : 0.1),
  (y) => (Math.floor(y / 8) % 2 ? 0.7 : 0.2),
  (y, x) => (Math.hypot(y - 32, x - 32) < 20 ? 1 : 0),
  (y, x) => (y + x) / 128,
  (_y, _x, noise) => noise,
  (y, x) => (Math.floor(y / 8 + x / 8) % 2 ? 1 : 0),
  () => 0.5,
  (y, x) => 0.5 + 0.5 * Math.sin(Math.hypot(y, x) / 3),
  (y, x) => (y % 16 < 2 || x % 16 < 2 ? 0 : 0.8),
  (_, x, noise) => (x > 32 ? noise : 1),
  (y, x) => 0.5 + 0.5 * Math.sin(x / 9) * Math.cos(y / 5),
  (y, x) => (Math.abs(y - x) < 6 ? 1 : 0.3),
];

beforeAll(() => {
  for (const folder of ['parts/train/good', 'parts/test/good', 'parts/test/crack', 'mixed'])
    mkdirSync(join(cwd, folder), { recursive: true });
  const rng = new Rng(1);
  const stripes = (path: string) => {
    const [phase] = rng.uniforms(1);
    const noise = rng.normals(SIDE * SIDE, 0, 0.03);
    picture(path, (y, x) => 0.5 + 0.2 * Math.sin(x / 3 + 6 * phase) + noise[y * SIDE + x]);
  };
  for (let i = 0; i < 22; i++) stripes(`parts/train/good/${i}.png`);
  for (let i = 0; i < 4; i++) stripes(`parts/test/good/${i}.png`);
  picture('parts/test/crack/0.png', () => 0);
  picture('parts/train/good/strange-1.png', (y, x) => kinds[2](y, x, 0));
  picture('parts/train/good/strange-2.png', (y, x) => kinds[8](y, x, 0));
  for (const [i, kind] of kinds.entries()) {
    const noise = new Rng(i).uniforms(SIDE * SIDE);
    picture(`mixed/${i}.png`, (y, x) => kind(y, x, noise[y * SIDE + x]));
  }
  const rows = rng.normals(80 * 3, 0, 1);
  const lines = Array.from({ length: 80 }, (_, i) => [...rows.slice(3 * i, 3 * i + 3)].join());
  writeFileSync(join(cwd, 'rows.csv'), `a,b,c\n${lines.join('\n')}\n0.1,40,0.2\n`);
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

describe('oddity clean', () => {
  it('finds strange images among normals, and a training without them is one command', () => {
    const { status, stdout, stderr } = oddity('clean', 'parts', '--out', 'clean', '--size', '64', '--json', '--quiet');
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const result = JSON.parse(stdout) as CleanResult;
    expect(result.counts.items).toBe(24); // those of the test part are not looked at
    expect(
      result.ranked
        .slice(0, 2)
        .map(({ id }) => id.replace(/^.*\//, ''))
        .sort(),
    ).toEqual(['strange-1.png', 'strange-2.png']);
    expect(result.ranked.filter(({ isOdd }) => isOdd).length).toBe(2);
    const page = readFileSync(join(cwd, 'clean', 'clean.html'), 'utf8');
    expect(problemsOf(page)).toEqual([]);
    expect(page).toContain('2 of 24 images stand out');
    expect(existsSync(join(cwd, 'clean', 'maps', 'strange-1-overlay.png'))).toBe(true);
    expect(
      readFileSync(join(cwd, 'clean', 'scores.csv'), 'utf8')
        .trim()
        .split('\n').length,
    ).toBe(25);
    expect(existsSync(join(cwd, 'parts', 'train', 'good', 'strange-1.png'))).toBe(true);

    const train = ['train', 'pca', '--data', 'parts', '--exclude', 'clean/odd.csv', '--size', '64', '--seed', '1'];
    const trained = oddity(...train, '--out', 'run', '--json', '--quiet');
    expect(trained.status).toBe(0);
    const { counts, description } = JSON.parse(trained.stdout);
    expect(counts.train + counts.validation).toBe(22);
    expect(description).toContain('2 items were left out of training.');
    expect(oddity('test', 'run', '--json', '--quiet').status).toBe(0);
  });

  it('ranks an unlabelled folder as MuSc does, and says how well that agrees with labels where there are some', () => {
    const { status, stdout } = oddity('clean', 'parts', '--unlabelled', '--size', '64', '--json', '--quiet');
    expect(status).toBe(0);
    const result = JSON.parse(stdout) as CleanResult;
    expect(result.counts.items).toBe(29);
    expect(result.metrics?.auroc).toBeGreaterThan(0.8);
    for (const { score } of result.ranked) expect(score >= 0 && score <= 1).toBe(true);
  });

  it('finds a row that is far from all others, with its column', () => {
    const { status, stdout } = oddity('clean', 'rows.csv');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^rows\.csv: 81 rows compared with one another in .* 1 of 81 rows stand out above/);
    expect(stdout).toMatch(/leave out +\S+ +b 40/);
    expect(stdout).toContain('Nothing was changed.');
  });

  it.each([
    ['images that have nothing in common', ['mixed', '--size', '64'], 'No core of alike images found in mixed'],
    ['too few', ['parts/test', '--size', '64'], 'has 4 normal images; at least 10 are needed'],
    ['clips', ['moving-squares'], 'has frames, but images or rows are needed'],
  ])('refuses %s in a sentence', (_, args, message) => {
    const { status, stderr } = oddity('clean', ...args, '--quiet');
    expect(status).not.toBe(0);
    expect(stderr).toContain(message);
  });

  it('refuses lists that do not fit in a sentence', () => {
    const train = (list: string) =>
      oddity('train', 'pca', '--data', 'parts', '--size', '64', '--exclude', list, '--out', 'no', '--quiet').stderr;
    writeFileSync(join(cwd, 'other.csv'), 'id\ntrain/good/99.png\n');
    writeFileSync(join(cwd, 'headless.csv'), 'name\ntrain/good/1.png\n');
    expect(train('other.csv')).toContain('1 of 1 items to leave out are not in parts');
    expect(train('headless.csv')).toContain('CSV files with a column "id"');
    expect(train('2014-01-01/2014-01-02')).toContain('CSV files with a column "id"');
    expect(train('missing.csv')).toContain('cannot be read: ENOENT');
  });
});
