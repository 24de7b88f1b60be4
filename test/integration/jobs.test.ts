/** Queues of jobs: what each of them must keep, and what it keeps when its processes are killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Event } from '../../dist/core/events.js';
import { encodePng } from '../../dist/data/index.js';
import { readRun, train } from '../../dist/index.js';
import type { Job, Queue } from '../../dist/jobs/job.js';
import { openLocalQueue } from '../../dist/jobs/local.js';
import { openRedisQueue } from '../../dist/jobs/redis/queue.js';
import { openRedisWorkers } from '../../dist/jobs/redis/workers.js';
import { openDatabase } from '../../dist/studio/store/database.js';
import { jobStore } from '../../dist/studio/store/jobs.js';
import { startRedis, type TestRedis } from '../helpers/redis.ts';

// Jobs run behind everything else on the machine.
vi.setConfig({ testTimeout: 180_000 });

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

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis(join(root, 'redis'));
});
afterAll(() => redis.kill());

/** Each folder has a database of its own, since workers take jobs of all queues. */
const databases: string[] = [];
const databaseOf = (folder: string) => {
  if (!databases.includes(folder)) databases.push(folder);
  return redis.url(databases.indexOf(folder));
};

const openRedis: Open = async (folder, workers = 1) => {
  const url = databaseOf(folder);
  const [jobs, events]: [Job[], Opened['events'][number][]] = [[], []];
  const silence = { onJob: () => {}, onEvent: () => {}, onConnection: () => {} };
  const queue = await openRedisQueue({
    ...{ ...silence, url, name: 'tests' },
    onJob: (job) => void jobs.push(job),
    onEvent: (id, event) => void events.push({ id, event }),
  });
  const working = await openRedisWorkers({ ...silence, url, workers, patience: 5000 });
  const close = async () => {
    await working.close();
    await queue.close();
  };
  return { queue, jobs, events, close };
};

const quick = { data, model: 'pca', size: [16, 16], device: 'cpu', threads: 1, maps: 0 };
/** Takes some seconds, with checkpoints. */
const slow = { ...quick, model: 'autoencoder', config: { width: 4, code: 4, epochs: 800 } };

async function until<T>(
  find: () => T | undefined | false | Promise<T | undefined | false>,
  what: string,
  most = 170_000,
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
      for (const job of [first, second]) {
        const states = opened.jobs.filter(({ id }) => id === job.id).map(({ state }) => state);
        expect(states).toEqual(['waiting', 'running', 'done']);
      }
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
      for (const [id, priority] of [['a'], ['b', -5], ['c', 5]] as const) await add(id, priority);
      await inState(queue, 'b', 'done');
      const begun = jobs.filter(({ state }) => state === 'running').map(({ id }) => id);
      expect(begun).toEqual(['a', 'c', 'b']);
      expect(await add('a')).toEqual(await queue.find('a'));
      expect(await add('a')).toMatchObject({ state: 'done', result: { model: 'pca' } });
      expect(await queue.list()).toHaveLength(3);
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
keepsPromises('redis', openRedis);

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

/** What a connection said. */
const codes = (events: readonly Event[]) => events.map((event) => ('code' in event ? event.code : event.type));
const openers = {
  queue: (url: string, events: Event[] = []) =>
    openRedisQueue({ url, name: 'tests', onJob() {}, onEvent() {}, onConnection: (event) => void events.push(event) }),
  workers: (url: string, events: Event[] = []) =>
    openRedisWorkers({
      ...{ url, workers: 1, patience: 2000 },
      ...{ onJob() {}, onEvent() {}, onConnection: (event) => void events.push(event) },
    }),
};

describe('a Redis that cannot be used as it is', () => {
  it('is named when it does not answer, is no address, or refuses the password, which nobody is shown', async () => {
    await expect(openers.queue('redis://:geheim@127.0.0.1:1')).rejects.toMatchObject({
      code: 'queue-unreachable',
      message:
        'redis://127.0.0.1:1 does not answer as Redis does (ECONNREFUSED). Start Redis there, or correct the address.',
    });
    for (const url of ['geheim', 'http://127.0.0.1:1', 'redis://127.0.0.1/geheim']) {
      const error = await openers.queue(url).catch((error) => error);
      expect(error.code, url).toBe('queue-address');
      expect(error.message).not.toContain('geheim');
    }
    const locked = await startRedis(join(root, 'locked'), ['--requirepass', 'geheim']);
    try {
      await expect(openers.queue(locked.url())).rejects.toMatchObject({ code: 'queue-password' });
      const wrong = `redis://:falsch@127.0.0.1:${locked.port}`;
      await expect(openers.queue(wrong)).rejects.toMatchObject({ code: 'queue-password' });
      const events: Event[] = [];
      await (await openers.queue(`redis://:geheim@127.0.0.1:${locked.port}`, events)).close();
      expect(codes(events)).toEqual(['redis-aof']);
    } finally {
      await locked.kill();
    }
  });

  it('is refused when it may drop keys, or is too old', async () => {
    const dropping = await startRedis(join(root, 'dropping'), ['--maxmemory-policy', 'allkeys-lru']);
    try {
      await expect(openers.workers(dropping.url())).rejects.toMatchObject({
        code: 'redis-eviction',
        message: expect.stringContaining('redis-cli CONFIG SET maxmemory-policy noeviction'),
      });
    } finally {
      await dropping.kill();
    }
    // The real one, which passes for an older one.
    const proxy = createServer((client) => {
      const server = connect(redis.port, '127.0.0.1');
      client.pipe(server);
      server.on('data', (bytes) =>
        client.write(bytes.toString('latin1').replace(/redis_version:\d/, 'redis_version:5'), 'latin1'),
      );
      for (const [one, other] of [
        [client, server],
        [server, client],
      ] as const)
        one.on('error', () => {}).on('close', () => other.destroy());
    }).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    try {
      const url = `redis://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
      await expect(openers.queue(url)).rejects.toMatchObject({
        code: 'redis-version',
        message: expect.stringMatching(/^The queue needs Redis 6\.2 or newer, or Valkey, and redis:.* is Redis 5\./),
      });
    } finally {
      proxy.close();
    }
  });

  it('loses nothing when it is killed in the middle, which is said, and started again', async () => {
    const folder = join(root, 'restarted');
    const own = await startRedis(join(folder, 'redis'));
    const [told, events]: [Job[], Event[]] = [[], []];
    const queue = await openRedisQueue({
      ...{ url: own.url(), name: 'tests', onEvent() {} },
      onJob: (job) => void told.push(job),
      onConnection: (event) => void events.push(event),
    });
    const workers = await openers.workers(own.url());
    try {
      const add = (id: string, options: object) => queue.add('train', { ...options, out: join(folder, id) }, { id });
      await add('a', slow);
      await add('b', quick);
      await inState(queue, 'a', 'running');
      await until(async () => (await queue.log('a')).some((event) => isTraining({ event })), 'training');
      await own.kill();
      await until(() => codes(events).includes('queue-lost'), 'word of the loss', 1000);
      const late = add('c', quick);
      await own.start();
      expect((await late).state).toBe('waiting');
      await inState(queue, 'c', 'done');
      expect(codes(events)).toEqual(['queue-lost', 'log']);
      expect((await queue.list()).map(({ id, state }) => [id, state])).toEqual([
        ['c', 'done'],
        ['b', 'done'],
        ['a', 'done'],
      ]);
      expect(told.filter(({ state }) => state === 'done').map(({ id }) => id)).toEqual(['a', 'b', 'c']);
    } finally {
      await workers.close();
      await queue.close();
      await own.kill();
    }
  });
});

describe('workers on Redis', () => {
  it('leave a job of other software to others, saying which both are, and one that ends its workers to a person', async () => {
    const folder = join(root, 'software');
    const url = databaseOf(folder);
    const queue = await openers.queue(url);
    await queue.add('train', { ...quick, out: join(folder, 'a') }, { id: 'a' });
    // As another version would have added it.
    const client = new Redis(url);
    const data = JSON.parse((await client.hget('oddity:jobs:a', 'data'))!);
    // One whose workers ended too often before it did, as the queue notes that.
    await queue.add('train', { ...quick, out: join(folder, 'lost') }, { id: 'lost' });
    await client.hset('oddity:jobs:lost', 'defa', 'job stalled more than allowable limit');
    const altered = { ...data, software: { ...data.software, oddity: '9.9.9' } };
    await client.hset('oddity:jobs:a', 'data', JSON.stringify(altered));
    const events: Event[] = [];
    const workers = await openers.workers(url, events);
    try {
      await until(() => codes(events).includes('other-software'), 'word of it');
      const said = events.map((event) => ('message' in event ? event.message : '')).join();
      expect(said).toMatch(
        /made by oddity 9\.9\.9 \(weights \w{8}\), and this worker is oddity \d+\.\d+\.\d+ \(weights \w{8}\)/,
      );
      const good = await queue.add('train', { ...quick, out: join(folder, 'b') });
      await inState(queue, good.id, 'done');
      expect(await queue.find('a')).toMatchObject({ state: 'waiting' });
      expect((await queue.find('a'))!.startedAt).toBeUndefined();
      expect(await queue.find('lost')).toMatchObject({ state: 'interrupted', error: { code: 'job-lost' } });
      await queue.resume('lost');
      await inState(queue, 'lost', 'done');
    } finally {
      await workers.close();
      await queue.close();
      client.disconnect();
    }
  });
});

describe('programs that work on Redis', () => {
  it('do a job whose process was killed, whose worker was killed, and which was handed back, to the same bytes', async () => {
    const folder = join(root, 'programs');
    mkdirSync(folder);
    const url = databaseOf(folder);
    const queue = await openers.queue(url);
    const start = () => {
      const command = ['dist/cli/main.js', 'worker', '--json', '--patience', '2', '--threads', '1'];
      // The address is not in the list of processes.
      const env = { ...process.env, ODDITY_QUEUE: url };
      const child = spawn(process.execPath, command, { env, stdio: ['ignore', 'pipe', 'inherit'] });
      children.push(child);
      return child;
    };
    const lines = async () => (await queue.log('a')).filter((event) => isTraining({ event })).length;
    const training = async (more: number) => until(async () => (await lines()) > more, 'training');
    const long = { ...slow, config: { ...slow.config, epochs: 1500 }, out: join(folder, 'a') };
    await queue.add('train', long, { id: 'a' });
    const first = start();
    await training(0);
    for (const pid of childrenOf(first.pid!)) process.kill(pid, 'SIGKILL');
    await inState(queue, 'a', 'waiting');
    await training(await lines());
    const [orphan] = childrenOf(first.pid!);
    first.kill('SIGKILL');
    const second = start();
    await training(await lines());
    expect(isAlive(orphan)).toBe(false);
    second.kill('SIGTERM');
    let answer = '';
    second.stdout.on('data', (text) => {
      answer += text;
    });
    expect((await once(second, 'close'))[0]).toBe(0);
    expect(JSON.parse(answer)).toEqual({ done: 0, failed: 0, cancelled: 0, interrupted: 1 });
    expect(await queue.find('a')).toMatchObject({ state: 'waiting', startedAt: expect.any(String) });
    const third = start();
    await inState(queue, 'a', 'done');
    third.kill('SIGINT');
    await once(third, 'close');
    await queue.close();
    const { run } = await train({ ...(long as object), out: join(folder, 'b') } as Parameters<typeof train>[0]);
    expect(hashOf(join(folder, 'a'))).toBe(hashOf(run));
  });

  it('say what is missing: an address, or the packages', async () => {
    const run = async (args: readonly string[], more: Record<string, string> = {}) => {
      const env = { ...process.env, ODDITY_QUEUE: '', ...more };
      const child = spawn(process.execPath, ['dist/cli/main.js', ...args], {
        env,
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let text = '';
      child.stderr.on('data', (part) => {
        text += part;
      });
      return [(await once(child, 'close'))[0], text];
    };
    expect(await run(['worker'])).toEqual([2, expect.stringContaining('needs --queue, or ODDITY_QUEUE')]);
    const hooks = `export const resolve = (name, context, next) => {
      if (name === 'bullmq') throw new Error('not installed');
      return next(name, context);
    };`;
    const without = `import { register } from 'node:module'; register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(hooks)}`)});`;
    const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(without)}`;
    const [code, text] = await run(['worker', '--queue', redis.url()], { NODE_OPTIONS });
    expect(text).toContain('npm install bullmq ioredis@5');
    expect(code).not.toBe(0);
  });
});

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
