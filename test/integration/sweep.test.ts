/** Sweeps as a user runs them: a plan, its shards, a kill in the middle, what fails, and what is never done twice. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { startRedis } from '../helpers/redis.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const main = join(root, 'dist', 'cli', 'main.js');
const cwd = mkdtempSync(join(tmpdir(), 'oddity-sweep-test-'));
const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(cwd, { recursive: true, force: true });
});

const env = { ...process.env, NO_COLOR: '1', PATH: `${join(cwd, 'bin')}:${process.env.PATH}` };
const oddity = (...args: string[]) => spawnSync(process.execPath, [main, ...args], { cwd, encoding: 'utf8', env });
/** The same while this process goes on hearing of its children. */
async function run(...args: string[]) {
  const child = spawn(process.execPath, [main, ...args], { cwd, env });
  children.push(child);
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (text) => {
    stdout += text;
  });
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  const [status] = await once(child, 'close');
  return { status, stdout, stderr };
}
const at = (...parts: string[]) => join(cwd, ...parts);
const read = (...parts: string[]) => readFileSync(at(...parts), 'utf8');

/** Sixty rows, ten of them odd, the same every time. */
function rows(): string {
  let state = 7;
  const uniform = () => {
    state = (state * 16807) % 2147483647;
    return state / 2147483647;
  };
  const lines = Array.from({ length: 60 }, (_, i) => {
    const [x, noise, z] = [uniform(), 0.1 * uniform(), uniform()];
    return i % 6 === 5 ? [x + 1, x + noise - 1, z, 1] : [x, x + noise, z, 0];
  });
  return `x,y,z,label\n${lines.map((line) => line.map((v) => Number(v.toFixed(4))).join(',')).join('\n')}\n`;
}

const plan = `data: [parts & bolts.csv]
models:
  - pca
  - gmm
  - model: knn
    grid: { neighbours: [1, 5] }
options: { validationFraction: 0.3, maps: 0 }
`;
const machine = ['--device', 'cpu', '--threads', '1'];

beforeAll(() => {
  writeFileSync(at('parts & bolts.csv'), rows());
  writeFileSync(at('plan.yaml'), plan);
  mkdirSync(at('bin'));
  writeFileSync(at('bin', 'oddity'), `#!/bin/sh\nexec "${process.execPath}" "${main}" "$@" --device cpu\n`);
  chmodSync(at('bin', 'oddity'), 0o755);
});

/** When each run of a sweep ended. */
const ends = (folder: string) =>
  Object.fromEntries(
    readdirSync(at(folder, 'trials')).map((id) => [id, JSON.parse(read(folder, 'trials', id, 'run.json')).endedAt]),
  );
const results = ['sweep.json', 'sweep.csv', 'sweep.html'] as const;

describe('a sweep', () => {
  it('trains what the plan says, ranks it by planted items, and links ordinary runs', { timeout: 120_000 }, () => {
    const { status, stdout, stderr } = oddity(
      'sweep',
      'plan.yaml',
      '--out',
      'one',
      '--workers',
      '2',
      ...machine,
      '--json',
    );
    expect(status, stderr).toBe(0);
    const { trials, configurations, best, chosenBy, kept } = JSON.parse(stdout);
    expect([trials.length, kept, chosenBy]).toEqual([4, 0, 'planted']);
    const values = configurations.map((one: { choice: { value: number } }) => one.choice.value);
    expect(values).toEqual([...values].sort((a, b) => b - a));
    expect(best).toHaveLength(1);
    expect(best[0].id).toBe(configurations[0].id);
    expect(trials[0].outcome.choice).toMatchObject({ normals: 12, anomalies: 72 });
    expect(readdirSync(at('one', 'trials')).sort()).toEqual(trials.map(({ id }: { id: string }) => id).sort());
    const run = at('one', 'trials', best[0].id);
    expect(existsSync(join(run, 'report.html'))).toBe(true);
    expect(read('one', 'sweep.html')).toContain(`href="trials/${best[0].id}/report.html"`);
    expect(read('one', 'sweep.html')).toContain('parts &amp; bolts.csv');
    const compared = oddity('compare', run, at('one', 'trials', configurations[1].id), '--json');
    expect(compared.status, compared.stderr).toBe(0);
    expect(read('one', 'sweep.csv').split('\n')).toHaveLength(6);
  });

  it('costs nothing when it is repeated, and a plan that grows trains what is new', { timeout: 120_000 }, () => {
    const before = ends('one');
    const files = results.map((file) => read('one', file));
    const again = oddity('sweep', 'plan.yaml', '--out', 'one', ...machine, '--json');
    expect(JSON.parse(again.stdout).kept).toBe(4);
    expect(ends('one')).toEqual(before);
    expect(results.map((file) => read('one', file))).toEqual(files);

    // The same rows under another name are the same data; a data set that cannot be read fails by itself.
    writeFileSync(at('copy.csv'), rows());
    writeFileSync(at('broken.csv'), 'x,y\n');
    const data = 'parts & bolts.csv,copy.csv,broken.csv';
    const grown = oddity(
      'sweep',
      'plan.yaml',
      '--out',
      'one',
      '--data',
      data,
      '--models',
      'pca,gmm',
      '--seeds',
      '1,2',
      ...machine,
      '--json',
    );
    expect(grown.status, grown.stderr).toBe(6);
    const { trials, kept } = JSON.parse(grown.stdout);
    expect(trials.map(({ state }: { state: string }) => state)).toEqual([
      ...Array(8).fill('done'),
      ...Array(4).fill('failed'),
    ]);
    expect(trials.at(-1).error.message).toContain('broken.csv');
    expect(kept).toBe(2);
    expect(Object.keys(ends('one'))).toHaveLength(6);
    expect(ends('one')).toMatchObject(before);
  });

  it('chooses by labelled items where the plan names them, and judges by the others', { timeout: 60_000 }, () => {
    const [head, ...lines] = read('one', 'trials', readdirSync(at('one', 'trials'))[0], 'predictions.csv')
      .trim()
      .split('\n');
    const half = lines.filter((_, i) => i % 2 === 0);
    writeFileSync(at('choose.csv'), `${[head, ...half].join('\n')}\n`);
    const { status, stdout, stderr } = oddity(
      'sweep',
      'plan.yaml',
      '--out',
      'one',
      '--choose-by',
      'choose.csv',
      ...machine,
      '--json',
    );
    expect(status, stderr).toBe(0);
    const { trials, chosenBy, kept } = JSON.parse(stdout);
    expect([chosenBy, kept]).toEqual(['labelled', 4]);
    const { choice, testItems } = trials[0].outcome;
    expect(choice.normals + choice.anomalies).toBe(half.length);
    expect(testItems).toBe(lines.length - half.length);
  });

  it('refuses a typo with the nearest name and its line, before anything runs', () => {
    writeFileSync(at('typo.yaml'), plan.replace('neighbours', 'neigbours'));
    const { status, stderr } = oddity('sweep', 'typo.yaml', '--out', 'typo');
    expect([status, stderr]).toEqual([
      2,
      'error: knn has no key "neigbours". Did you mean "neighbours"? (typo.yaml:6)\n',
    ]);
    expect(existsSync(at('typo'))).toBe(false);
  });

  it('goes on after a kill, and trainings go on from their checkpoints', { timeout: 120_000 }, async () => {
    const slow = `data: parts & bolts.csv
models: [pca, { model: vae, config: { width: 4, code: 4, epochs: 6000, batchSize: 16 } }]
options: { validationFraction: 0.3, maps: 0 }
`;
    writeFileSync(at('slow.yaml'), slow);
    const args = ['sweep', 'slow.yaml', '--out', 'killed', '--workers', '2', ...machine, '--json'];
    const child = spawn(process.execPath, [main, ...args], { cwd, env, stdio: 'ignore' });
    children.push(child);
    const trials = () => (existsSync(at('killed', 'trials')) ? readdirSync(at('killed', 'trials')) : []);
    const runOf = (id: string) => {
      const path = at('killed', 'trials', id, 'run.json');
      return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {};
    };
    const isThere = () => {
      const checkpoint = trials().some(
        (id) => existsSync(at('killed', 'trials', id, 'checkpoint.safetensors')) && runOf(id).model === 'vae',
      );
      return (
        checkpoint &&
        trials().some((id) => runOf(id).status === 'done' && existsSync(at('killed', 'trials', id, 'planted.json')))
      );
    };
    for (let i = 0; i < 600 && !isThere(); i++) await new Promise((go) => setTimeout(go, 50));
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    const slowOne = trials().find((id) => runOf(id).model === 'vae')!;
    const done = Object.entries(ends('killed')).filter(([id]) => id !== slowOne);
    expect(runOf(slowOne).status).toBe('running');
    const { status, stdout, stderr } = oddity(...args);
    expect(status, `${stdout}${stderr}`).toBe(0);
    const result = JSON.parse(stdout);
    expect(result.trials.map(({ state }: { state: string }) => state)).toEqual(['done', 'done']);
    expect(Object.entries(ends('killed')).filter(([id]) => id !== slowOne)).toEqual(done);
    const events = read('killed', 'trials', slowOne, 'events.jsonl')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const again = events.findLastIndex(({ status }) => status === 'running');
    const next = events.slice(again).find(({ type }) => type === 'metric');
    expect(events.filter(({ status }) => status === 'running')).toHaveLength(2);
    // Steps are counted in each phase, of which the first began the run.
    expect([next.phase, next.step]).not.toEqual(['warm-up 1', 1]);
  });

  it('halves: the weaker stop after a part, and the best is trained on all', { timeout: 120_000 }, () => {
    writeFileSync(at('halving.yaml'), 'data: parts & bolts.csv\nmodels: [knn]\nhalving: { least: 5 }\n');
    const flags = ['--grid', 'neighbours=1,3,8', '--validation', '0.3', '--maps', '0', '--workers', '2'];
    const args = ['sweep', 'halving.yaml', ...flags, '--out', 'halving', ...machine, '--json'];
    const { status, stdout, stderr } = oddity(...args);
    expect(status, stderr).toBe(0);
    const { trials, best } = JSON.parse(stdout);
    const states = trials.map(({ state, rounds }: { state: string; rounds: object[] }) => `${state} ${rounds.length}`);
    expect(states.sort()).toEqual(['done 2', 'stopped 1', 'stopped 1']);
    const winner = trials.find(({ state }: { state: string }) => state === 'done');
    const first = trials.map(({ rounds }: { rounds: { value: number }[] }) => rounds[0].value);
    expect(winner.rounds[0].value).toBe(Math.max(...first));
    expect(best[0].id).toBe(winner.id);
    const trainedOn = (id: string) => JSON.parse(read('halving', 'trials', id, 'metrics.json')).counts.train;
    expect(winner.rounds.map(({ id }: { id: string }) => trainedOn(id))).toEqual([10, 28]);
    expect(read('halving', 'sweep.csv')).toMatch(/stopped,1/);
  });
});

describe('a sweep through Redis', () => {
  it('is that of one process, byte for byte', { timeout: 120_000 }, async () => {
    const redis = await startRedis(at('redis'));
    try {
      const url = redis.url();
      const worker = spawn(process.execPath, [main, 'worker', '--queue', url, '--threads', '1'], {
        cwd,
        env,
        stdio: 'ignore',
      });
      children.push(worker);
      const args = ['--models', 'pca,gmm', ...machine];
      const { status, stdout, stderr } = await run('sweep', 'plan.yaml', '--out', 'queued', '--queue', url, ...args);
      expect(status, `${stdout}${stderr}`).toBe(0);
      expect(readdirSync(at('queued', 'trials'))).toHaveLength(2);
      const local = await run('sweep', 'plan.yaml', '--out', 'one', ...args);
      expect(local.status, local.stderr).toBe(0);
      for (const file of results) expect(read('queued', file), file).toBe(read('one', file));
      const gone = once(worker, 'exit');
      worker.kill('SIGTERM');
      await gone;
    } finally {
      await redis.kill();
    }
    const both = oddity('sweep', 'plan.yaml', '--out', 'never', '--queue', 'redis://127.0.0.1:1', '--workers', '2');
    expect([both.status, both.stderr]).toEqual([2, expect.stringContaining('Leave one of both out')]);
    const down = oddity('sweep', 'plan.yaml', '--out', 'never', '--queue', 'redis://127.0.0.1:1');
    expect(down.status).not.toBe(0);
    expect(down.stderr).toContain('Redis');
  });
});

describe('shards', () => {
  /** Runs the command of a file of deploy/ as its machine would, for one shard. */
  const shell = (script: string, variables: Record<string, string>) =>
    spawnSync('/bin/sh', ['-c', script], { cwd, encoding: 'utf8', env: { ...env, ...variables } });

  const [job] = parseAllDocuments(readFileSync(join(root, 'deploy', 'kubernetes-sweep.yaml'), 'utf8')).map((d) =>
    d.toJS(),
  );
  const [container] = job.spec.template.spec.containers;

  it('of an Indexed Job are one sweep after merge, byte for byte, and each does its part only', {
    timeout: 120_000,
  }, () => {
    const [command] = container.args;
    const given = Object.fromEntries(container.env.map(({ name, value }: Record<string, string>) => [name, value]));
    expect([Number(given.SHARDS), job.spec.completionMode]).toEqual([job.spec.completions, 'Indexed']);
    for (const index of ['0', '1']) {
      const { status, stderr } = shell(command, { ...given, SHARDS: '2', THREADS: '1', JOB_COMPLETION_INDEX: index });
      expect(status, stderr).toBe(0);
    }
    const parts = ['1', '2'].map((i) => readdirSync(at('shards', i, 'trials')));
    expect(parts.map((part) => part.length)).toEqual([2, 2]);
    const whole = oddity('sweep', 'plan.yaml', '--out', 'one', ...machine);
    expect(whole.status, whole.stderr).toBe(0);

    const missing = oddity('merge', 'shards/2', '--out', 'merged');
    expect([missing.status, missing.stderr]).toEqual([
      3,
      'error: All 2 shards must be there, but 1/2 is missing. Name its folder, or make it.\n',
    ]);
    const merged = oddity('merge', 'shards/2', 'shards/1', '--out', 'merged');
    expect(merged.status, merged.stderr).toBe(0);
    for (const file of results) expect(read('merged', file), file).toBe(read('one', file));
    const ids = readdirSync(at('merged', 'trials'));
    expect(ids.sort()).toEqual(parts.flat().sort());
    for (const id of ids)
      for (const file of ['model.onnx', 'predictions.csv', 'planted.json'])
        expect(
          readFileSync(at('merged', 'trials', id, file)).equals(readFileSync(at('one', 'trials', id, file))),
          file,
        ).toBe(true);
  });

  it('of a Slurm array are the same; a shard that was done costs nothing', { timeout: 120_000 }, () => {
    const script = readFileSync(join(root, 'deploy', 'sweep.slurm'), 'utf8');
    const [, first, last] = /--array=(\d+)-(\d+)/.exec(script)!;
    expect([Number(first), Number(last)]).toEqual([1, 4]);
    const before = statSync(
      at('shards', '1', 'trials', readdirSync(at('shards', '1', 'trials'))[0], 'run.json'),
    ).mtimeMs;
    for (const index of ['1', '2']) {
      const task = { SLURM_ARRAY_TASK_ID: index, SLURM_ARRAY_TASK_COUNT: '2', SLURM_CPUS_PER_TASK: '1' };
      const { status, stderr } = shell(script, task);
      expect(status, stderr).toBe(0);
    }
    expect(statSync(at('shards', '1', 'trials', readdirSync(at('shards', '1', 'trials'))[0], 'run.json')).mtimeMs).toBe(
      before,
    );
    const merged = oddity('merge', 'shards/1', 'shards/2', '--out', 'array');
    expect(merged.status, merged.stderr).toBe(0);
    for (const file of results) expect(read('array', file), file).toBe(read('one', file));
  });

  it('refuses what does not belong together', () => {
    const record = JSON.parse(read('shards', '1', 'shard.json'));
    const other = (name: string, change: object) => {
      mkdirSync(at(name), { recursive: true });
      writeFileSync(at(name, 'shard.json'), JSON.stringify({ ...record, ...change }));
      const { status, stderr } = oddity('merge', name, 'shards/2', '--out', 'wrong');
      return [status, stderr];
    };
    expect(other('older', { oddity: '0.0.9' })).toEqual([
      2,
      expect.stringContaining('older is made by oddity 0.0.9 and shards/2 is made by oddity'),
    ]);
    expect(other('planned', { plan: 'f'.repeat(64) })[1]).toContain('planned is of the plan ffffffffffff and');
    expect(other('cut', { isDone: false })).toEqual([3, expect.stringContaining('Shard 1/2 in cut is not finished')]);
    expect(other('twice', { index: 2 })[1]).toContain('Shard 2/2 is given twice');
    expect(existsSync(at('wrong'))).toBe(false);
    const halving = oddity('sweep', 'plan.yaml', '--halving', '--shard', '1/2', '--out', 'nowhere');
    expect([halving.status, existsSync(at('nowhere'))]).toEqual([2, false]);
  });
});
