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
