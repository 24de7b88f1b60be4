/**
 * Trainings over several workers on Redis, which are killed at random while Redis itself is killed and started again once: each is done
 * once, and gives what it gives alone. A dozen here, 500 with ODDITY_SOAK=1.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { Rng } from '../../dist/core/random.js';
import { train } from '../../dist/index.js';
import type { Job } from '../../dist/jobs/job.js';
import { openRedisQueue } from '../../dist/jobs/redis/queue.js';
import { headlineMetrics, readMetric } from '../../dist/metrics/index.js';
import { startRedis, type TestRedis } from '../helpers/redis.ts';
import { writeRows } from '../helpers/studio.ts';

const isLong = process.env.ODDITY_SOAK === '1';
const size = isLong
  ? { trainings: 500, workers: 4, kills: 30, pause: [3000, 9000], patience: '5', minutes: 60 }
  : { trainings: 12, workers: 2, kills: 3, pause: [1000, 2500], patience: '2', minutes: 5 };

const root = mkdtempSync(join(tmpdir(), 'oddity-queue-soak-'));
const workers: ChildProcess[] = [];
let redis: TestRedis | undefined;
afterAll(async () => {
  for (const worker of workers) worker.kill('SIGKILL');
  await redis?.kill();
  rmSync(root, { recursive: true, force: true });
});

const wait = (ms: number) => new Promise((go) => setTimeout(go, ms));
const hashOf = (bytes: string | Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const modelOf = (run: string) => hashOf(readFileSync(join(run, 'model.onnx')));

const startWorker = (url: string) => {
  const command = ['dist/cli/main.js', 'worker', '--quiet', '--threads', '1', '--patience', size.patience];
  const env = { ...process.env, ODDITY_QUEUE: url };
  return spawn(process.execPath, command, { env, stdio: ['ignore', 'ignore', 'inherit'] });
};

/** Whether a worker has begun the process of a job. */
const hasJob = ({ pid }: ChildProcess) => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim() !== '';

it('does each training once, whatever is killed', { timeout: size.minutes * 60_000 }, async () => {
  const rng = new Rng(isLong ? 1 : 2);
  const data = writeRows(join(root, 'rows.csv'), { normal: 50, anomalous: 10 });
  const options = Array.from({ length: size.trainings }, (_, seed) => ({
    ...{
      data,
      model: seed % 2 ? ('knn' as const) : ('pca' as const),
      seed,
      device: 'cpu' as const,
      threads: 1,
      folds: 0,
    },
  }));
  redis = await startRedis(join(root, 'redis'));
  const told: Job[] = [];
  const said: string[] = [];
  const queue = await openRedisQueue({
    ...{ url: redis.url(), name: 'soak', onEvent() {} },
    onJob: (job) => void told.push(job),
    onConnection: (event) => void said.push('code' in event ? event.code : event.type),
  });
  mkdirSync(join(root, 'runs'));
  const begin = performance.now();
  const ids = await Promise.all(
    options.map(async (one) => {
      const id = hashOf(JSON.stringify(one));
      return (await queue.add('train', { ...one, out: join(root, 'runs', id) }, { id })).id;
    }),
  );
  const added = performance.now() - begin;
  for (let i = 0; i < size.workers; i++) workers.push(startWorker(redis.url()));

  const doneOnes = () => told.filter(({ state }) => state === 'done').length;
  let [kills, hasRestarted] = [0, false];
  const [least, most] = size.pause;
  while (doneOnes() < size.trainings) {
    const [share, which] = rng.uniforms(2);
    await wait(least + share * (most - least));
    if (kills < size.kills) {
      const victim = Math.floor(which * size.workers);
      // At work, not while it loads.
      while (doneOnes() < size.trainings && !hasJob(workers[victim])) await wait(20);
      await wait(which * 400);
      workers[victim].kill('SIGKILL');
      workers[victim] = startWorker(redis.url());
      kills++;
    }
    if (!hasRestarted && doneOnes() >= size.trainings / 3) {
      hasRestarted = true;
      await redis.kill();
      await redis.start();
    }
  }
  const seconds = (performance.now() - begin) / 1000;

  const jobs = await queue.list();
  expect(
    jobs
      .map(({ id }) => id)
      .reverse()
      .sort(),
  ).toEqual([...ids].sort());
  expect(jobs.filter(({ state }) => state !== 'done')).toEqual([]);
  // Each was told once, also to one who listened all the time.
  expect(
    told
      .filter(({ state }) => state === 'done')
      .map(({ id }) => id)
      .sort(),
  ).toEqual([...ids].sort());
  expect(hasRestarted).toBe(true);
  expect(said).toContain('queue-lost');
  const beginsAgain = told.filter(({ state }) => state === 'running').length - size.trainings;
  console.log(
    `${size.trainings} trainings, ${size.workers} workers, ${kills} of them killed, Redis killed once: ${seconds.toFixed(1)} s, ` +
      `adding them ${added.toFixed(0)} ms, ${beginsAgain} begun again, ${jobs.length} done once.`,
  );
  // A repeat is the same job.
  expect(await queue.add('train', { ...options[0], out: join(root, 'runs', ids[0]) }, { id: ids[0] })).toMatchObject({
    state: 'done',
  });
  await queue.close();

  const alone = join(root, 'alone');
  for (const [i, one] of options.entries()) {
    const { metrics, threshold } = await train({ ...one, out: alone, overwrite: true });
    expect(modelOf(join(root, 'runs', ids[i])), `training ${i}`).toBe(modelOf(alone));
    const values = headlineMetrics.map((metric) => [metric.name, readMetric(metrics, metric) ?? null]);
    const given = { metrics: Object.fromEntries(values), threshold: threshold.value };
    expect(jobs.find(({ id }) => id === ids[i])!.result).toMatchObject(given);
  }
});
