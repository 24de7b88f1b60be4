/**
 * PatchCore with the backbone in the box at 256 × 256, from files to a calibrated artefact, and one image at a time
 * through that artefact. Training runs in a process of its own, whose largest memory is told. The images are made by rule.
 * `npm run bench -- patchcore [--json] [--images n] [--coreset share]`.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Rng } from '../src/core/random.ts';
import { encodePng } from '../src/data/index.ts';
import { loadDetector, type RunReport } from '../src/runs/index.ts';
import { median, option, saveRows } from './measure.ts';

const side = 256;
const images = Number(option('images') || 240);
const shares = option('coreset') ? [Number(option('coreset'))] : [0.01, 0.1];

/** Stripes with noise, a little different each time. */
function picture(seed: number): Uint8Array {
  const rng = new Rng(seed);
  const [phase, tilt] = rng.uniforms(2);
  const noise = rng.normals(side * side, 0, 8);
  const data = Uint8Array.from(noise, (v, p) => {
    const [y, x] = [Math.floor(p / side), p % side];
    return Math.min(255, Math.max(0, 128 + 60 * Math.sin(x / 6 + (tilt * y) / 20 + 6 * phase) + v));
  });
  return encodePng({ height: side, width: side, channels: 1, data });
}

const folder = await mkdtemp(join(tmpdir(), 'oddity-patchcore-'));
try {
  for (const [part, count] of [
    ['train', images],
    ['test', 2],
  ] as const) {
    await mkdir(join(folder, 'parts', part, 'good'), { recursive: true });
    for (let i = 0; i < count; i++)
      await writeFile(join(folder, 'parts', part, 'good', `${i}.png`), picture(i + (part === 'test' ? 10_000 : 0)));
  }
  const rows: Record<string, unknown>[] = [];
  for (const coreset of shares) {
    const out = join(folder, `run-${coreset}`);
    const args = ['train', 'patchcore', '--data', join(folder, 'parts'), '--set', `coreset=${coreset}`, '--out', out];
    const begin = performance.now();
    await promisify(execFile)(process.execPath, ['dist/cli/main.js', ...args, '--quiet', '--json']);
    const seconds = (performance.now() - begin) / 1000;
    const report = JSON.parse(await readFile(join(out, 'metrics.json'), 'utf8')) as RunReport;
    const detector = await loadDetector(out, { device: 'cpu' });
    const image = new Float32Array(side * side);
    const times: number[] = [];
    for (let i = 0; i < 30; i++) {
      for (let p = 0; p < image.length; p++) image[p] = ((p * 31 + i * 17) % 255) / 255;
      const start = performance.now();
      await detector.score(image, 1);
      times.push(performance.now() - start);
    }
    await detector.close();
    const row = {
      name: `patchcore ${images} images of ${side}x${side}, coreset ${coreset}`,
      commandSeconds: Number(seconds.toFixed(1)),
      fitSeconds: Number(report.timings.fitSeconds.toFixed(1)),
      peakMiB: Math.round(report.peakMemoryBytes / 2 ** 20),
      millisecondsPerImage: Number(median(times.slice(5)).toFixed(1)),
      artefactMiB: Number(((await stat(join(out, 'model.onnx'))).size / 2 ** 20).toFixed(1)),
    };
    rows.push(row);
    if (option('json') === undefined) console.log(JSON.stringify(row));
  }
  if (option('json') !== undefined) console.log(JSON.stringify({ rows }));
  await saveRows('patchcore', rows);
} finally {
  await rm(folder, { recursive: true, force: true });
}
