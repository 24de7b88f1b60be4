/**
 * Fitting and scoring in a page of Chromium, in the worker of `openWorker` on WebAssembly with one thread: PatchCore with the
 * backbone in the box, from 20 PNG files of 256 × 256 in colour to a detector with its threshold, and one image at a time through
 * it. On a machine with other work the seconds of the processor are the steadier figure: those of all of Chromium, from the start of
 * the page to its end, the ten images that are scored included. Needs `npm run build` and /usr/bin/chromium. `npm run bench -- page [--json] [--images n]`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { openSite } from '../test/helpers/page.ts';
import { option, saveRows } from './measure.ts';

const side = 256;
const images = Number(option('images') || 20);
const at = (...parts: string[]) => JSON.stringify(resolve(...parts));

const script = `
import { openWorker } from ${at('dist/browser/index.js')};
import { Rng } from ${at('dist/core/random.js')};
import { encodePng } from ${at('dist/data/formats/png.js')};

/** Stripes with noise, a little different each time. */
function picture(seed) {
  const rng = new Rng(seed);
  const [phase, tilt] = rng.uniforms(2);
  const noise = rng.normals(${3 * side * side}, 0, 8);
  const data = Uint8Array.from(noise, (v, i) => {
    const p = Math.floor(i / 3);
    const [y, x] = [Math.floor(p / ${side}), p % ${side}];
    return Math.min(255, Math.max(0, 128 + 60 * Math.sin(x / 6 + (tilt * y) / 20 + 6 * phase) + v));
  });
  return new Blob([encodePng({ height: ${side}, width: ${side}, channels: 3, data })]);
}

globalThis.measure = async (count) => {
  const files = Array.from({ length: count }, (_, i) => picture(i));
  const worker = openWorker();
  const begin = performance.now();
  const detector = await worker.fit('patchcore', files, { threads: 1, weights: 'oddity.safetensors' });
  const fitSeconds = (performance.now() - begin) / 1000;
  const times = [];
  for (let i = 0; i < 10; i++) {
    const start = performance.now();
    await detector.scoreImage(picture(1000 + i));
    times.push(performance.now() - start);
  }
  await worker.close();
  return { fitSeconds, millisecondsPerImage: times.sort((a, b) => a - b)[5], shape: detector.shape.join('x') };
};`;

/** Seconds of the processor that the processes below this one took so far, and those that they ended (Linux). */
function childSeconds(): number {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
          .replace(/^.*\) /, '')
          .split(' ')
          .map(Number);
        return [{ pid: Number(pid), parent: fields[1], ticks: fields[11] + fields[12] + fields[13] + fields[14] }];
      } catch {
        return []; // it ended just now
      }
    });
  const below = new Set([process.pid]);
  for (let size = 0; size < below.size; ) {
    size = below.size;
    for (const { pid, parent } of all) if (below.has(parent)) below.add(pid);
  }
  return all.reduce((sum, { pid, ticks }) => sum + (pid !== process.pid && below.has(pid) ? ticks / 100 : 0), 0);
}

const site = await openSite(script, { 'oddity.safetensors': resolve('weights/oddity.safetensors') });
try {
  const before = childSeconds();
  const found = await site.call<{ fitSeconds: number; millisecondsPerImage: number; shape: string }>(
    `measure(${images})`,
  );
  const row = {
    name: `patchcore in a page, ${images} images of ${side}x${side}, wasm, one thread`,
    shape: found.shape,
    fitSeconds: Number(found.fitSeconds.toFixed(1)),
    cpuSeconds: Math.round(childSeconds() - before),
    millisecondsPerImage: Math.round(found.millisecondsPerImage),
  };
  console.log(JSON.stringify(option('json') === undefined ? row : { rows: [row] }));
  await saveRows('page', [row]);
} finally {
  await site.close();
}
