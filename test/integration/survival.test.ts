/** Runs that survive: locks, killed processes, folders that cannot be written to. The built program in real processes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { test as testRun, train as trainRun } from '../../dist/index.js';
import { makeFolder } from '../../dist/runs/files.js';
import { isLocked, lockFolder } from '../../dist/runs/lock.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const main = join(root, 'dist', 'cli', 'main.js');

let cwd: string;
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'oddity-survival-'));
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

interface Started {
  child: ChildProcess;
  end: Promise<{ code: number | null; stdout: string; stderr: string }>;
}

function start(...args: string[]): Started {
  const child = spawn(process.execPath, [main, ...args], { cwd, env: { ...process.env, NO_COLOR: '1' } });
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].on('data', (text) => {
      texts[name] += text;
    });
  }
  return { child, end: new Promise((resolve) => child.on('close', (code) => resolve({ code, ...texts }))) };
}

const train = (out: string) => ['train', 'autoencoder', '--data', 'synthetic', '--class', 'texture', '--out', out];
const file = (...parts: string[]) => readFileSync(join(cwd, ...parts));
const json = (...parts: string[]) => JSON.parse(file(...parts).toString());

describe('a killed run', () => {
  const config = { width: 4, code: 4, epochs: 120 };
  const flags = Object.entries(config).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
  const options = { model: 'autoencoder' as const, data: 'synthetic', class: 'texture', config, threads: 1, maps: 0 };

  it('is locked while it runs, is not read as whole when killed, and goes on to the same bytes', async () => {
    const cut = join(cwd, 'cut');
    const { child, end } = start(...train('cut'), ...flags, '--threads', '1', '--maps', '0');
    while (child.exitCode === null && !existsSync(join(cut, 'checkpoint.safetensors')))
      await new Promise((resolve) => setTimeout(resolve, 10));
    await expect(trainRun({ ...options, out: cut, resume: true })).rejects.toThrow(
      `${cut} can be written by one process at a time; process ${child.pid} has been writing to it since`,
    );
    const unfinished = `${cut} must be a finished run, but`;
    await expect(testRun({ run: cut })).rejects.toThrow(`${unfinished} it is still running. Wait until it ends.`);
    child.kill('SIGKILL');
    await end;
    expect(json('cut', 'run.json').status).toBe('running');
    expect(existsSync(join(cut, 'metrics.json'))).toBe(false);
    await expect(testRun({ run: cut })).rejects.toThrow(
      `${unfinished} its process was killed. Resume it: repeat \`train()\` with`,
    );
    appendFileSync(join(cut, 'events.jsonl'), '{"half a li');

    const resumed = await trainRun({ ...options, out: cut, resume: true });
    const { metrics, threshold, history } = await trainRun({ ...options, out: join(cwd, 'whole') });
    expect(resumed).toMatchObject({ metrics, threshold, history });
    for (const name of ['model.onnx', 'model.json', 'predictions.csv', 'checkpoint.safetensors'])
      expect(file('cut', name).equals(file('whole', name)), name).toBe(true);
    const lines = file('cut', 'events.jsonl').toString().trim().split('\n');
    const states = lines.map((line) => JSON.parse(line)).filter((event) => event.type === 'status');
    expect(states.map((event) => event.status)).toEqual(['running', 'running', 'done']);
    expect(existsSync(join(cut, 'lock.json'))).toBe(false);
  });
});

describe('a lock', () => {
  const lockOf = (name: string, change: object) => {
    const folder = join(cwd, name);
    mkdirSync(folder);
    const holder = { pid: process.pid, host: hostname(), processStart: null, lockedAt: 'noon', token: 'other' };
    writeFileSync(join(folder, 'lock.json'), JSON.stringify({ ...holder, ...change }));
    return folder;
  };
  const locked = expect.objectContaining({ code: 'run-locked' });

  it('is held once, also inside one process', async () => {
    const folder = join(cwd, 'once');
    mkdirSync(folder);
    const lock = await lockFolder(folder);
    await expect(lockFolder(folder)).rejects.toThrow(locked);
    expect(await isLocked(folder)).toBe(true);
    await lock.release();
    expect(await isLocked(folder)).toBe(false);
  });

  it('of a living process or another host counts', async () => {
    await expect(lockFolder(lockOf('living', {}))).rejects.toThrow(locked);
    const away = lockOf('away', { host: 'elsewhere' });
    await expect(lockFolder(away)).rejects.toThrow(`on elsewhere has been writing to it since noon.`);
    await expect(lockFolder(away)).rejects.toThrow(`delete ${join(away, 'lock.json')}`);
  });

  it.each([
    ['of a dead process', { pid: 2 ** 22 + 1 }],
    ['of a process whose number is used again', { processStart: '1' }],
    ['that was left half written', { token: undefined }],
  ])('%s is taken over, and who lost it notices', async (name, change) => {
    // Starts of processes can be read on Linux only.
    if ('processStart' in change && process.platform !== 'linux') return;
    const folder = lockOf(name, change);
    const lock = await lockFolder(folder);
    lock.check();
    writeFileSync(
      join(folder, 'lock.json'),
      JSON.stringify({ pid: 1, host: 'elsewhere', token: 'x', lockedAt: 'now' }),
    );
    expect(() => lock.check()).toThrow(locked);
    await lock.release();
    expect(existsSync(join(folder, 'lock.json'))).toBe(true);
  });
});

describe('a folder that cannot be made', () => {
  it.skipIf(process.platform !== 'linux')('is refused at once under /proc', async () => {
    await expect(makeFolder('/proc/oddity/run')).rejects.toThrow(expect.objectContaining({ code: 'unwritable' }));
    const { child, end } = start(...train('/proc/oddity'));
    const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
    const { code, stderr } = await end;
    clearTimeout(timer);
    expect(code).toBe(3);
    expect(stderr).toBe('error: /proc/oddity cannot be written (ENOENT). Choose another folder with --out.\n');
  });

  it('below a file is refused, and what was made on the way is taken back', async () => {
    writeFileSync(join(cwd, 'a-file'), '');
    await expect(makeFolder(join(cwd, 'a-file', 'x', 'y'))).rejects.toThrow('cannot be written (ENOTDIR)');
    const takeBack = await makeFolder(join(cwd, 'deep', 'er', 'run'));
    expect(existsSync(join(cwd, 'deep', 'er', 'run'))).toBe(true);
    await takeBack();
    expect(existsSync(join(cwd, 'deep'))).toBe(false);
  });
});
