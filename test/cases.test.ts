/**
 * Small inputs on which oddity was once wrong, each in a file or folder of its own below ODDITY_CASES. They do not belong to the
 * project; without that folder the tests are skipped.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readTorch } from '../dist/data/formats/torch.js';

const main = join(dirname(fileURLToPath(import.meta.url)), '..', 'dist', 'cli', 'main.js');
const cases = process.env.ODDITY_CASES ?? '';
const hasCase = (name: string) => cases !== '' && existsSync(join(cases, name));
if (cases === '') console.log('ODDITY_CASES names no folder: the cases are skipped.');

let cwd: string;
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'oddity-cases-'));
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

/** Tells the largest memory of a process, and the time that it computed, at its end. */
const told = `process.on('exit',()=>{const{maxRSS,userCPUTime,systemCPUTime}=process.resourceUsage();
process.stderr.write('\\n#'+maxRSS+' '+(userCPUTime+systemCPUTime))})`;

/** What one command line said, how long it computed in seconds and how much memory it took in MiB. */
function oddity(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(told)}`, main, ...args],
    { cwd, env: { ...process.env, NO_COLOR: '1' }, encoding: 'utf8' },
  );
  const [text, figures = ''] = stderr.split('\n#');
  const [memory, microseconds] = figures.split(' ').map(Number);
  return {
    code: status,
    stdout,
    stderr: text,
    seconds: microseconds / 1e6,
    mebibytes: memory / 1024,
  };
}

/** Words of the language, which say nothing to a user. */
const foreign =
  /undefined|RangeError|TypeError|Cannot read|Invalid (array|typed)|is not a function|bug in oddity|internal:/;

function expectSentence({ code, stderr }: { code: number | null; stderr: string }): void {
  expect(code, stderr).toBe(3);
  expect(stderr).toMatch(/^error: .*\.\n/m);
  expect(stderr).not.toMatch(foreign);
}

const train = (data: string) => oddity('train', 'knn', '--data', data, '--threads', '1', '--quiet', '--out', 'run');

describe('bombs', () => {
  it.skipIf(!hasCase('nested-npz-bomb'))('nested-npz-bomb is refused within a second under 300 MiB', () => {
    const startSeconds = train(join(cases, 'none.npz')).seconds;
    const found = train(join(cases, 'nested-npz-bomb', 'nest.npz'));
    expectSentence(found);
    expect(found.seconds - startSeconds).toBeLessThan(1);
    expect(found.mebibytes).toBeLessThan(300);
  });
});

describe('damaged files', () => {
  it.skipIf(!hasCase('npz-crc'))('npz-crc is refused as damaged', () => {
    const found = train(join(cases, 'npz-crc', 'flipped.npz'));
    expectSentence(found);
    expect(found.stderr).toContain('damaged');
  });

  it.skipIf(!hasCase('pth-crc'))('pth-crc is refused as damaged', () => {
    const bytes = new Uint8Array(readFileSync(join(cases, 'pth-crc', 'flipped.pth')));
    expect(() => readTorch(bytes, 'flipped.pth')).toThrow(
      expect.objectContaining({ code: 'checkpoint-corrupt', message: expect.stringContaining('damaged') }),
    );
  });

  const ugly = cases === '' ? [] : readdirSync(cases).filter((name) => name.startsWith('ugly-'));
  it.each(ugly)('%s ends in a sentence', (name) => {
    expectSentence(train(join(cases, name)));
  });
});

/** Trains on a file of a case and gives what the rows of another one are taken for, in the order of its lines. */
function decisions(model: string, folder: string, data: string, rows = 'new.csv') {
  const out = join(cwd, `${folder}-${data}`);
  const trained = oddity(
    'train',
    model,
    '--data',
    join(cases, folder, data),
    '--threads',
    '1',
    '--quiet',
    '--out',
    out,
  );
  expect(trained.code, trained.stderr).toBe(0);
  const scored = oddity('predict', out, join(cases, folder, rows), '--json');
  expect(scored.code, scored.stderr).toBe(0);
  const { predictions } = JSON.parse(scored.stdout) as { predictions: { decision: string }[] };
  return { said: trained.stderr, decisions: predictions.map(({ decision }) => decision) };
}

describe('tables', () => {
  it.skipIf(!hasCase('01-pca-low-dim-table'))('01: 900 is anomalous to pca on one column', () => {
    expect(decisions('pca', '01-pca-low-dim-table', 'one.csv').decisions).toEqual(['normal', 'anomalous']);
  });

  it.skipIf(!hasCase('02-stray-token-makes-column-text'))('02: a stray sign makes no texts of numbers', () => {
    for (const data of ['clean.csv', 'train.csv']) {
      const found = decisions('isolation-forest', '02-stray-token-makes-column-text', data);
      expect(found.decisions).toEqual(['normal', 'anomalous']);
    }
  });

  it.skipIf(!hasCase('03-decimal-comma'))('03: decimal commas are numbers', () => {
    const found = decisions('knn', '03-decimal-comma', 'de.csv');
    expect(found.decisions).toEqual(['normal', 'anomalous']);
    expect(found.said).toContain('decimal comma');
  });

  it.skipIf(!hasCase('04-label-column-not-recognised'))('04: Class of 0 and rare 1 is the labels', () => {
    expect(train(join(cases, '04-label-column-not-recognised', 'cards.csv')).stderr).toContain(
      'takes Class for the labels',
    );
  });

  it.skipIf(!hasCase('06-date-column-becomes-categories'))('06: dates are left out', () => {
    const found = decisions('isolation-forest', '06-date-column-becomes-categories', 'sensor.csv');
    expect(found.said).toContain('left out: when (it holds times');
    expect(found.decisions).toEqual(['normal', 'anomalous']);
  });

  it.skipIf(!hasCase('07-unnamed-and-trailing-columns'))('07: columns without names, and sep=', () => {
    const folder = join(cases, '07-unnamed-and-trailing-columns');
    for (const [name, columns] of [
      ['pandas.csv', ['column 1: left out']],
      ['uci.csv', ['column 3: left out', 'column 4: left out']],
      ['excel.csv', []],
    ] as const) {
      const found = oddity('inspect', join(folder, name), '--json');
      expect(found.code, found.stderr).toBe(0);
      const facts: { name: string; kind: string }[] = JSON.parse(found.stdout).columns;
      const left = facts.filter(({ kind }) => kind === 'ignore').map((c) => `${c.name}: left out`);
      expect([left, facts.filter(({ kind }) => kind === 'numeric').length]).toEqual([columns, 2]);
    }
  });

  it.skipIf(!hasCase('09-inspect-on-a-table'))('09: inspect shows the columns of a table', () => {
    const { code, stdout } = oddity('inspect', join(cases, '09-inspect-on-a-table', 't.csv'));
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^temp +numeric +numbers/m)]);
  });

  it.skipIf(!hasCase('10-unlabelled-table-report'))('10: nothing is called false where nothing is labelled', () => {
    const data = join(cases, '10-unlabelled-table-report', 't.csv');
    const out = join(cwd, 'unlabelled');
    oddity('train', 'isolation-forest', '--data', data, '--threads', '1', '--quiet', '--out', out);
    const page = readFileSync(join(out, 'report.html'), 'utf8').replace(/<[^>]*>/g, ' ');
    expect(page).not.toMatch(/\d+ false alarms|No normal images/);
    expect(page).toContain('Most anomalous rows');
  });
});

describe('images', () => {
  it.skipIf(!hasCase('11-mask-beside-image'))('11: masks beside images are paired', () => {
    const { stdout } = oddity('inspect', join(cases, '11-mask-beside-image', 'parts'), '--json');
    const found = JSON.parse(stdout) as { counts: Record<string, Record<string, number>>; masks: number };
    const images = Object.values(found.counts).flatMap((part) => Object.values(part));
    expect([images.reduce((a, b) => a + b), found.masks]).toEqual([30, 5]);
  });

  it.skipIf(!hasCase('12-16-bit-narrow-range'))('12: ten bits of sixteen are seen as eight bits are', () => {
    const auroc = ['deep', 'eight'].map((name) => {
      const data = join(cases, '12-16-bit-narrow-range', name);
      const size = ['--size', '64', '--threads', '1', '--quiet', '--json'];
      const { stdout, stderr } = oddity('train', 'patchcore', '--data', data, ...size, '--out', join(cwd, name));
      return JSON.parse(stdout === '' ? stderr : stdout).metrics.item.auroc;
    });
    expect(auroc[0]).toBeCloseTo(auroc[1], 2);
  });

  it.skipIf(!hasCase('14-tiff-stack-first-page-only'))('14: every page of a stack is an image', () => {
    const folder = join(cases, '14-tiff-stack-first-page-only');
    const out = join(cwd, 'stack');
    const size = ['--size', '32', '--threads', '1', '--quiet'];
    oddity('train', 'mean-image', '--data', join(folder, 'parts'), ...size, '--out', out);
    const { predictions } = JSON.parse(oddity('predict', out, join(folder, 'q'), '--json').stdout) as {
      predictions: { path: string; decision: string }[];
    };
    const second = predictions.find(({ path }) => path.endsWith('two-pages.tif:2'));
    expect(second?.decision).toBe('anomalous');
  });

  it.skipIf(!hasCase('15-good-beside-test'))('15: good beside test trains', () => {
    const { stdout } = oddity('inspect', join(cases, '15-good-beside-test', 'parts'), '--json');
    const { counts, masks } = JSON.parse(stdout) as { counts: Record<string, Record<string, number>>; masks: number };
    expect([Object.keys(counts).sort(), masks]).toEqual([['test', 'train'], 5]);
  });
});
