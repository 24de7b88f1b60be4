// A trained detector is an ordinary ONNX file: here onnxruntime-node scores with it, and oddity is not needed any more.
// Run: node examples/plain-onnxruntime.mjs [model.onnx]
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';

// Without a file: train a small one first.
const folder = await mkdtemp(join(tmpdir(), 'oddity-example-'));
let file = process.argv[2];
if (!file) {
  const { train } = await import('oddity');
  const config = { epochs: 5, width: 8, code: 8 };
  await train({ model: 'autoencoder', data: 'synthetic', class: 'texture', config, out: join(folder, 'run') });
  file = join(folder, 'run', 'model.onnx');
}

// The ten lines. Any batch size; values in [0, 1]; preprocessing is inside.
const session = await ort.InferenceSession.create(file);
const shape = [2, 1, 16, 16];
const pixels = new Float32Array(2 * 256).fill(0.5);
pixels.fill(1, 256 + 100, 256 + 110); // the second image has a bright line
const { score, map } = await session.run({ image: new ort.Tensor('float32', pixels, shape) });
console.log('scores', [...score.data], 'map', map.dims);
await session.release();

await rm(folder, { recursive: true });
