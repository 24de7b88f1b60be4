/**
 * Pixel AUROC, pixel AP and AUPRO of 500 maps of 256 x 256: seconds by the clock, seconds of processor time (which a
 * busy machine stretches less) and the largest resident memory. A third of the maps has one to four round defects whose
 * pixels score higher. Each case runs in a process of its own, so that its memory is its own; maps are made one by one
 * and not kept, as in an evaluation. "all at once" keeps them, as `aupro(maps, masks, …)` needs.
 * `npm run bench -- pixel-metrics [--json] [--save] [--rounds n]`.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Rng } from '../src/core/random.ts';
import { aupro, type PixelMetricsOptions, pixelMetrics } from '../src/metrics/index.ts';
import { median, option, saveRows } from './measure.ts';

const size = 256;
const count = 500;

/** Map and mask number `i`. */
function picture(i: number): { map: Float32Array; mask: Uint8Array } {
  const rng = new Rng(i);
  const map = rng.normals(size * size);
  const mask = new Uint8Array(size * size);
  const defects = i % 3 === 0 ? 1 + rng.int(4) : 0;
  for (let k = 0; k < defects; k++) {
    const [x, y, radius] = [rng.int(size), rng.int(size), 3 + rng.int(30)];
    for (let v = Math.max(0, y - radius); v < Math.min(size, y + radius); v++) {
      for (let u = Math.max(0, x - radius); u < Math.min(size, x + radius); u++) {
        if ((u - x) ** 2 + (v - y) ** 2 < radius ** 2) mask[v * size + u] = 1;
      }
    }
  }
  return { map: map.map((v, at) => v + 1.5 * mask[at]), mask };
}

const cases: Record<string, PixelMetricsOptions | 'all at once'> = {
  'streamed, exact': {},
  'streamed, folded into bins': { exactPixels: 2 ** 23 },
  'all at once': 'all at once',
};

/** Seconds within the metrics alone, by the clock and of the processor, and what they say. */
function measure(options: PixelMetricsOptions | 'all at once') {
  let seconds = 0;
  let cpuSeconds = 0;
  const timed = <T>(work: () => T): T => {
    const begin = performance.now();
    const before = process.cpuUsage();
    const value = work();
    seconds += (performance.now() - begin) / 1000;
    const { user, system } = process.cpuUsage(before);
    cpuSeconds += (user + system) / 1e6;
    return value;
  };
  if (options === 'all at once') {
    const pictures = Array.from({ length: count }, (_, i) => picture(i));
    const maps = pictures.map((p) => p.map);
    const masks = pictures.map((p) => p.mask);
    const area = timed(() => aupro(maps, masks, size, size));
    return { seconds, cpuSeconds, pixelAuroc: null, pixelAp: null, aupro: area, errorBound: 0 };
  }
  const pixels = pixelMetrics(options);
  for (let i = 0; i < count; i++) {
    const { map, mask } = picture(i);
    timed(() => pixels.add({ map, mask, height: size, width: size }));
  }
  const { auroc: pixelAuroc, ap: pixelAp, aupro: area, error } = timed(() => pixels.result());
  return { seconds, cpuSeconds, pixelAuroc, pixelAp, aupro: area, errorBound: Math.max(...Object.values(error)) };
}

const only = option('case');
if (only !== undefined) {
  console.log(JSON.stringify({ ...measure(cases[only]), peakMiB: process.resourceUsage().maxRSS / 1024 }));
} else {
  const rows = Object.keys(cases).map((name) => {
    const runs = Array.from(
      { length: Number(option('rounds') || 3) },
      () =>
        JSON.parse(
          execFileSync(process.execPath, [fileURLToPath(import.meta.url), '--case', name], { encoding: 'utf8' }),
        ) as ReturnType<typeof measure> & { peakMiB: number },
    );
    const { seconds: _, cpuSeconds: _cpu, peakMiB: _peak, ...values } = runs[0];
    return {
      name: `${count} maps ${size}x${size}, ${name}`,
      seconds: Number(median(runs.map((r) => r.seconds)).toFixed(2)),
      cpuSeconds: Number(median(runs.map((r) => r.cpuSeconds)).toFixed(2)),
      peakMiB: Math.round(Math.max(...runs.map((r) => r.peakMiB))),
      ...values,
    };
  });
  console.log(option('json') === undefined ? rows.map((r) => JSON.stringify(r)).join('\n') : JSON.stringify({ rows }));
  await saveRows('pixel-metrics', rows);
}
