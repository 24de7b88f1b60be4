/** Folders of image files from training to prediction, with the workers of the built package. */
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodePng, folderSource, openDecoder, readLayout } from '../../dist/data/index.js';
import { type Event, predict, type RunReport, test as testRun, train } from '../../dist/index.js';

const main = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'dist', 'cli', 'main.js');
const root = mkdtempSync(join(tmpdir(), 'oddity-images-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const withCode = (code: string) => expect.objectContaining({ code });

/** A grey picture of slow waves; an odd one has a white square. */
function picture(i: number, isOdd: boolean): Uint8Array {
  const data = Uint8Array.from({ length: 20 * 24 }, (_, p) => {
    const [x, y] = [p % 24, Math.floor(p / 24)];
    const isInside = isOdd && x >= 5 && x < 10 && y >= 5 && y < 10;
    return isInside ? 255 : 100 + 20 * Math.sin(x / 4 + i) + 10 * Math.cos(y / 3 + i * i);
  });
  return encodePng({ height: 20, width: 24, channels: 1, data });
}

function put(path: string, content: Uint8Array | string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

/** A data set with names that have spaces and letters of other scripts. */
const parts = join(root, 'my parts – 部品');
beforeAll(() => {
  for (let i = 0; i < 30; i++) put(join(parts, 'train', 'good', `teil ${i} ä.png`), picture(i, false));
  for (let i = 0; i < 6; i++) put(join(parts, 'test', 'good', `${i}.png`), picture(40 + i, false));
  for (let i = 0; i < 6; i++) put(join(parts, 'test', 'white spot', `${i}.png`), picture(50 + i, true));
  const mask = Uint8Array.from({ length: 480 }, (_, p) => (isSpot(p) ? 255 : 0));
  for (let i = 0; i < 6; i++) {
    const path = join(parts, 'ground_truth', 'white spot', `${i}_mask.png`);
    put(path, encodePng({ height: 20, width: 24, channels: 1, data: mask }));
  }
});
const isSpot = (p: number) => p % 24 >= 5 && p % 24 < 10 && p >= 120 && p < 240;

const options = { model: 'mean-image' as const, data: parts, size: [16, 16] as const, maps: 0, threads: 1 };

function oddity(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [main, ...args], { cwd: root });
  const out = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].on('data', (text) => {
      out[name] += text;
    });
  }
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, ...out })));
}

describe('decode workers', () => {
  it('give what this thread gives, tell errors apart, and end', async () => {
    const workers = openDecoder({ workers: 2 });
    const here = openDecoder({ workers: 0 });
    const shape = [1, 9, 9] as const;
    const paths = Array.from({ length: 12 }, (_, i) => join(parts, 'train', 'good', `teil ${i} ä.png`));
    const decodeAll = (decoder: typeof here) =>
      Promise.all(paths.map((path) => decoder.decode({ path, as: 'image', shape })));
    const decoded = await decodeAll(workers);
    expect(decoded).toEqual(await decodeAll(here));
    expect(decoded[0]).toMatchObject({ height: 20, width: 24 });
    await expect(workers.decode({ path: join(root, 'gone.png'), as: 'image', shape })).rejects.toMatchObject({
      name: 'DataError',
      code: 'unreadable-file',
    });
    const late = decodeAll(workers).catch((error) => error);
    await workers.close();
    expect(await late).toMatchObject({ code: 'cancelled' });
    await expect(workers.decode({ path: paths[0], as: 'image', shape })).rejects.toThrow(withCode('cancelled'));
    await here.close();
  });
});

describe('a run on a folder', () => {
  const run = join(root, 'run');
  let report: RunReport;
  beforeAll(async () => {
    report = await train({ ...options, out: run });
  });

  it('is judged on its own parts and remembers how files were read', () => {
    expect(report).toMatchObject({
      data: parts,
      protocol: 'folder',
      class: 'good',
      counts: { train: 27, validation: 3, test: 12, testAnomalies: 6 },
      leakFree: true,
    });
    expect(report.metrics.item.auroc).toBe(1);
    const record = JSON.parse(readFileSync(join(run, 'run.json'), 'utf8'));
    expect(record).toMatchObject({ data: parts, size: [16, 16], channels: 1, protocol: 'folder' });
  });

  it('test gives the same, also where the folder has moved, and refuses other data', async () => {
    expect((await testRun({ run })).metrics).toEqual(report.metrics);
    const moved = join(root, 'moved');
    cpSync(parts, moved, { recursive: true });
    expect((await testRun({ run, data: moved })).metrics).toEqual(report.metrics);
    put(join(moved, 'test', 'good', '0.png'), picture(99, false));
    await expect(testRun({ run, data: moved })).rejects.toThrow(withCode('data-changed'));
  });

  it('predict sees the pixels that training saw', async () => {
    const { predictions } = await predict({ run, images: [join(parts, 'test', 'white spot', '0.png')] });
    const source = await folderSource({ layout: await readLayout(parts), size: [16, 16] });
    const at = source.items.findIndex((item) => item.id === 'test/white spot/0.png');
    await source.close?.();
    const lines = readFileSync(join(run, 'predictions.csv'), 'utf8').split('\n');
    const line = lines.find((text) => text.startsWith(source.items[at].id));
    expect(Number(line?.split(',')[3])).toBeCloseTo(predictions[0].score, 6);
  });

  it('a stopped run goes on with the same files', async () => {
    const out = join(root, 'resumed');
    const controller = new AbortController();
    const gradient = {
      ...options,
      model: 'autoencoder' as const,
      config: { epochs: 6, width: 4, code: 4 },
      out,
      seed: 3,
    };
    const onEvent = (event: Event) => {
      if (event.type === 'progress' && event.task === 'fit' && event.done >= 2) controller.abort();
    };
    await expect(train({ ...gradient, onEvent, signal: controller.signal })).rejects.toThrow(withCode('cancelled'));
    const resumed = await train({ ...gradient, resume: true });
    const whole = await train({ ...gradient, out: join(root, 'whole') });
    expect(resumed.metrics).toEqual(whole.metrics);
  });

  it('1,000 files with 3 broken ones: the rest is scored, the 3 are named, the exit code is 6', async () => {
    const many = join(root, 'many');
    for (let i = 0; i < 1000; i++) put(join(many, `${i}.png`), picture(i, false));
    put(join(many, '7.png'), '');
    put(join(many, '70.png'), 'no image');
    put(join(many, '700.png'), picture(1, false).subarray(0, 90));
    const { code, stdout, stderr } = await oddity('predict', run, many, '--json');
    expect(code, stderr).toBe(6);
    const { predictions, failed } = JSON.parse(stdout);
    expect(predictions.length).toBe(997);
    expect(failed.map((f: { path: string; code: string }) => [f.path, f.code])).toEqual([
      [join(many, '7.png'), 'empty-file'],
      [join(many, '70.png'), 'not-an-image'],
      [join(many, '700.png'), 'unreadable-image'],
    ]);
  }, 120_000);
});

describe('folders of other kinds', () => {
  it('by the command line: a relative path, other names, a link that leads out', async () => {
    const other = join(root, 'other');
    cpSync(join(parts, 'train', 'good'), join(other, 'fine'), { recursive: true });
    cpSync(join(parts, 'test', 'white spot'), join(other, 'spots'), { recursive: true });
    symlinkSync(join(parts, 'test'), join(other, 'away'));
    const task = ['train', 'mean-image', '--data', './other', '--size', '12x16', '--channels', '3', '--maps', '0'];
    const { code, stdout, stderr } = await oddity(...task, '--normal', 'fine', '--out', 'o', '--json');
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ data: other, protocol: 'folder', counts: { testAnomalies: 6 } });
    expect(stderr).toMatch(/Links .* not followed.*away/);
    const record = JSON.parse(readFileSync(join(root, 'o', 'run.json'), 'utf8'));
    expect(record).toMatchObject({ size: [12, 16], channels: 3, folderNames: { normal: ['fine'] } });
  });

  it('without anomalies a detector is made, and it is said that nothing is measured', async () => {
    const only = join(root, 'only');
    cpSync(join(parts, 'train'), join(only, 'train'), { recursive: true });
    const warnings: string[] = [];
    const onEvent = (event: Event) => event.type === 'warning' && warnings.push(event.code);
    const report = await train({ ...options, data: only, out: join(root, 'normal only'), onEvent });
    expect(report.metrics.item.auroc).toBe(null);
    expect(warnings).toContain('no-anomalies');
  });

  it('an empty folder, a missing one, and a size for a data set that has one are refused', async () => {
    mkdirSync(join(root, 'empty'));
    const refused = (data: string) => train({ ...options, data, class: 0, out: join(root, 'none') });
    await expect(refused(join(root, 'empty'))).rejects.toThrow(withCode('no-images'));
    await expect(refused(join(root, 'nowhere'))).rejects.toThrow(withCode('no-data'));
    await expect(refused('synthetic')).rejects.toThrow(withCode('size-not-needed'));
  });
});
