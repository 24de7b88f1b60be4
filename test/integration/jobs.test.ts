/** Queues of jobs: what each of them must keep, and what one on this machine keeps when it is killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Event } from '../../dist/core/events.js';
import { encodePng } from '../../dist/data/index.js';
import { readRun, train } from '../../dist/index.js';
import type { Job, Queue } from '../../dist/jobs/job.js';
import { openLocalQueue } from '../../dist/jobs/local.js';
import { openDatabase } from '../../dist/studio/store/database.js';
import { jobStore } from '../../dist/studio/store/jobs.js';

const root = mkdtempSync(join(tmpdir(), 'oddity-jobs-'));
const data = join(root, 'parts');
/** Ended with the tests, whatever became of them. */
const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(root, { recursive: true, force: true });
});

beforeAll(() => {
  const picture = (n: number, isAnomalous: boolean) => {
    const pixels = Uint8Array.from({ length: 256 }, (_, i) =>
      isAnomalous && i % 16 < 5 && i < 80 ? 250 : 90 + ((i * 13 + n * 29) % 40),
    );
    return encodePng({ height: 16, width: 16, channels: 1, data: pixels });
  };
  for (const [folder, count, isAnomalous] of [
    ['train/good', 24, false],
    ['test/good', 8, false],
    ['test/spot', 8, true],
  ] as const) {
    mkdirSync(join(data, folder), { recursive: true });
    for (let n = 0; n < count; n++) writeFileSync(join(data, folder, `${n}.png`), picture(n, isAnomalous));
  }
});

/** A queue that is open, with everything that it told. */
interface Opened {
  readonly queue: Queue;
  readonly jobs: Job[];
  readonly events: { readonly id: string; readonly event: Event }[];
  close(): Promise<void>;
}

/** Opens a queue whose jobs lie in a folder; several times for the same one. */
type Open = (folder: string, workers?: number) => Promise<Opened>;

const openLocal: Open = async (folder, workers = 1) => {
  mkdirSync(folder, { recursive: true });
  const database = await openDatabase(join(folder, 'project.sqlite'));
  const [jobs, events]: [Job[], Opened['events'][number][]] = [[], []];
  const queue = openLocalQueue(jobStore(database), {
    ...{ workers, logs: join(folder, 'jobs') },
    onJob: (job) => void jobs.push(job),
    onEvent: (id, event) => void events.push({ id, event }),
  });
  const close = async () => {
    await queue.close();
    database.close();
  };
  return { queue, jobs, events, close };
};

const quick = { data, model: 'pca', size: [16, 16], device: 'cpu', threads: 1, maps: 0 };
/** Takes some seconds, with checkpoints. */
const slow = { ...quick, model: 'autoencoder', config: { width: 4, code: 4, epochs: 800 } };

async function until<T>(
  find: () => T | undefined | false | Promise<T | undefined | false>,
  what: string,
  most = 60_000,
): Promise<T> {
  for (let waited = 0; waited < most; waited += 25) {
    const found = await find();
    if (found) return found;
    await new Promise((go) => setTimeout(go, 25));
  }
  throw new Error(`${what} did not come about`);
}
const inState = (queue: Queue, id: string, state: Job['state']) =>
  until(async () => {
    const job = await queue.find(id);
    return job?.state === state && job;
  }, `state ${state}`);
const isTraining = ({ event }: { event: Event }) => event.type === 'metric' && event.step > 50;
const hashOf = (run: string) =>
  createHash('sha256')
    .update(readFileSync(join(run, 'model.onnx')))
    .digest('hex');

/** What every queue must keep. */
function keepsPromises(name: string, open: Open): void {
  const at = (place: string) => join(root, name, place);

  describe(`${name} queue`, () => {
    it('runs jobs in the order in which they came, and keeps what they gave and said', async () => {
      const folder = at('order');
      const opened = await open(folder);
      const first = await opened.queue.add('train', { ...quick, out: join(folder, 'a') }, { run: 'a' });
      const second = await opened.queue.add('test', { run: join(folder, 'a'), device: 'cpu' }, { run: 'a' });
      expect((await opened.queue.list()).map(({ id }) => id)).toEqual([second.id, first.id]);
      const done = await inState(opened.queue, second.id, 'done');
      const trained = (await opened.queue.find(first.id))!;
      expect(trained).toMatchObject({ state: 'done', kind: 'train', run: 'a', result: { model: 'pca' } });
      // The same bytes score the same items.
      expect(done.result).toMatchObject({ metrics: (trained.result as { metrics: object }).metrics });
      expect(trained.endedAt! <= done.startedAt!).toBe(true);
      const states = opened.jobs.map(({ id, state }) => [id === first.id ? 1 : 2, state]);
      expect(states).toEqual([
        [1, 'waiting'],
        [1, 'running'],
        [2, 'waiting'],
        [1, 'done'],
        [2, 'running'],
        [2, 'done'],
      ]);
      expect(opened.events.some(({ id, event }) => id === first.id && event.type === 'progress')).toBe(true);
      await opened.close();
      const again = await open(folder);
      const log = await again.queue.log(first.id);
      expect(log.map(({ type }) => type)).toContain('progress');
      expect(log.every(({ time }) => !Number.isNaN(Date.parse(time)))).toBe(true);
      expect((await again.queue.list()).map(({ state }) => state)).toEqual(['done', 'done']);
      await again.close();
    });

    it('refuses what cannot be, before anything is kept', async () => {
      const { queue, close } = await open(at('refused'));
      const code = (call: Promise<unknown>) =>
        call.then(
          () => [],
          (error) => [error.code, error.message],
        );
      expect(await code(queue.add('trian', {}))).toEqual([
        'unknown-job-kind',
        'There is no job kind named "trian". Did you mean "train"?',
      ]);
      expect((await code(queue.add('train', { ...quick, out: at('x'), overwrite: true })))[0]).toBe('unknown-option');
      expect(await code(queue.add('train', { ...quick, out: at('x'), seed: -1 }))).toEqual([
        'option-range',
        '`seed` must be an integer of at least 0, got -1.',
      ]);
      expect((await code(queue.resume('none')))[0]).toBe('unknown-job');
      const options = { ...quick, out: at('x') };
      expect((await code(queue.add('train', options, { id: '../x' })))[0]).toBe('job-id');
      expect((await code(queue.add('train', options, { priority: 1001 })))[0]).toBe('job-priority');
      await expect(queue.cancel('none')).rejects.toMatchObject({ code: 'unknown-job' });
      expect(await queue.list()).toEqual([]);
      await close();
    });

    it('takes a repeat for the same job, and larger priorities first', async () => {
      const folder = at('ids');
      const { queue, jobs, close } = await open(folder);
      const add = (id: string, priority?: number) =>
        queue.add('train', { ...quick, out: join(folder, id) }, { id, run: id, ...(priority && { priority }) });
      for (const [id, priority] of [['a'], ['b'], ['c', 5], ['d', -5], ['e', 5]] as const) await add(id, priority);
      await inState(queue, 'd', 'done');
      const begun = jobs.filter(({ state }) => state === 'running').map(({ id }) => id);
      expect(begun).toEqual(['a', 'c', 'e', 'b', 'd']);
      expect(await add('a')).toEqual(await queue.find('a'));
      expect(await add('a')).toMatchObject({ state: 'done', result: { model: 'pca' } });
      expect(await queue.list()).toHaveLength(5);
      await close();
    });

    it('says why a job failed, and goes on with the next', async () => {
      const folder = at('failed');
      const { queue, close } = await open(folder);
      const bad = await queue.add(
        'train',
        { ...quick, data: join(root, 'nowhere'), out: join(folder, 'bad') },
        { run: 'bad' },
      );
      const good = await queue.add('train', { ...quick, out: join(folder, 'good') }, { run: 'good' });
      await inState(queue, good.id, 'done');
      const failed = (await queue.find(bad.id))!;
      expect(failed.state).toBe('failed');
      expect(failed.error?.message).toContain('nowhere');
      await expect(queue.resume(good.id)).rejects.toThrow('must have ended early');
      await close();
    });

    it('cancels a job that waits and one that runs, which goes on to the same bytes', async () => {
      const folder = at('cancelled');
      const { queue, events, close } = await open(folder);
      const [a, b] = await Promise.all(
        ['a', 'b'].map((run) => queue.add('train', { ...slow, out: join(folder, run) }, { run })),
      );
      expect(await queue.cancel(b.id)).toMatchObject({ state: 'cancelled' });
      await until(() => events.some(isTraining), 'training');
      const begin = performance.now();
      expect(await queue.cancel(a.id)).toMatchObject({ state: 'cancelled' });
      expect(performance.now() - begin).toBeLessThan(5000);
      expect((await readRun(join(folder, 'a'))).status).toBe('cancelled');
      await queue.resume(a.id);
      await queue.resume(b.id);
      await inState(queue, b.id, 'done');
      expect((await queue.list()).map(({ state }) => state)).toEqual(['done', 'done']);
      expect(hashOf(join(folder, 'a'))).toBe(hashOf(join(folder, 'b')));
      await close();
    });

    it('goes on by itself after it was closed, with the jobs that waited behind', async () => {
      const folder = at('closed');
      const before = await open(folder);
      const job = await before.queue.add('train', { ...slow, out: join(folder, 'a') }, { run: 'a' });
      const behind = await before.queue.add('report', { run: join(folder, 'a'), pictures: false }, { run: 'a' });
      await until(() => before.events.some(isTraining), 'training');
      await before.close();
      expect(before.jobs.at(-1)).toMatchObject({ id: job.id, state: 'interrupted' });
      const after = await open(folder);
      await inState(after.queue, behind.id, 'done');
      expect((await after.queue.list()).map(({ state }) => state)).toEqual(['done', 'done']);
      const said = (await after.queue.log(job.id)).map((event) => ('message' in event ? event.message : ''));
      expect(said.join('\n')).toContain('goes on from what it left');
      await after.close();
    });
  });
}

keepsPromises('local', openLocal);

/** A program of its own that opens a queue, adds a training and tells what it hears. */
const program = (folder: string, options: object) => `
  import { openLocalQueue } from ${JSON.stringify(new URL('../../dist/jobs/local.js', import.meta.url).href)};
  import { openDatabase } from ${JSON.stringify(new URL('../../dist/studio/store/database.js', import.meta.url).href)};
  import { jobStore } from ${JSON.stringify(new URL('../../dist/studio/store/jobs.js', import.meta.url).href)};
  const database = await openDatabase(${JSON.stringify(join(folder, 'project.sqlite'))});
  const queue = openLocalQueue(jobStore(database), {
    workers: 1,
    logs: ${JSON.stringify(join(folder, 'jobs'))},
    onJob: () => {},
    onEvent: (id, event) => console.log(JSON.stringify(event)),
  });
  queue.add('train', ${JSON.stringify(options)}, { run: 'a' });
`;

/** Numbers of the processes that a process started. */
const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe('a local queue whose processes are killed', () => {
  it('goes on to the same bytes when the program that holds it was killed in the middle of a training', async () => {
    const folder = join(root, 'killed');
    mkdirSync(folder);
    const { out, ...options } = { ...slow, out: join(folder, 'a') };
    const script = join(folder, 'parent.mjs');
    writeFileSync(script, program(folder, { ...options, out }));
    const parent = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(parent);
    let heard = '';
    parent.stdout.on('data', (text) => {
      heard += text;
    });
    await until(() => heard.includes('"name":"fit.loss","step":50,'), 'training');
    const workers = childrenOf(parent.pid!);
    expect(workers).toHaveLength(1);
    parent.kill('SIGKILL');
    await once(parent, 'close');
    // Opened at once: what was cut off may still be ending.
    const after = await openLocal(folder);
    const [job] = await after.queue.list();
    await inState(after.queue, job.id, 'done');
    expect(workers.filter(isAlive)).toEqual([]);
    const said = (await after.queue.log(job.id)).map((event) => ('message' in event ? event.message : ''));
    expect(said.join('\n')).toContain('This job was interrupted when its queue ended.');
    await after.close();
    const { run } = await train({ ...(options as object), out: join(folder, 'b') } as Parameters<typeof train>[0]);
    expect(hashOf(out)).toBe(hashOf(run));
  });

  it('says when the process of a job was killed, goes on with the next, and resumes it when told to', async () => {
    const folder = join(root, 'crashed');
    const { queue, events, close } = await openLocal(folder);
    const job = await queue.add('train', { ...slow, out: join(folder, 'a') }, { run: 'a' });
    const next = await queue.add('train', { ...quick, out: join(folder, 'b') }, { run: 'b' });
    await until(() => events.some(isTraining), 'training');
    for (const pid of childrenOf(process.pid)) {
      if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('worker-main')) process.kill(pid, 'SIGKILL');
    }
    await inState(queue, next.id, 'done');
    const lost = (await queue.find(job.id))!;
    expect(lost).toMatchObject({ state: 'interrupted', error: { code: 'job-lost' } });
    expect(lost.error?.message).toContain('SIGKILL');
    await close();
    // A person decides: it may end so again.
    const again = await openLocal(folder);
    expect((await again.queue.find(job.id))?.state).toBe('interrupted');
    await again.queue.resume(job.id);
    expect((await inState(again.queue, job.id, 'done')).error).toBeUndefined();
    await again.close();
  });
});
