/**
 * What the queue on Redis costs besides the work: jobs that do nothing, added and done one after another and all at once, with an
 * append-only file that is synced each second and with each command; and the memory that Redis needs for a job that is done.
 * `npm run bench -- queue [--jobs 500] [--json] [--save]`. Needs redis-server on the PATH.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { openRedisQueue } from '../src/jobs/redis/queue.ts';
import { openRedisWorkers } from '../src/jobs/redis/workers.ts';
import type { startWorker } from '../src/jobs/worker.ts';
import { startRedis } from '../test/helpers/redis.ts';
import { median, option, saveRows } from './measure.ts';

const jobs = Number(option('jobs') || 500);
const folder = await mkdtemp(join(tmpdir(), 'oddity-queue-bench-'));
const rows: Record<string, string | number>[] = [];
const three = (value: number) => Number(value.toPrecision(3));

/** A job that is done at once. */
const nothing: typeof startWorker = () => ({ ended: Promise.resolve({ state: 'done', result: null }), abort() {} });
const options = { data: 'parts', model: 'knn', out: 'runs/one', seed: 1, device: 'cpu', threads: 1 };

for (const sync of ['everysec', 'always']) {
  const redis = await startRedis(join(folder, sync), ['--appendonly', 'yes', '--appendfsync', sync]);
  const client = new Redis(redis.url());
  const done = new Map<string, () => void>();
  const listener = { url: redis.url(), onEvent() {}, onConnection() {} };
  const queue = await openRedisQueue({
    ...{ ...listener, name: 'bench' },
    onJob: ({ id, state }) => void (state === 'done' && done.get(id)?.()),
  });
  const run = async (id: string) => {
    const ended = new Promise<void>((resolve) => done.set(id, resolve));
    await queue.add('train', options, { id });
    await ended;
  };
  const memory = async () => Number(/used_memory:(\d+)/.exec(await client.info('memory'))![1]);
  for (const workers of [1, 4]) {
    const opened = await openRedisWorkers({ ...listener, workers, onJob() {}, start: nothing });
    const tell = (name: string, ms: number, more: Record<string, number> = {}) => {
      const row = { name, appendfsync: sync, workers, msPerJob: three(ms), ...more, load: three(loadavg()[0]) };
      rows.push(row);
      if (option('json') === undefined) console.log(JSON.stringify(row));
    };
    for (let i = 0; i < 20; i++) await run(`warm-${workers}-${i}`);
    const single: number[] = [];
    for (let i = 0; i < 100; i++) {
      const begin = performance.now();
      await run(`single-${workers}-${i}`);
      single.push(performance.now() - begin);
    }
    tell('one after another, from adding it to hearing that it is done', median(single));
    const [before, begin] = [await memory(), performance.now()];
    await Promise.all(Array.from({ length: jobs }, (_, i) => run(`many-${workers}-${i}`)));
    const ms = (performance.now() - begin) / jobs;
    tell(`${jobs} at once`, ms, { bytesPerJob: Math.round(((await memory()) - before) / jobs) });
    await opened.close();
  }
  await queue.close();
  client.disconnect();
  await redis.kill();
}
await rm(folder, { recursive: true, force: true });
if (option('json') !== undefined) console.log(JSON.stringify({ rows }));
await saveRows('queue', rows);
