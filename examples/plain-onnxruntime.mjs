// A trained detector is an ordinary ONNX file: here onnxruntime-node scores an image of any size with it, as model.json
// says, and oddity is not needed any more. Run: node examples/plain-onnxruntime.mjs [folder of model.onnx]
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';

/** Resizes rows of `n` values each: a triangle over every output, as wide as the scale where the image shrinks. */
function resize(/** @type {number[][]} */ rows, /** @type {number} */ to) {
  const scale = rows.length / to;
  const support = Math.max(1, scale);
  return Array.from({ length: to }, (_, o) => {
    const weights = rows.map((_, k) => Math.max(0, 1 - Math.abs(k - (o + 0.5) * scale + 0.5) / support));
    const total = weights.reduce((a, b) => a + b);
    return rows[0].map(
      (_, x) => rows.reduce((sum, row, k) => (weights[k] ? sum + weights[k] * row[x] : sum), 0) / total,
    );
  });
}
const transposed = (/** @type {number[][]} */ rows) => rows[0].map((_, x) => rows.map((row) => row[x]));

// Without a folder: train a small one first.
const temporary = await mkdtemp(join(tmpdir(), 'oddity-example-'));
const folder = process.argv[2] ?? join(temporary, 'run');
if (!process.argv[2]) {
  const { train } = await import('oddity');
  const config = { epochs: 5, width: 8, code: 8 };
  await train({ model: 'autoencoder', data: 'synthetic', class: 'texture', config, out: folder });
}
const info = JSON.parse(await readFile(join(folder, 'model.json'), 'utf8'));
const [channels, height, width] = info.shape;

// Any decoder gives such pixels: bytes, rows from the top left. This is grey from dark to light, with a bright line.
const photo = { height: 40, width: 60, data: Uint8Array.from({ length: 2400 }, (_, i) => (i % 60) * 3) };
photo.data.fill(255, 900, 940);

// Transparent pixels would be laid over image.background before, colours joined by image.grey after the resize.
const { range, resize: how } = info.image;
if (how.filter !== 'triangle' || how.fit !== 'stretch') throw new Error('Another way to resize.');
const rows = Array.from({ length: photo.height }, (_, y) => [...photo.data.subarray(y * 60, (y + 1) * 60)]);
const sized = transposed(resize(transposed(resize(rows, height)), width)).flat();
const [low, high] = range.bits8;
const plane = sized.map((v) => (Math.floor(v + 0.5) - low) / (high - low)); // whole numbers, then 0 to 1
const input = Float32Array.from(Array.from({ length: channels }, () => plane).flat());

const session = await ort.InferenceSession.create(join(folder, 'model.onnx'));
const { score, map } = await session.run({ image: new ort.Tensor('float32', input, [1, ...info.shape]) });
console.log('score', score.data[0], 'threshold', info.threshold.value, 'map', map.dims);
await session.release();

if (!process.argv[2]) {
  const { loadDetector } = await import('oddity');
  const detector = await loadDetector(folder);
  console.log('oddity', (await detector.scoreImage(photo)).score); // the same
  await detector.close();
}
await rm(temporary, { recursive: true });
