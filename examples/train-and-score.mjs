// Train a detector on normal images, then score images that it has not seen.
// Run: node examples/train-and-score.mjs   (made-up images; for digits: data 'mnist', class 1)
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadDetector, train } from 'oddity';
import { synthetic } from 'oddity/data';

const folder = await mkdtemp(join(tmpdir(), 'oddity-example-'));
const run = join(folder, 'run');

const report = await train({
  model: 'autoencoder',
  data: 'synthetic',
  class: 'texture', // what is normal
  config: { epochs: 20, width: 8, code: 8 },
  falseAlarmRate: 0.1,
  seed: 1,
  out: run,
  onEvent: (event) => event.type === 'warning' && console.warn(event.message),
});
console.log('AUROC', report.metrics.item.auroc, 'mean image', report.baselines['mean-image'].item.auroc);

const detector = await loadDetector(run);
const source = await synthetic({ count: 6, seed: 7 });
const images = new Float32Array(6 * 256);
await source.read([0, 1, 2, 3, 4, 5], images);
const { scores, maps } = await detector.score(images, 6);
for (const [i, item] of source.items.entries()) {
  const decision = scores[i] >= (detector.threshold ?? Infinity) ? 'anomalous' : 'normal';
  const map = maps.subarray(256 * i, 256 * (i + 1));
  const peak = map.indexOf(Math.max(...map)); // the oddest pixel
  const where = `x ${peak % 16}, y ${Math.floor(peak / 16)}`;
  console.log(source.classes[item.class].padEnd(8), scores[i].toFixed(4), decision, 'oddest at', where);
}
await detector.close();
await rm(folder, { recursive: true });
