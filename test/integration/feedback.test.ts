/** What people say of items: kept whatever happens, used by threshold and update, and refused with a sentence where it cannot be. */
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rng } from '../../dist/core/random.js';
import { encodePng } from '../../dist/data/index.js';
import {
  type ArtifactInfo,
  type Event,
  feedback,
  predict,
  removeRun,
  threshold,
  train,
  update,
} from '../../dist/index.js';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'oddity-feedback-'));
const at = (...parts: string[]) => join(root, ...parts);
afterAll(() => rmSync(root, { recursive: true, force: true }));

const side = 32;
/** A grey image of noise; odd ones have a white square. */
function writeImage(path: string, seed: number, isOdd = false): string {
  const data = Uint8Array.from(new Rng(seed).uniforms(side * side), (v) => 100 + 60 * v);
  if (isOdd) for (let y = 8; y < 20; y++) data.fill(255, y * side + 8, y * side + 20);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, encodePng({ height: side, width: side, channels: 1, data }));
  return path;
}

const oddity = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' });
  return { status, stdout, stderr };
};
const info = (run: string): ArtifactInfo => JSON.parse(readFileSync(at(run, 'model.json'), 'utf8'));
const run = at('first');
const table = at('table');
const series = at('series');
let fresh: string[];
let odd: string[];

beforeAll(async () => {
  for (let i = 0; i < 12; i++) writeImage(at('parts', 'train', 'good', `${i}.png`), i);
  for (let i = 0; i < 4; i++) writeImage(at('parts', 'test', 'good', `${i}.png`), 100 + i);
  for (let i = 0; i < 4; i++) writeImage(at('parts', 'test', 'spot', `${i}.png`), 200 + i, true);
  fresh = [0, 1, 2].map((i) => writeImage(at('line', `n${i}.png`), 300 + i));
  odd = [0, 1].map((i) => writeImage(at('line', `a${i}.png`), 400 + i, true));
  const config = { taps: 'fine', coreset: 0.5, smoothing: 1 };
  await train({ model: 'patchcore', data: at('parts'), size: [side, side], config, out: run, threads: 1 });
  const rng = new Rng(7);
  const draw = () => rng.normals(1)[0];
  const rows = (n: number, shift: number) =>
    Array.from({ length: n }, (_, i) => `${i},${(draw() + shift).toFixed(3)},${(draw() + shift).toFixed(3)}`);
  writeFileSync(at('rows.csv'), `part,a,b\n${rows(80, 0).join('\n')}\n`);
  writeFileSync(at('seen.csv'), `part,a,b\n${[...rows(4, 0), ...rows(3, 8)].join('\n')}\n`);
  await train({ model: 'knn', data: at('rows.csv'), columns: { part: 'ignore' }, out: table, threads: 1 });
  const wave = (t: number) =>
    `${new Date(1.7e12 + 6e4 * t).toISOString()},${(Math.sin(t / 3) + 0.05 * draw()).toFixed(3)}`;
  writeFileSync(at('log.csv'), `time,v\n${Array.from({ length: 300 }, (_, t) => wave(t)).join('\n')}\n`);
  const later = Array.from({ length: 120 }, (_, t) =>
    wave(400 + t).replace(/,.*/, (v) => (t > 60 && t < 66 ? ',4' : v)),
  );
  writeFileSync(at('later.csv'), `time,v\n${later.join('\n')}\n`);
  await train({ model: 'knn', data: at('log.csv'), kind: 'series', window: 12, out: series, threads: 1 });
}, 120_000);

describe('feedback on images', () => {
  it('is kept with a copy of the image, once for each content; the last word counts, and can be taken back', async () => {
    expect((await feedback({ run })).entries).toEqual([]);
    expect(await feedback({ run, items: fresh, label: 'normal' })).toMatchObject({
      normal: 3,
      anomalous: 0,
      changed: 3,
    });
    const again = await feedback({ run, items: [fresh[0]], label: 'normal' });
    expect(again).toMatchObject({ normal: 3, changed: 0 });
    expect(await feedback({ run, items: [odd[0]], label: 'normal' })).toMatchObject({ normal: 4 });
    expect(await feedback({ run, items: odd, label: 'anomalous' })).toMatchObject({
      ...{ normal: 3, anomalous: 2, changed: 2, overruled: 1 },
    });
    expect(readdirSync(at('first', 'feedback'))).toHaveLength(5);
    rmSync(fresh[2]);
    expect(await feedback({ run, items: [fresh[2]], label: null })).toMatchObject({ normal: 2, changed: 1 });
    writeImage(fresh[2], 302);
    await feedback({ run, items: [fresh[2]], label: 'normal' });
    const moved = writeImage(at('moved.png'), 302);
    expect(await feedback({ run, items: [moved], label: null })).toMatchObject({ normal: 2, changed: 1 });
    expect(await feedback({ run, items: [moved], label: 'normal' })).toMatchObject({ normal: 3, changed: 1 });
  });

  it('survives a process that is killed while it writes', async () => {
    const before = (await feedback({ run })).entries;
    appendFileSync(at('first', 'feedback.jsonl'), '{"key":"0123');
    expect((await feedback({ run })).entries).toEqual(before);
    await feedback({ run, items: [odd[0]], label: null });
    await feedback({ run, items: [odd[0]], label: 'anomalous' });
    const after = (await feedback({ run })).entries;
    expect(after.map(({ key }) => key).sort()).toEqual(before.map(({ key }) => key).sort());
  });

  it('loses nothing where several processes write at the same time', async () => {
    const copy = at('together');
    mkdirSync(copy);
    for (const name of ['model.json', 'model.onnx']) writeFileSync(join(copy, name), readFileSync(join(run, name)));
    const images = Array.from({ length: 6 }, (_, i) => writeImage(at('many', `${i}.png`), 500 + i));
    await Promise.all(images.map((path) => feedback({ run: copy, items: [path], label: 'normal' })));
    expect((await feedback({ run: copy })).normal).toBe(6);
  });

  it('counts in a threshold, which says of how many items, and leaves the test part to judge', async () => {
    const events: Event[] = [];
    const onEvent = (event: Event) => void events.push(event);
    const before = await threshold({ run });
    const byRate = await threshold({ run, policies: [{ by: 'false-alarm-rate', rate: 0.1 }], feedback: true, onEvent });
    expect(byRate.threshold.feedback).toEqual({ normal: 3, anomalous: 2 });
    expect(byRate.threshold.normals).toBe(before.threshold.normals + 3);
    expect(byRate.threshold.rule).toContain('and 3 from feedback');
    expect(byRate.threshold.reason).toContain('no fair sample');
    const byLabels = await threshold({ run, policies: [{ by: 'f-beta', beta: 1 }], feedback: true });
    expect(byLabels.threshold).toMatchObject({
      sawTest: false,
      testRecall: expect.any(Number),
      feedback: { normal: 3, anomalous: 2 },
    });
    expect(byLabels.threshold.rule).toContain('3 normal and 2 anomalous items from feedback');
    const { predictions } = await predict({ run, images: odd });
    expect(predictions.every(({ score }) => score >= byLabels.threshold.value!)).toBe(true);
    expect(events.filter((event) => event.type === 'warning')).toEqual([]);
  });

  it('of what was trained on is not counted, and of the test part is told', async () => {
    const told: string[] = [];
    const onEvent = (event: Event) => void (event.type === 'warning' && told.push(event.message));
    const trained = at('parts', info('first').trainingItems![0]);
    const tested = at('parts', 'test', 'spot', '0.png');
    await feedback({ run, items: [trained, tested], label: 'anomalous' });
    const { threshold: found } = await threshold({
      run,
      policies: [{ by: 'miss-rate', rate: 0.3 }],
      feedback: true,
      onEvent,
    });
    expect(found).toMatchObject({ sawTest: true, feedback: { normal: 3, anomalous: 3 } });
    expect(told).toEqual([expect.stringMatching(/1 item is not counted \(.*\): the detector was trained on it/)]);
    await feedback({ run, items: [tested], label: null });
  });

  it('is learnt by an update: normal images join, anomalous ones never do and leave the training part', async () => {
    const told: string[] = [];
    const onEvent = (event: Event) => void (event.type === 'log' && told.push(event.message));
    const [leaver] = info('first').trainingItems!;
    const report = await update({ run, feedback: true, add: [odd[1]], out: at('second'), onEvent });
    const trained = info('second').trainingItems!;
    expect(trained).toHaveLength(info('first').trainingItems!.length - 1 + 3);
    expect(trained).not.toContain(leaver);
    expect(trained.filter((id) => id.includes('feedback')).map((id) => id.replace(/.*-/, ''))).toEqual(
      expect.arrayContaining(['n0.png', 'n1.png']),
    );
    expect(told.join()).toContain(
      '3 normal images of the feedback are added; 3 anomalous ones are not learnt; 1 of them leave the training part; 1 of the images to add are among these and left out.',
    );
    expect(report.metrics.item.auroc).toBe(1);
    // It goes along, and is not learnt twice.
    expect(await feedback({ run: at('second') })).toMatchObject({ normal: 3, anomalous: 3 });
    await expect(update({ run: at('second'), feedback: true, out: at('none') })).rejects.toMatchObject({
      code: 'no-changes',
    });
    const rate = threshold({ run: at('second'), policies: [{ by: 'false-alarm-rate', rate: 0.1 }], feedback: true });
    await expect(rate).rejects.toMatchObject({ code: 'no-feedback' });
  });

  it('outlives a training in the same folder, and goes with the run', async () => {
    const place = at('again');
    const options = { model: 'mean-image' as const, data: at('parts'), size: [side, side] as const, out: place };
    await train(options);
    await feedback({ run: place, items: odd, label: 'anomalous' });
    await train({ ...options, seed: 2, overwrite: true });
    expect((await feedback({ run: place })).anomalous).toBe(2);
    expect((await removeRun(place)).kept).toEqual([]);
    expect(existsSync(place)).toBe(false);
  });

  it('is refused with a sentence, and nothing is written', async () => {
    const before = readFileSync(at('first', 'feedback.jsonl'), 'utf8');
    const refused = (items: string[], label: 'normal' | null = 'normal', where = run) =>
      expect(feedback({ run: where, items, label })).rejects;
    await refused([odd[0], at('nothing.png')]).toMatchObject({ name: 'DataError', code: 'unreadable-file' });
    writeFileSync(at('text.png'), 'no image');
    await refused([at('text.png')]).toMatchObject({ code: 'not-an-image' });
    await refused([at('line')]).toMatchObject({ code: 'not-a-file' });
    await refused([at('parts', 'test', 'good', '3.png')], null).toMatchObject({ code: 'no-such-feedback' });
    await refused([odd[0]], 'normal', at('parts')).toMatchObject({ code: 'missing-artefact' });
    await expect(feedback({ run, items: odd, label: 'good' as 'normal' })).rejects.toMatchObject({
      code: 'feedback-label',
    });
    expect(readFileSync(at('first', 'feedback.jsonl'), 'utf8')).toBe(before);
    const bare = threshold({ run: series, policies: [{ by: 'miss-rate', rate: 0.1 }], feedback: true });
    await expect(bare).rejects.toMatchObject({ code: 'no-feedback' });
    await expect(threshold({ run, feedback: true })).rejects.toMatchObject({ code: 'threshold-policies' });
    const damaged = at('damaged');
    mkdirSync(damaged);
    for (const name of ['model.json', 'model.onnx']) writeFileSync(join(damaged, name), readFileSync(join(run, name)));
    writeFileSync(join(damaged, 'feedback.jsonl'), '{"key":"x","label":"normal"}\n');
    await expect(feedback({ run: damaged })).rejects.toMatchObject({
      code: 'feedback-damaged',
      message: expect.stringContaining('line 1'),
    });
  });
});

describe('feedback on rows and steps', () => {
  it('names rows by line, by lines and by value; their cells are kept, so that the file may go', async () => {
    const file = at('seen.csv');
    await feedback({ run: table, items: [`${file}:2-4`, `${file}:part=3`], label: 'normal' });
    await feedback({ run: table, items: [`${file}:6`, `${file}:7`, `${file}:8`], label: 'anomalous' });
    const { entries } = await feedback({ run: table });
    expect(entries.map(({ item }) => item.kind === 'table' && item.line)).toEqual([2, 3, 4, 5, 6, 7, 8]);
    expect(Object.keys((entries[0].item as { cells: object }).cells)).toEqual(['a', 'b']);
    const wanted = (await predict({ run: table, images: [file] })).predictions.map(({ score }) => score);
    const text = readFileSync(file, 'utf8');
    rmSync(file);
    const { threshold: found } = await threshold({
      run: table,
      policies: [{ by: 'miss-rate', rate: 0.3 }],
      feedback: true,
    });
    writeFileSync(file, text);
    expect(found.feedback).toEqual({ normal: 4, anomalous: 3 });
    expect(found.value).toBeLessThanOrEqual(Math.min(...wanted.slice(4)) + 1e-6);
    expect(found.value).toBeGreaterThan(Math.max(...wanted.slice(0, 4)));
  });

  it('takes steps of series as segments, whose highest score counts', async () => {
    const file = at('later.csv');
    await feedback({ run: series, items: [`${file}:62-68`], label: 'anomalous' });
    await feedback({ run: series, items: [`${file}:20-50`], label: 'normal' });
    const { threshold: found } = await threshold({
      run: series,
      policies: [{ by: 'f-beta', beta: 1 }],
      feedback: true,
    });
    expect(found.feedback).toEqual({ normal: 1, anomalous: 1 });
    const { predictions } = await predict({ run: series, images: [file] });
    const most = (first: number, last: number) =>
      Math.max(...predictions.filter(({ line }) => line! >= first && line! <= last).map(({ score }) => score));
    expect(found.value).toBeGreaterThan(most(20, 50));
    expect(found.value).toBeLessThanOrEqual(most(62, 68));
    const rate = threshold({ run: series, policies: [{ by: 'false-alarm-rate', rate: 0.1 }], feedback: true });
    await expect(rate).rejects.toMatchObject({ code: 'feedback-steps' });
    // Steps that have changed since are not those that were judged.
    writeFileSync(file, readFileSync(file, 'utf8').replace(/,4\n/, ',3\n'));
    const changed = threshold({ run: series, policies: [{ by: 'f-beta', beta: 1 }], feedback: true });
    await expect(changed).rejects.toMatchObject({ code: 'no-feedback' });
  });

  it('refuses rows that are not there', async () => {
    const file = at('seen.csv');
    const refused = (item: string, where = table) =>
      expect(feedback({ run: where, items: [item], label: 'normal' })).rejects;
    await refused(`${file}:99`).toMatchObject({ code: 'feedback-item', message: expect.stringContaining('2 to 8') });
    await refused(`${file}:prt=1`).toMatchObject({ message: expect.stringContaining('Did you mean part?') });
    await refused(`${file}:part=9`).toMatchObject({ message: expect.stringContaining('no row with part=9') });
    await refused(`${file}:part=1`).toMatchObject({ message: expect.stringContaining('but has 2') });
    await refused(at('gone.csv:3')).toMatchObject({ code: 'no-data' });
    await refused(at('later.csv'), series).toMatchObject({ code: 'feedback-steps' });
    await refused(at('later.csv:900-901'), series).toMatchObject({ code: 'feedback-item' });
  });
});

describe('oddity feedback', () => {
  it('takes the label as its last word, lists, and says what is wrong', async () => {
    const copy = at('commanded');
    mkdirSync(copy);
    for (const name of ['model.json', 'model.onnx']) writeFileSync(join(copy, name), readFileSync(join(run, name)));
    const first = oddity('feedback', copy, ...fresh, 'normal');
    expect(first.stdout).toContain('3 items noted as normal.');
    expect(first.stdout).toContain('has 3 normal and 0 anomalous items');
    expect(oddity('feedback', copy, fresh[0], 'anomalous').stdout).toContain('1 of which were called otherwise before');
    expect(oddity('feedback', copy).stdout).toMatch(/n0\.png\s+anomalous/);
    expect(oddity('feedback', copy, fresh[0], '--take-back').stdout).toContain('Nothing is said any more of 1 item');
    const { entries } = JSON.parse(oddity('feedback', copy, '--json').stdout);
    expect(entries).toHaveLength(2);
    for (const [words, text] of [
      [[fresh[0]], 'The last word must be normal or anomalous'],
      [['normal'], 'No items stand before "normal"'],
      [['--take-back'], '--take-back needs the items'],
      [[fresh[0], 'normal', '--take-back'], 'Leave the word "normal" out'],
    ] as const) {
      const { status, stderr } = oddity('feedback', copy, ...words);
      expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining(text) });
    }
  });
});
