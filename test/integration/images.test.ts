/** Image files of every kind from training to prediction: deep ones, stacks, masks beside images, mixtures. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodePng } from '../../dist/data/index.js';
import { type Event, fit, loadDetector, predict, test as testRun, train } from '../../dist/index.js';
import { writeTiff } from '../helpers/tiff.ts';

const home = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const main = join(home, 'dist', 'cli', 'main.js');
const root = mkdtempSync(join(tmpdir(), 'oddity-kinds-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

function put(path: string, content: Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}
const oddity = (...args: string[]) => spawnSync(process.execPath, [main, ...args], { cwd: root, encoding: 'utf8' });

const [HEIGHT, WIDTH] = [20, 24];
/** Waves in [0, 1]; an odd one has a bright square. */
const wave = (n: number, isOdd: boolean) => (p: number) => {
  const [x, y] = [p % WIDTH, Math.floor(p / WIDTH)];
  if (isOdd && x >= 6 && x < 12 && y >= 5 && y < 11) return 1;
  return 0.4 + 0.15 * Math.sin(x / 4 + n) + 0.1 * Math.cos(y / 3 + n * n);
};
const samples = (n: number, isOdd: boolean) => Array.from({ length: HEIGHT * WIDTH }, (_, p) => wave(n, isOdd)(p));
const size = { height: HEIGHT, width: WIDTH };

/** `good` and `spot` with pictures as `write` makes them of values in [0, 1]. */
function parts(name: string, ending: string, write: (values: number[]) => Uint8Array): string {
  for (let i = 0; i < 24; i++) put(join(root, name, 'good', `${i}.${ending}`), write(samples(i, false)));
  for (let i = 0; i < 6; i++) put(join(root, name, 'spot', `${i}.${ending}`), write(samples(50 + i, true)));
  return join(root, name);
}
const png8 = (values: number[]) => encodePng({ ...size, channels: 1, data: Uint8Array.from(values, (v) => 255 * v) });
const png10 = (values: number[]) =>
  encodePng({ ...size, channels: 1, data: Uint16Array.from(values, (v) => 1020 * v) });
const float = (values: number[]) => writeTiff([{ ...size, data: Float32Array.from(values, (v) => 80 * v - 20) }]);

const options = { model: 'mean-image' as const, size: [16, 16] as const, maps: 0, threads: 1, seed: 2 };
async function trained(data: string, more: object = {}) {
  const events: Event[] = [];
  const out = join(root, 'runs', `${Math.random()}`);
  const report = await train({ ...options, data, out, ...more, onEvent: (event) => events.push(event) });
  const warnings = events.filter((event) => event.type === 'warning');
  const info = JSON.parse(readFileSync(join(out, 'model.json'), 'utf8'));
  return { out, report, warnings, info };
}

describe('deep images', () => {
  let deep: string;
  let eight: string;
  beforeAll(() => {
    deep = parts('deep', 'png', png10);
    eight = parts('eight', 'png', png8);
  });

  it('10 of 16 bits are found as 8 bits are, and the range is told and kept', async () => {
    const [ten, bytes] = [await trained(deep), await trained(eight)];
    expect(ten.report.metrics.item.auroc).toBe(1);
    expect(ten.report.metrics.item.auroc).toBe(bytes.report.metrics.item.auroc);
    expect(ten.info.image.range).toEqual({ bits8: [0, 255], bits16: [0, 1023], floats: [0, 1023] });
    expect(bytes.info.image.range).toEqual({ bits8: [0, 255], bits16: [0, 65_535], floats: [0, 1] });
    expect(ten.warnings.find((event) => event.code === 'value-range')?.message).toMatch(
      /^The training images use values from \d+ to \d+, 0\.\d+ % of what 16 bits hold\. Values from 0 to 1023 are read as black to white, .* `valueRange: \[0,1023\]`\.$/,
    );
    expect(bytes.warnings.map((event) => event.code)).not.toContain('value-range');
    const record = JSON.parse(readFileSync(join(ten.out, 'run.json'), 'utf8'));
    expect(record).toMatchObject({ measuredRange: [0, 1023] });
    expect(record).not.toHaveProperty('valueRange');
  });

  it('are scored as they were trained on: test, predict, scoreImage, pixels', async () => {
    const { out, report } = await trained(deep);
    expect((await testRun({ run: out })).metrics).toEqual(report.metrics);
    const image = join(deep, 'spot', '3.png');
    const { predictions } = await predict({ run: out, images: [image] });
    const line = readFileSync(join(out, 'predictions.csv'), 'utf8')
      .split('\n')
      .find((text) => text.startsWith('spot/3.png'));
    expect(Number(line?.split(',')[3])).toBeCloseTo(predictions[0].score, 6);
    await using detector = await loadDetector(out);
    const pixels = { ...size, data: Uint16Array.from(samples(53, true), (v) => 1020 * v) };
    expect((await detector.scoreImage(pixels)).score).toBe(predictions[0].score);
    expect((await detector.scoreImage(readFileSync(image))).score).toBe(predictions[0].score);
  });

  it('take a range that is given, which is the range of a resumed run too', async () => {
    const { info, out } = await trained(deep, { valueRange: [0, 2000] });
    expect(info.image.range.bits16).toEqual([0, 2000]);
    expect(JSON.parse(readFileSync(join(out, 'run.json'), 'utf8'))).toMatchObject({ valueRange: [0, 2000] });
    const { code, stderr } = ((result) => ({ code: result.status, stderr: result.stderr }))(
      oddity('train', 'mean-image', '--data', deep, '--value-range', '5', '--out', 'r'),
    );
    expect([code, stderr]).toEqual([2, expect.stringContaining('--value-range must be two numbers low,high')]);
    await expect(trained(deep, { valueRange: [9, 9] })).rejects.toMatchObject({ code: 'value-range' });
    await expect(trained(eight, { valueRange: [0, 1] })).rejects.toThrow('more than 8 bits only');
  });

  it('floats of any range are read, and refused by a detector that knows no range', async () => {
    const data = parts('float', 'tif', float);
    const { report, info, out } = await trained(data);
    expect(report.metrics.item.auroc).toBe(1);
    const [low, high] = info.image.range.floats;
    expect([low < -8, high > 32]).toEqual([true, true]);
    const { predictions } = await predict({ run: out, images: [join(data, 'spot', '1.tif')] });
    expect(predictions[0].score).toBeGreaterThan(0);
    const plain = await trained(eight);
    const { failed } = await predict({ run: plain.out, images: [join(data, 'good', '1.tif')] });
    expect(failed).toEqual([expect.objectContaining({ code: 'value-range' })]);
  });

  it('fit measures too', async () => {
    const images = Array.from({ length: 20 }, (_, i) => join(deep, 'good', `${i}.png`));
    await using detector = await fit('mean-image', images, { size: [16, 16], threads: 1 });
    expect(detector.info.image?.range.bits16).toEqual([0, 1023]);
    const odd = (await detector.scoreImage(join(deep, 'spot', '1.png'))).score;
    expect(odd).toBeGreaterThan(1.5 * (await detector.scoreImage(join(deep, 'good', '21.png'))).score);
  });

  it('inspect says what share of the range is used', () => {
    const { stdout } = oddity('inspect', deep);
    expect(stdout).toMatch(
      /warning narrow-range: The normal images use values from \d+ to \d+, 0\.\d+ % of what 16 bits hold\./,
    );
  });
});

describe('stacks', () => {
  it('every page is scored, and the odd one is found', async () => {
    const page = (n: number, isOdd = false) => ({ ...size, data: Uint8Array.from(samples(n, isOdd), (v) => 255 * v) });
    const data = join(root, 'stacks');
    put(join(data, 'good', 'a.tif'), writeTiff(Array.from({ length: 20 }, (_, i) => page(i))));
    put(join(data, 'good', 'b.tif'), writeTiff([page(20)]));
    put(join(root, 'q', 'two.tif'), writeTiff([page(30), page(31, true)]));
    const { out, report } = await trained(data);
    expect(report.counts.train + report.counts.validation + report.counts.test).toBe(21);
    const { status, stdout, stderr } = oddity('predict', out, 'q', '--json', '--maps', 'overlay', '--out', 'found');
    expect(status, stderr).toBe(0);
    const { predictions } = JSON.parse(stdout);
    expect(predictions.map((p: { path: string; isAnomalous: boolean }) => [p.path, p.isAnomalous])).toEqual([
      ['q/two.tif:1', false],
      ['q/two.tif:2', true],
    ]);
    expect(predictions[1].maps.overlay).toBe(join('found', 'maps', 'two-page2-overlay.png'));
    await using detector = await loadDetector(out);
    await expect(detector.scoreImage(join(root, 'q', 'two.tif'))).rejects.toMatchObject({ code: 'several-pages' });
    expect((await detector.scoreImage(join(root, 'q', 'two.tif:2'))).score).toBe(predictions[1].score);
  });
});

describe('mixtures', () => {
  it('a colour image among grey ones is told, and can be read as grey', async () => {
    const data = parts('mixed', 'png', png8);
    put(
      join(data, 'good', '3.png'),
      encodePng({ ...size, channels: 3, data: new Uint8Array(3 * HEIGHT * WIDTH).fill(90) }),
    );
    const both = await trained(data);
    expect(both.warnings.find(({ code }) => code === 'mixed-channels')?.message).toBe(
      '29 images are grey and 1 are in colour (colour: good/3.png), so all are read with 3 channels. Read them as grey with ' +
        '`channels: 1`, or save all in one mode.',
    );
    const grey = await trained(data, { channels: 1 });
    expect(grey.warnings.map(({ code }) => code)).not.toContain('mixed-channels');
    expect(grey.info.shape).toEqual([1, 16, 16]);
  });

  it('sizes of other proportions are told', async () => {
    const data = parts('sizes', 'png', png8);
    put(
      join(data, 'good', '3.png'),
      encodePng({ height: 60, width: 24, channels: 1, data: new Uint8Array(60 * 24).fill(90) }),
    );
    expect((await trained(data)).warnings.find(({ code }) => code === 'mixed-sizes')?.message).toBe(
      'The images have 2 sizes, width x height: 24x20 (29), 24x60 (1). All are stretched to 16x16, which distorts some 3.0 ' +
        'times as much as others. Crop them to one aspect ratio, or train on the images of one size.',
    );
  });
});

describe('masks beside images', () => {
  it('train, test and predict see images only', async () => {
    const data = join(root, 'beside');
    const jpeg = (n: number, isOdd: boolean) =>
      sharp(
        Uint8Array.from(samples(n, isOdd), (v) => 255 * v),
        { raw: { ...size, channels: 1 } },
      )
        .toColourspace('b-w')
        .jpeg({ quality: 95 })
        .toBuffer();
    const mask = encodePng({
      ...size,
      channels: 1,
      data: Uint8Array.from(samples(0, true), (v) => (v === 1 ? 255 : 0)),
    });
    for (let i = 0; i < 24; i++) put(join(data, 'good', `${i}.jpg`), await jpeg(i, false));
    for (let i = 0; i < 5; i++) {
      put(join(data, 'spot', `${i}.jpg`), await jpeg(50 + i, true));
      put(join(data, 'spot', `${i}.png`), mask);
    }
    const { report, out } = await trained(data);
    expect(report.counts).toMatchObject({ testAnomalies: 5 });
    expect(report.metrics.map?.auroc).toBeGreaterThan(0.9);
    expect(readFileSync(join(out, 'predictions.csv'), 'utf8')).not.toContain('png');
    const { stdout, stderr } = oddity('predict', out, 'beside/spot', '--json');
    expect(JSON.parse(stdout).predictions.length).toBe(5);
    expect(stderr).toContain(
      'Masks of images are left out: beside/spot/0.png, beside/spot/1.png, beside/spot/2.png, and 2 more.',
    );
  });
});

it('a program with ONNX Runtime alone scores an image of any size as oddity does', () => {
  const text = execFileSync(process.execPath, ['examples/plain-onnxruntime.mjs'], { cwd: home, encoding: 'utf8' });
  const [, alone] = /^score (\S+)/m.exec(text) ?? [];
  const [, ours] = /^oddity (\S+)/m.exec(text) ?? [];
  expect(Number(alone)).toBeGreaterThan(0);
  expect(Number(alone)).toBeCloseTo(Number(ours), 5);
});
