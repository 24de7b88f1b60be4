/** Jobs of Studio over HTTP: forms and plans, trainings from a version of the data, what is refused, and what a restart keeps. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandWords } from '../../dist/cli/words.js';
import { openStudio, type Studio } from '../../dist/studio/index.js';
import type { FormOption, ModelForm, Plans, Preview, ShownJob } from '../../dist/studio/jobs/answers.js';
import { startRedis } from '../helpers/redis.ts';
import { makeImageProject } from '../helpers/studio-project.ts';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'oddity-studio-jobs-'));
let studio: Studio;
let version: string;

const open = async () => {
  studio = await openStudio({ folder: join(root, 'studio'), port: 0, threads: 1 }, { words: commandWords });
};
beforeAll(async () => {
  await open();
  version = await makeImageProject(studio, join(root, 'parts'), 'spots');
});
afterAll(async () => {
  await studio?.close();
  rmSync(root, { recursive: true, force: true });
});

const ask = async <T>(path: string, body?: unknown): Promise<{ status: number; body: T }> => {
  const response = await fetch(`${studio.url}/api/projects/spots${path}`, {
    headers: { Authorization: `Bearer ${studio.token}`, 'Content-Type': 'application/json' },
    ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as T };
};
const refused = async (path: string, body: unknown) => {
  const { status, body: answer } = await ask<{ error: { code: string; message: string } }>(path, body);
  return [status, answer.error.code, answer.error.message];
};
const ended = async (id: string): Promise<ShownJob> => {
  for (let i = 0; i < 2000; i++) {
    const { body } = await ask<ShownJob>(`/jobs/${id}`);
    if (body.state !== 'waiting' && body.state !== 'running') return body;
    await new Promise((go) => setTimeout(go, 100));
  }
  throw new Error('The job does not end.');
};
const quick = { model: 'pca', size: [24, 24], device: 'cpu', threads: 1, maps: 0 };

describe('jobs of Studio', () => {
  it('train from a version, with the command and the code that do the same', { timeout: 120_000 }, async () => {
    const { status, body: job } = await ask<ShownJob>('/jobs', {
      kind: 'train',
      name: 'first run',
      options: { ...quick, data: { version }, config: { components: 5 } },
    });
    expect(status).toBe(201);
    const out = join(root, 'studio', 'spots', 'runs', 'first run');
    expect(job).toMatchObject({ kind: 'train', run: 'first run', title: 'Train a detector', options: { out } });
    expect(job.command).toContain('oddity train pca --data ');
    expect(job.command).toContain('--size 24x24');
    expect(job.command).toContain('--set components=5');
    expect(job.code).toContain("import { train } from 'oddity';");
    expect(job.code).toContain('model: "pca"');
    const done = await ended(job.id);
    expect(done).toMatchObject({ state: 'done', result: { model: 'pca', counts: { test: 20, testAnomalies: 10 } } });
    expect((done.result as { metrics: { auroc: number } }).metrics.auroc).toBeGreaterThan(0.9);
    const { body: log } = await ask<{ events: { type: string }[] }>(`/jobs/${job.id}/log`);
    expect(log.events.length).toBeGreaterThan(3);
    // The command is one that the command line takes, and it gives the same bytes.
    const again = join(root, 'again');
    const command = job.command!.replace(`'${out}'`, again);
    expect(command).not.toBe(job.command);
    const [, ...args] = command.split(' ');
    execFileSync(process.execPath, [main, ...args, '--quiet']);
    const hash = (run: string) =>
      createHash('sha256')
        .update(readFileSync(join(run, 'model.onnx')))
        .digest('hex');
    expect(hash(again)).toBe(hash(out));
  });

  it('try, export, test and report take runs by their names', { timeout: 120_000 }, async () => {
    const tried = await ask<ShownJob>('/jobs', {
      kind: 'try',
      options: { models: ['mean-image', 'pca'], device: 'cpu' },
    });
    expect(tried.body.command).toContain('oddity try ');
    const result = (await ended(tried.body.id)).result as { tried: { model: string }[] };
    expect(result.tried.map(({ model }) => model).sort()).toEqual(['mean-image', 'pca']);
    const jobs = [];
    for (const kind of ['export', 'test', 'report']) {
      const { body } = await ask<ShownJob>('/jobs', { kind, options: { run: 'first run', device: 'cpu' } });
      jobs.push(body);
    }
    for (const job of jobs) expect(await ended(job.id), job.kind).toMatchObject({ state: 'done', run: 'first run' });
    expect(existsSync(join(root, 'studio', 'spots', 'exports', 'first run-float32', 'model.onnx'))).toBe(true);
  });

  it('refuse folders, paths, unknown runs and versions, and values that cannot be', async () => {
    expect(await refused('/jobs', { kind: 'train', options: { ...quick, out: '/tmp/x' } })).toEqual([
      ...[400, 'unknown-option', 'The folder of a job is made by the server. Give a name.'],
    ]);
    for (const data of ['/etc/passwd', 7, null, { version: 7 }]) {
      expect((await refused('/jobs', { kind: 'train', options: { ...quick, data } }))[1]).toBe('bad-body');
    }
    for (const unknown of ['../../x', 'beef', '', `${version}/..`]) {
      const options = { ...quick, data: { version: unknown } };
      expect((await refused('/jobs', { kind: 'train', options }))[1], unknown).toBe('unknown-version');
    }
    for (const name of ['../x', '/tmp/x', '.hidden', 'a/b', '']) {
      expect((await refused('/jobs', { kind: 'train', name, options: quick }))[1], name).toBe('bad-body');
    }
    for (const run of ['../..', 'none', '/etc', '', 'first run/..']) {
      expect((await refused('/jobs', { kind: 'test', options: { run } }))[0], run).toBe(404);
    }
    expect((await refused('/jobs', { kind: 'erase', options: {} }))[1]).toBe('unknown-job-kind');
    expect(await refused('/jobs', { kind: 'train', options: { ...quick, model: 'patchcor' } })).toEqual([
      ...[400, 'unknown-model', 'There is no model named "patchcor". Did you mean "patchcore"?'],
    ]);
    expect((await refused('/jobs', { kind: 'train', options: { ...quick, config: { components: -1 } } }))[0]).toBe(400);
    for (const path of ['/jobs/none/cancel', '/jobs/..%2f..%2fx/resume'])
      expect((await refused(path, {}))[0]).toBe(404);
    const { body } = await ask<{ jobs: ShownJob[] }>('/jobs');
    expect(body.jobs.every(({ state }) => state === 'done')).toBe(true);
  });

  it('are looked at before they are begun: the command, and the option that is wrong', async () => {
    const look = async (options: object) => (await ask<Preview>('/jobs/preview', { kind: 'train', options })).body;
    const fine = await look({ ...quick, falseAlarmRate: 0.05, tiles: { height: 12, width: 12, overlap: 0.5 } });
    expect(fine.fault).toBeUndefined();
    expect(fine.command).toContain('--fpr 0.05 ');
    expect(fine.command).toContain('--tile 12x12 --overlap 0.5');
    expect((await look({ ...quick, falseAlarmRate: 2 })).fault).toEqual({
      message: '`falseAlarmRate` must be a number above 0 and below 1, got 2.',
      option: ['falseAlarmRate'],
    });
    expect((await look({ ...quick, config: { components: -3 } })).fault?.option).toEqual(['config', 'components']);
    // Its labels are of use to it.
    expect((await look({ model: 'deep-sad' })).command).toContain('--protocol labelled');
  });

  it('have forms from the schemas', async () => {
    const { models } = (await ask<{ models: ModelForm[] }>('/models')).body;
    expect(models[0]).toMatchObject({ name: 'patchcore', start: expect.stringContaining('compares every place') });
    const pca = models.find(({ name }) => name === 'pca')!;
    expect(pca.options.find(({ name }) => name === 'components')).toMatchObject({
      must: expect.stringContaining('an integer'),
      schema: { type: 'integer', description: expect.any(String) },
    });
    expect(models.some(({ name }) => name === 'ecod')).toBe(false);
    const tables = (await ask<{ models: ModelForm[] }>('/models?kind=table')).body.models;
    expect(tables[0].name).toBe('ensemble');
    expect((await ask('/models?kind=nosuch')).status).toBe(400);
    const { options } = (await ask<{ options: FormOption[] }>('/run-options')).body;
    expect(options.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['size', 'tiles', 'seed', 'falseAlarmRate']),
    );
    expect(options.every(({ schema }) => (schema.description ?? '').length > 10)).toBe(true);
  });

  it('have plans, with what they cost here once that was measured', { timeout: 240_000 }, async () => {
    const before = (await ask<Plans>('/plans')).body;
    expect(before.plans.map(({ name }) => name)).toEqual(['default', 'fast', 'balanced', 'accurate']);
    expect(before.plans.every(({ reason }) => reason.length > 20)).toBe(true);
    expect(before.plans.every(({ estimate }) => estimate === undefined)).toBe(true);
    const begun = await ask<Plans>('/plans/measure', {});
    expect([begun.status, begun.body.isMeasuring]).toEqual([202, true]);
    // A second wish measures nothing twice.
    await ask<Plans>('/plans/measure', {});
    const { jobs } = (await ask<{ jobs: ShownJob[] }>('/jobs')).body;
    const measuring = jobs.filter(({ kind }) => kind === 'measure');
    expect(measuring).toHaveLength(1);
    expect((await ended(measuring[0].id)).error).toBeUndefined();
    const { plans } = (await ask<Plans>('/plans')).body;
    for (const { name, estimate } of plans) {
      const [low, high] = estimate!.seconds;
      expect(low, name).toBeGreaterThan(0);
      expect(high, name).toBeGreaterThan(low);
      expect(estimate!.memory[0], name).toBeGreaterThan(50);
      expect(estimate!.how, name).toContain('50 images');
    }
    // What the fast way takes lies within what was said.
    const fast = plans.find(({ name }) => name === 'fast')!;
    const { body } = await ask<ShownJob>('/jobs', { kind: 'train', options: { ...fast.options, maps: 0 } });
    const done = await ended(body.id);
    const seconds = (Date.parse(done.endedAt!) - Date.parse(done.startedAt!)) / 1000;
    // Starting a process takes seconds of its own on a machine that is busy.
    expect(seconds).toBeLessThan(fast.estimate!.seconds[1] + 20);
  });

  it('go on after Studio was closed and opened', { timeout: 120_000 }, async () => {
    const options = { ...quick, model: 'autoencoder', config: { width: 4, code: 4, epochs: 3000 } };
    const { body: job } = await ask<ShownJob>('/jobs', { kind: 'train', options });
    for (let i = 0; ; i++) {
      const { events } = (await ask<{ events: { type: string }[] }>(`/jobs/${job.id}/log`)).body;
      if (events.some(({ type }) => type === 'metric')) break;
      if (i > 300) throw new Error('It does not train.');
      await new Promise((go) => setTimeout(go, 100));
    }
    await studio.close();
    await open();
    await ask('/jobs');
    expect((await ended(job.id)).state).toBe('done');
  });

  it('are kept and done by a Redis that machines share, over a restart', { timeout: 120_000 }, async () => {
    await studio.close();
    const redis = await startRedis(join(root, 'redis'));
    const said: string[] = [];
    const openShared = async () => {
      const options = { folder: join(root, 'shared'), port: 0, threads: 1, queue: redis.url() };
      studio = await openStudio(options, { words: commandWords, onEvent: (event) => void said.push(event.type) });
    };
    try {
      await openShared();
      const shared = await makeImageProject(studio, join(root, 'parts'), 'spots');
      const options = { ...quick, data: { version: shared } };
      const { body: job } = await ask<ShownJob>('/jobs', { kind: 'train', name: 'a', options });
      expect(await ended(job.id)).toMatchObject({ state: 'done', run: 'a', result: { model: 'pca' } });
      const { events } = (await ask<{ events: { type: string }[] }>(`/jobs/${job.id}/log`)).body;
      expect(events.map(({ type }) => type)).toContain('progress');
      await studio.close();
      await openShared();
      const { jobs } = (await ask<{ jobs: ShownJob[] }>('/jobs')).body;
      expect(jobs.map(({ id, state }) => [id, state])).toEqual([[job.id, 'done']]);
      expect(said).toEqual([]);
    } finally {
      await studio.close();
      await redis.kill();
    }
    const unreachable = openStudio({ folder: join(root, 'shared'), port: 0, queue: redis.url() });
    await expect(unreachable).rejects.toMatchObject({ code: 'queue-unreachable' });
  });
});
