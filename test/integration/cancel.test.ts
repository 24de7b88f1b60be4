/** Ctrl-C in every phase of a command: it ends within a second, and what it leaves can be read. The built program. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodePng } from '../../dist/data/index.js';
import { readRun, train } from '../../dist/index.js';

const main = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'dist', 'cli', 'main.js');
const root = mkdtempSync(join(tmpdir(), 'oddity-cancel-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** What a machine that does other things may add to the second: so much as the start of a process takes, and half as much. */
let slackMs = 0;

beforeAll(async () => {
  const begin = performance.now();
  spawnSync(process.execPath, [main, '--version']);
  slackMs = 1.5 * (performance.now() - begin);
  const picture = (n: number, side: number) =>
    encodePng({
      height: side,
      width: side,
      channels: 3,
      data: Uint8Array.from({ length: 3 * side * side }, (_, i) => (i * (7 + n) + n * 31) % 199),
    });
  mkdirSync(join(root, 'many', 'good'), { recursive: true });
  for (let n = 0; n < 3000; n++) writeFileSync(join(root, 'many', 'good', `${n}.png`), picture(n % 50, 64));
  mkdirSync(join(root, 'few', 'good'), { recursive: true });
  for (let n = 0; n < 30; n++) writeFileSync(join(root, 'few', 'good', `${n}.png`), picture(n, 128));
  const task = { data: join(root, 'few'), threads: 1, device: 'cpu', maps: 0 } as const;
  await train({ ...task, model: 'padim', size: [64, 64], out: join(root, 'run') });
}, 120_000);

/** Starts a command, interrupts it after some time, and gives how long it went on and how it ended. */
function interrupted(args: readonly string[], afterMs: number): Promise<{ ms: number; end: unknown; stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [main, ...args], { cwd: root, env: { ...process.env, NO_COLOR: '1' } });
    let [stderr, begin] = ['', 0];
    child.stderr.on('data', (text) => {
      stderr += text;
    });
    child.stdout.resume();
    setTimeout(() => {
      begin = performance.now();
      child.kill('SIGINT');
    }, afterMs);
    child.on('close', (code, signal) =>
      resolve({ ms: begin === 0 ? 0 : performance.now() - begin, end: signal ?? code, stderr }),
    );
  });
}

/** Moments over the first seconds: opening, reading, decoding, training, scoring. */
const moments = [600, 1100, 1900, 3100, 4700];

describe.skipIf(process.platform === 'win32')('Ctrl-C', () => {
  const commands: [string, string[]][] = [
    ['train', ['train', 'patchcore', '--data', 'many', '--size', '64', '--out', 'cut', '--overwrite']],
    ['inspect', ['inspect', 'many']],
    ['predict', ['predict', 'run', 'many', '--out', 'found', '--maps', 'npy']],
    ['export --verify', ['export', 'run', '--verify', '--items', '500', '--out', 'exported']],
  ];
  it.each(commands)('%s', { timeout: 120_000 }, async (_, args) => {
    for (const moment of moments) {
      const { ms, end, stderr } = await interrupted(args, moment);
      if (ms === 0) break; // it was quicker
      expect([130, 'SIGINT', 0], stderr).toContain(end);
      expect(ms, `after ${moment} ms: ${stderr}`).toBeLessThan(1000 + slackMs);
    }
    if (existsSync(join(root, 'cut', 'run.json'))) expect((await readRun(join(root, 'cut'))).status).not.toBe('failed');
  });
});
