/** Many runs: comparing two, listing, filtering and removing them, and predicting many files. The built program. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { runCli } from '../../dist/cli/program.js';
import { encodePng } from '../../dist/data/index.js';
import { type Comparison, compareRuns, listRuns, type RunReport, removeRun, train } from '../../dist/index.js';

const main = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'dist', 'cli', 'main.js');
const root = mkdtempSync(join(tmpdir(), 'oddity-runs-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const at = (...path: string[]) => join(root, ...path);
const withCode = (code: string) => expect.objectContaining({ code });
const oddity = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1' },
    encoding: 'utf8',
  });
  return { code: status, stdout, stderr };
};

/** A command line that is refused before it does anything, in this process: quicker than one of its own. */
async function refused(...args: string[]) {
  let stderr = '';
  const spy = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    stderr += text;
    return true;
  });
  try {
    const code = await runCli(args);
    return { code, stderr };
  } finally {
    spy.mockRestore();
  }
}

let mean: RunReport;
let random: RunReport;
beforeAll(async () => {
  const task = { data: 'synthetic', class: 'texture', threads: 1, maps: 0 } as const;
  mean = await train({ ...task, model: 'mean-image', out: at('runs', 'mean') });
  random = await train({ ...task, model: 'random', seed: 2, out: at('runs', 'deeper', 'random') });
});

/** A copy of a run whose record and first prediction line are changed. */
function changed(name: string, record: object, line?: (text: string) => string): string {
  const run = at(name);
  cpSync(at('runs', 'mean'), run, { recursive: true });
  const csv = join(run, 'predictions.csv');
  if (line) {
    const [head, first, ...rest] = readFileSync(csv, 'utf8').split('\n');
    writeFileSync(csv, [head, line(first), ...rest].join('\n'));
  }
  const file = join(run, 'run.json');
  const sha256 = { predictions: createHash('sha256').update(readFileSync(csv)).digest('hex') };
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), sha256, ...record }));
  return run;
}

describe('compare', () => {
  let comparison: Comparison;
  beforeAll(async () => {
    comparison = await compareRuns({ a: at('runs', 'deeper', 'random'), b: at('runs', 'mean'), items: 100 });
  });

  it('sets metrics side by side, with paired intervals where scores are kept', () => {
    const auroc = comparison.metrics.find((m) => m.level === 'item' && m.name === 'auroc')!;
    expect(auroc).toMatchObject({ a: random.metrics.item.auroc, b: mean.metrics.item.auroc });
    expect(auroc.difference).toBeCloseTo(mean.metrics.item.auroc! - random.metrics.item.auroc!, 12);
    expect(auroc.interval![0]).toBeGreaterThan(0);
    expect(auroc.interval![0]).toBeLessThan(auroc.difference!);
    expect(auroc.interval![1]).toBeGreaterThan(auroc.difference!);
    const aupro = comparison.metrics.find((m) => m.name === 'aupro')!;
    expect(aupro.difference).toBeCloseTo(mean.metrics.map!.aupro! - random.metrics.map!.aupro!, 12);
    expect(aupro.interval).toBeNull();
    expect(comparison.differences.join(' ')).toContain('The seeds differ: 2 and 1. They trained on other items');
  });

  it('lists items by how far their ranks are apart', () => {
    const gaps = comparison.items.map((i) => Math.abs(i.rankA - i.rankB));
    expect(gaps).toEqual([...gaps].sort((a, b) => b - a));
    expect(gaps[0]).toBeGreaterThan(0.5);
    const ranks = comparison.items.map((i) => i.rankB).sort((a, b) => a - b);
    expect([ranks[0], ranks[99]]).toEqual([0, 1]);
    const alike = comparison.items.filter((i) => i.decisionA === i.decisionB).length;
    expect(comparison.agreement).toBe(alike / 100);
  });

  it('finds nothing between a run and itself', async () => {
    const same = await compareRuns({ a: at('runs', 'mean'), b: at('runs', 'mean') });
    expect(same.differences).toEqual([]);
    expect(same.agreement).toBe(1);
    for (const m of same.metrics) expect([0, null]).toContain(m.difference);
    expect(same.items.every((i) => i.rankA === i.rankB)).toBe(true);
  });

  it('refuses other data, other test items and runs that are not finished', async () => {
    const a = at('runs', 'mean');
    const otherData = changed('other-data', { dataHash: 'x' });
    await expect(compareRuns({ a, b: otherData })).rejects.toThrow(withCode('different-data'));
    // Unless the caller takes items of one name for the same, which is then said.
    const grown = await compareRuns({ a, b: otherData, versions: true });
    expect(grown.differences).toContain(
      'The data are in two versions: test items of the same name and label are taken for the same.',
    );
    expect(grown.agreement).toBe(1);
    const other = changed('other-test', {}, (text) => text.replace(/^test\/\d+/, 'test/9999'));
    await expect(compareRuns({ a, b: other })).rejects.toThrow('which differ in 1 items or labels');
    await expect(compareRuns({ a, b: other, versions: true })).rejects.toThrow(withCode('different-test'));
    const broken = changed('broken', {}, (text) => text.replace(/,\d,/, ',,'));
    await expect(compareRuns({ a, b: broken })).rejects.toThrow(withCode('predictions-corrupt'));
    await expect(compareRuns({ a, b: broken })).rejects.toThrow('line 2 must have a label');
    const killed = changed('killed', { status: 'running' });
    await expect(compareRuns({ a, b: killed })).rejects.toThrow('its process was killed');
  });

  it('says why a run failed, in the words of whoever reads what it left', async () => {
    const text = ['The disk is full. Choose another folder with ', { option: ['out'] }, '.'];
    const message = 'The disk is full. Choose another folder with `out`.';
    const failed = changed('failed', { status: 'failed', error: { code: 'disk', message, text } });
    const compared = compareRuns({ a: at('runs', 'mean'), b: failed });
    await expect(compared).rejects.toThrow(`it failed. ${message} Repeat \`train()\` with \`overwrite: true\`.`);
    expect((await refused('compare', at('runs', 'mean'), failed)).stderr).toContain(
      'it failed. The disk is full. Choose another folder with --out. Repeat oddity train with --overwrite.',
    );
    // Runs of 0.1.0 kept the message alone.
    const old = changed('old', { status: 'failed', error: { code: 'disk', message: 'The disk is full.' } });
    await expect(compareRuns({ a: at('runs', 'mean'), b: old })).rejects.toThrow('it failed. The disk is full. Repeat');
  });

  it('is shown as a table', () => {
    const { code, stdout } = oddity('compare', 'runs/deeper/random', 'runs/mean', '--items', '2');
    expect(code).toBe(0);
    expect(stdout).toMatch(/image AUROC +0\.\d{4} +0\.\d{4} +\+0\.\d{4} +\+0\.\d{4} … \+0\.\d{4} +differ\n/);
    expect(stdout).toContain('rank A  rank B  decisions A / B');
  });
});

describe('runs', () => {
  it('are found, filtered and sorted', async () => {
    const folder = at('runs');
    const names = (runs: { run: string }[]) => runs.map(({ run }) => run.split('/').pop());
    expect(names(await listRuns({ folder }))).toEqual(['random', 'mean']);
    expect(names(await listRuns({ folder, sort: 'item.auroc' }))).toEqual(['mean', 'random']);
    expect(names(await listRuns({ folder, model: 'mean-image' }))).toEqual(['mean']);
    expect(await listRuns({ folder, data: 'mnist' })).toEqual([]);
    expect(await listRuns({ folder, status: 'failed' })).toEqual([]);
    expect(await listRuns({ folder, since: new Date(Date.now() + 1000) })).toEqual([]);
    expect((await listRuns({ folder, model: 'mean-image' }))[0]).toMatchObject({
      status: 'done',
      metrics: mean.metrics,
      seed: 1,
    });
    expect((await listRuns({ folder: changed('dead', { status: 'running' }) }))[0]).toMatchObject({
      status: 'killed',
      metrics: null,
    });
    await expect(listRuns({ folder: at('nowhere') })).rejects.toThrow(withCode('no-folder'));
    await expect(listRuns({ folder, sort: 'item.aurok' })).rejects.toThrow('Did you mean "item.auroc"?');
    await expect(listRuns({ folder, sort: 'item.prevalence' })).rejects.toThrow('There is no metric');
    await expect(listRuns({ folder, status: 'dnoe' as never })).rejects.toThrow('Did you mean "done"?');
  });

  it('are shown as a table and as JSON', async () => {
    const { stdout } = oddity('runs', '--sort', 'aupro', '--since', '1h');
    expect(stdout).toMatch(
      /^run +model .*AUPRO .*began \(UTC\) +took\nruns\/mean +mean-image +synthetic +texture +1 +done/,
    );
    const { runs } = JSON.parse(oddity('runs', 'runs', '--json').stdout);
    expect(runs.map((r: { run: string }) => r.run)).toEqual(['runs/deeper/random', 'runs/mean']);
    expect((await refused('runs', '--since', 'yesterday')).stderr).toContain('--since takes a date as 2026-05-01');
  });

  it('are removed when asked twice, and nothing else is', async () => {
    const run = changed('gone', {});
    writeFileSync(join(run, 'notes.txt'), 'mine');
    mkdirSync(at('no-run'));
    symlinkSync(run, at('link'));
    expect(oddity('runs', 'remove', 'gone').stderr).toContain('must be confirmed. Pass --yes');
    const wrong = oddity('runs', 'remove', 'gone', 'no-run', '--yes');
    expect([wrong.code, wrong.stderr]).toEqual([3, expect.stringContaining('no-run must be the folder of a run')]);
    await expect(removeRun(at('link'))).rejects.toThrow(withCode('run-is-a-link'));
    expect(existsSync(join(run, 'model.onnx'))).toBe(true);

    writeFileSync(join(run, 'lock.json'), JSON.stringify({ pid: 1, host: 'elsewhere', token: 'x', lockedAt: 'now' }));
    await expect(removeRun(run)).rejects.toThrow(withCode('run-locked'));
    rmSync(join(run, 'lock.json'));

    const { code, stdout } = oddity('runs', 'remove', 'gone', '--yes', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ removed: [{ run: 'gone', kept: ['notes.txt'] }] });
    expect(readdirSync(run)).toEqual(['notes.txt']);
    expect(await removeRun(changed('gone-too', {}))).toEqual({ run: at('gone-too'), kept: [] });
    expect(existsSync(at('gone-too'))).toBe(false);
  });
});

describe('predict', () => {
  beforeAll(() => {
    mkdirSync(at('many'));
    const png = encodePng({ height: 16, width: 16, channels: 1, data: new Uint8Array(256).fill(128) });
    writeFileSync(at('many', '0000.png'), png);
    for (let i = 1; i < 1000; i++)
      copyFileSync(at('many', '0000.png'), at('many', `${String(i).padStart(4, '0')}.png`));
    writeFileSync(at('many', '0007.png'), '');
    writeFileSync(at('many', '0500.png'), 'not a picture');
    writeFileSync(at('many', '0999.png'), png.subarray(0, png.length >> 1));
  });

  it('finishes over 1,000 files of which 3 are broken, lists these and has a code of its own', () => {
    const { code, stdout, stderr } = oddity('predict', 'runs/mean', 'many', '--out', 'found', '--quiet');
    expect(code, stderr).toBe(6);
    expect(stdout).toContain('3 of 1000 could not be scored:');
    for (const name of ['0007.png', '0500.png', '0999.png']) expect(stdout).toContain(join('many', name));
    const lines = readFileSync(at('found', 'predictions.csv'), 'utf8').trim().split('\n');
    expect(lines).toHaveLength(998);
    expect(lines[0]).toBe('path,score,threshold,isAnomalous,decision,pValue,regions,regionArea');
    expect(readFileSync(at('found', 'regions.csv'), 'utf8')).toMatch(/^path,region,x,y,width,height,area,peak\n/);
  });

  it('writes what it is asked for', async () => {
    const image = join('many', '0000.png');
    const csv = oddity('predict', 'runs/mean', image, '--format', 'csv', '--quiet');
    expect(csv.stdout).toMatch(/^path,score,.*\nmany\/0000\.png,\d/);
    const json = oddity('predict', 'runs/mean', image, '--format', 'json', '--out', 'as-json', '--maps', 'npy,png16');
    expect(json.stdout).toMatch(/score +p-value +decision[^\n]*\n[^\n]*\d/);
    expect(JSON.parse(readFileSync(at('as-json', 'predictions.json'), 'utf8')).predictions).toHaveLength(1);
    expect(readdirSync(at('as-json', 'maps')).sort()).toEqual(['0000-map16.json', '0000-map16.png', '0000.npy']);
    const sentence = async (...more: string[]) =>
      (await refused('predict', at('runs', 'mean'), 'x.png', ...more)).stderr;
    expect(await sentence('--maps', 'npy')).toContain('--maps npy needs a folder for the files: --out <folder>.');
    expect(await sentence('--maps', 'overlya', '--out', 'x')).toContain('Did you mean "overlay"?');
    expect(await sentence('--format', 'cvs')).toContain('There is no format named "cvs". Did you mean "csv"?');
  });

  it('says when the threshold saw the test set', async () => {
    const run = 'saw';
    cpSync(at('runs', 'mean'), at(run), { recursive: true });
    expect(oddity('threshold', run, '--f-beta', '1', '--write').code).toBe(0);
    const { stdout } = oddity('predict', run, join('many', '0000.png'), '--quiet');
    expect(stdout).toMatch(/^This threshold was tuned on the test set/);
    const { warning, threshold } = JSON.parse(oddity('threshold', run, '--json').stdout);
    expect([threshold.sawTest, warning]).toEqual([true, expect.stringContaining('tuned on the test set')]);
    const options = ['--review 2,1', '--cost fa=1', '--fpr 0,1', '--fpr 0.1,0.2,0.3', '--write'];
    for (const option of options) expect((await refused('threshold', at(run), ...option.split(' '))).code).toBe(2);
  });
});
