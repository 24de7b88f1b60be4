/** `export --precision`: smaller files whose cost is measured, said and bounded, and that every host reads. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rng } from '../../dist/core/random.js';
import { encodePng } from '../../dist/data/index.js';
import { type ArtifactInfo, exportModel, loadDetector, train } from '../../dist/index.js';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'oddity-precision-'));
const at = (...parts: string[]) => join(root, ...parts);
afterAll(() => rmSync(root, { recursive: true, force: true }));

const side = 64;
function writeImage(path: string, seed: number, isOdd = false): string {
  const data = Uint8Array.from(new Rng(seed).uniforms(side * side), (v, p) => 90 + 40 * v + 30 * Math.sin(p / 5));
  if (isOdd) for (let y = 8; y < 24; y++) data.fill(250, y * side + 8, y * side + 24);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, encodePng({ height: side, width: side, channels: 1, data }));
  return path;
}

const images = at('images');
const net = at('net');
const rows = at('rows');
const info = (folder: string): ArtifactInfo => JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8'));
const sizeOf = (folder: string) => statSync(join(folder, 'model.onnx')).size;
let odd: string;

beforeAll(async () => {
  for (let i = 0; i < 16; i++) writeImage(at('parts', 'train', 'good', `${i}.png`), i);
  for (let i = 0; i < 5; i++) writeImage(at('parts', 'test', 'good', `${i}.png`), 100 + i);
  for (let i = 0; i < 5; i++) odd = writeImage(at('parts', 'test', 'spot', `${i}.png`), 200 + i, true);
  const config = { taps: 'fine', coreset: 0.2 };
  await train({ model: 'patchcore', data: at('parts'), size: [side, side], config, out: images, threads: 1 });
  await train({
    model: 'autoencoder',
    data: at('parts'),
    size: [side, side],
    config: { epochs: 4 },
    out: net,
    threads: 1,
  });
  const draw = new Rng(3);
  const lines = Array.from({ length: 300 }, () => Array.from(draw.normals(6), (v) => v.toFixed(4)).join());
  writeFileSync(at('table.csv'), `a,b,c,d,e,f\n${lines.join('\n')}\n`);
  await train({ model: 'knn', data: at('table.csv'), out: rows, threads: 1 });
}, 120_000);

describe('export --precision', () => {
  it('fp16 halves the file, with the same judgement on cpu and wasm', async () => {
    const out = at('images-fp16');
    const result = await exportModel({ run: images, out, precision: 'fp16' });
    const report = info(out).precision!;
    expect(result.precision).toEqual(report);
    expect(sizeOf(out)).toBeLessThan(0.55 * sizeOf(images));
    expect(report).toMatchObject({
      weights: 'fp16',
      sizeBytes: sizeOf(out),
      sizeBefore: sizeOf(images),
      decisionsChanged: 0,
    });
    expect(report).toMatchObject({ before: { auroc: 1 }, after: { auroc: 1 }, judged: { items: 10, on: 'test' } });
    expect(report.scoreDifference).toBeGreaterThan(0);
    expect(report.scoreDifference).toBeLessThan(0.02 * report.scoreDeviation);
    await agree(images, out, 0.005);
  }, 60_000);

  it('int8 makes it a quarter', async () => {
    const out = at('net-int8');
    const { precision } = await exportModel({ run: net, out, precision: 'int8', acceptLoss: true });
    expect(sizeOf(out)).toBeLessThan(0.27 * sizeOf(net));
    expect(precision).toMatchObject({ before: { auroc: 1 }, after: { auroc: 1 } });
    expect(precision!.scoreDifference).toBeLessThan(precision!.scoreDeviation);
    await agree(net, out, 0.05);
  }, 60_000);

  it('measures on planted outliers where no item is labelled anomalous, and gives the same bytes again', async () => {
    const [one, other] = [at('rows-fp16'), at('rows-again')];
    const { precision } = await exportModel({ run: rows, out: one, precision: 'fp16' });
    expect(precision!.judged.on).toBe('planted');
    expect(precision!.after.auroc).toBeCloseTo(precision!.before.auroc!, 2);
    expect(precision!.normals).toBeGreaterThan(10);
    await exportModel({ run: rows, out: other, precision: 'fp16' });
    for (const name of ['model.onnx', 'model.json'])
      expect(readFileSync(join(other, name))).toEqual(readFileSync(join(one, name)));
  });

  it('is refused with a sentence, and writes nothing then', async () => {
    const out = at('none');
    const refused = (options: object) => expect(exportModel({ run: images, out, ...options })).rejects;
    await refused({ precision: 'fp8' }).toMatchObject({
      code: 'precision',
      message: expect.stringContaining('fp16, int8'),
    });
    await refused({ precision: 'fp16', out: images }).toMatchObject({ code: 'precision-out' });
    await refused({ precision: 'fp16', out: undefined }).toMatchObject({ code: 'precision-out' });
    await refused({ acceptLoss: true }).toMatchObject({ code: 'precision' });
    const moved = at('parts', 'train', 'good', '3.png');
    const bytes = readFileSync(moved);
    rmSync(moved);
    await refused({ precision: 'fp16' }).toMatchObject({ code: 'data-changed' });
    writeFileSync(moved, bytes);
    expect(existsSync(out)).toBe(false);
    // A mean image has one large tensor only, which is no weight of a product: int8 stores it as fp16.
    await train({ model: 'mean-image', data: at('parts'), size: [side, side], out: at('mean'), threads: 1 });
    await exportModel({ run: at('mean'), out: at('mean-int8'), precision: 'int8' });
    expect(info(at('mean-int8')).precision).toMatchObject({ weights: 'int8' });
  });

  it('says what it costs, and refuses what costs too much unless it is asked to', async () => {
    const { status, stdout } = oddity('export', images, '--out', at('said'), '--precision', 'fp16');
    expect(status).toBe(0);
    expect(stdout).toMatch(/weights\s+fp16, 5\d % of/);
    expect(stdout).toMatch(/scores\s+differ by .* at most on \d+ normals .*; 0 decisions change/);
    expect(stdout).toMatch(/AUROC.*\s+1\.0000 before, 1\.0000 after, on 10 test items/);
    const strict = oddity('export', images, '--out', at('strict'), '--precision', 'int8');
    expect({ status: strict.status, stderr: strict.stderr }).toEqual({
      status: 3,
      stderr: expect.stringMatching(/int8 costs .* too much: .*--accept-loss/s),
    });
    expect(existsSync(at('strict'))).toBe(false);
    const forced = oddity('export', images, '--out', at('strict'), '--precision', 'int8', '--accept-loss');
    expect(forced.stdout).toMatch(/7 decisions change/);
  });
});

/** A detector scores an anomalous image as another one does, on devices with kernels of their own. */
async function agree(run: string, other: string, share: number): Promise<void> {
  await using exact = await loadDetector(run, { device: 'cpu', threads: 1 });
  const wanted = await exact.scoreImage(odd);
  for (const device of ['cpu', 'wasm'] as const) {
    await using detector = await loadDetector(other, { device, threads: 1 });
    const { score, isAnomalous } = await detector.scoreImage(odd);
    expect(isAnomalous).toBe(true);
    expect(Math.abs(score / wanted.score - 1)).toBeLessThan(share);
  }
}

function oddity(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' });
  return { status, stdout, stderr };
}
