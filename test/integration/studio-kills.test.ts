/** `oddity studio` killed with -9 at work: what was answered is there when it is opened again, and what was at work goes on. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readRun } from '../../dist/runs/folder.js';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

interface Running {
  readonly url: string;
  readonly token: string;
  readonly child: ChildProcess;
}
interface Item {
  readonly id: number;
  readonly label: string | null;
}
interface Job {
  readonly id: string;
  readonly state: string;
  readonly run?: string;
  readonly error?: { readonly message: string };
}

let root: string;
let running: Running | undefined;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'oddity-studio-kill-'));
});
afterEach(async () => {
  if (running && running.child.exitCode === null) {
    running.child.kill('SIGKILL');
    await once(running.child, 'close');
  }
  await rm(root, { recursive: true, force: true, maxRetries: 5 });
});

async function open(): Promise<Running> {
  const child = spawn(process.execPath, [main, 'studio', join(root, 'studio'), '--port', '0', '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  for await (const part of child.stdout!) {
    text += part;
    if (text.trimEnd().endsWith('}')) break;
  }
  running = { ...(JSON.parse(text) as { url: string; token: string }), child };
  return running;
}

async function kill({ child }: Running): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'close');
}

async function ask<T>({ url, token }: Running, path: string, body?: unknown): Promise<T> {
  const answer = await fetch(`${url}/api${path}`, {
    ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
  return text === '' ? (undefined as T) : JSON.parse(text);
}

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (let i = 0; i < 600; i++) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((after) => setTimeout(after, 100));
  }
  throw new Error('It did not come.');
}

const jobOf = async (studio: Running, id: string) =>
  (await ask<{ jobs: readonly Job[] }>(studio, '/projects/tiles/jobs')).jobs.find((job) => job.id === id)!;
const ended = (studio: Running, id: string) =>
  until(async () => {
    const job = await jobOf(studio, id);
    return ['done', 'failed', 'cancelled'].includes(job.state) ? job : undefined;
  });

it('keeps labels that were answered, and trains and exports on', { timeout: 240_000 }, async () => {
  let studio = await open();
  await ask(studio, '/projects', { name: 'tiles', sample: 'tiles' });
  const { items } = await ask<{ items: readonly Item[] }>(studio, '/projects/tiles/items?from=0&count=500');
  const normal = items.filter(({ label }) => label === 'normal').slice(0, 3);
  for (const { id } of normal) await ask(studio, '/projects/tiles/edits', { items: [id], set: { label: 'anomalous' } });
  await kill(studio);

  studio = await open();
  const after = await ask<{ items: readonly Item[] }>(studio, '/projects/tiles/items?from=0&count=500');
  for (const { id } of normal) expect(after.items.find((item) => item.id === id)!.label).toBe('anomalous');
  await ask(studio, '/projects/tiles/undo', {});
  const undone = await ask<{ items: readonly Item[] }>(studio, '/projects/tiles/items?from=0&count=500');
  expect(undone.items.filter(({ id, label }) => id === normal[2].id && label === 'normal')).toHaveLength(1);

  // Killed while it trains.
  await ask(studio, '/projects/tiles/versions', {});
  const config = { epochs: 40, width: 4, code: 4 };
  const options = { model: 'autoencoder', config, size: [32, 32], threads: 1, device: 'cpu', seed: 1 };
  const job = await ask<Job>(studio, '/projects/tiles/jobs', { kind: 'train', options, name: 'slow' });
  const folder = join(root, 'studio', 'tiles', 'runs', 'slow');
  await until(async () => (existsSync(join(folder, 'checkpoint.safetensors')) ? true : undefined));
  await kill(studio);
  expect((await readRun(folder)).status).not.toBe('done');

  studio = await open();
  expect(await ended(studio, job.id)).toMatchObject({ state: 'done' });
  expect((await readRun(folder)).status).toBe('done');

  // Killed while it exports: the run stays whole, and the job is done once more.
  const exporting = await ask<Job>(studio, '/projects/tiles/jobs', {
    kind: 'export',
    options: { run: 'slow', verify: true },
  });
  await kill(studio);
  studio = await open();
  expect(await ended(studio, exporting.id)).toMatchObject({ state: 'done' });
});
