/**
 * Hashes of every model's training and scoring graphs as ONNX bytes, with seeded initial weights and statistics fitted on
 * fixed items by the plain reference: no ONNX Runtime and no data, so any machine gives the same table. A change that
 * leaves the table as it is changes no graph. Plain JavaScript, so that it also runs beside an older build.
 * Usage: node scripts/replay.mjs [--write]   compares with test/golden/replay.csv, or replaces it
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { loadBackbone } from '../dist/backbones/load.js';
import { Rng } from '../dist/core/random.js';
import { fitData } from '../dist/engine/fitting/items.js';
import { scoringProgram } from '../dist/engine/scoring/graph.js';
import { resolveConfig } from '../dist/engine/task/config.js';
import { emitProgram } from '../dist/graph/emit.js';
import { encodeModel } from '../dist/graph/onnx/write.js';
import { models } from '../dist/models/index.js';
import { assemble, initialize } from '../dist/nn/training.js';
import { openReferenceRuntime } from '../dist/runtime/reference.js';

export const tablePath = fileURLToPath(new URL('../test/golden/replay.csv', import.meta.url));

/** Shapes of items by kind; colour images only where a model is cheap enough for the plain reference. */
const shapes = {
  image: [
    [1, 16, 16],
    [3, 16, 16],
  ],
  table: [[6]],
  series: [[16, 2]],
};
const ITEMS = 24;
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** Over the graph for the native device, with and without blocks of channels, and for WebAssembly. */
const targets = ['cpu', { device: 'cpu', blockSize: 16 }, 'wasm'];
const hashOf = (program) =>
  sha256(targets.map((target) => sha256(encodeModel(emitProgram(program, target)).model)).join());

/** Items about a plane, so that statistics are well conditioned; images in [0, 1]. */
function itemsOf(shape) {
  const size = shape.reduce((n, d) => n * d, 1);
  const rng = new Rng(11).split(shape.join('x'));
  const directions = Array.from({ length: 3 }, (_, k) => rng.split(k).normals(size));
  const values = new Float32Array(ITEMS * size);
  for (let i = 0; i < ITEMS; i++) {
    const weights = rng.split('item').split(i).normals(3);
    const noise = rng.split('noise').split(i).normals(size);
    for (let p = 0; p < size; p++) {
      const v = 0.5 + 0.1 * (weights[0] * directions[0][p] + weights[1] * directions[1][p] + 0.2 * noise[p]);
      values[i * size + p] = Math.min(1, Math.max(0, v));
    }
  }
  return {
    name: 'replay',
    shape,
    items: Array.from({ length: ITEMS }, (_, i) => ({ id: String(i), class: i % 2, part: 'train' })),
    async read(indices, out) {
      for (let k = 0; k < indices.length; k++)
        out.set(values.subarray(indices[k] * size, (indices[k] + 1) * size), k * size);
    },
  };
}

/** The rows of one model and shape: a hash for each phase, and one of the scoring graph. */
async function rowsOf(model, shape) {
  const config = resolveConfig(model, { config: model.tiny }, { shape, count: ITEMS });
  if (model.unsuitable?.(config, shape)) return [];
  const rng = new Rng(1);
  const choice = model.backbone?.(config);
  const weights = choice ? await loadBackbone(choice.name, choice.taps, { root: '/nowhere', download: false }) : {};
  let tensors = Object.fromEntries(Object.entries(weights).map(([name, t]) => [`backbone.${name}`, t]));
  const rows = [];
  if (model.learns === 'gradient') {
    for (const { phase, batchSize } of model.phases(config, shape)) {
      const made = assemble(phase, { shape: [Math.min(batchSize, ITEMS), ...shape], classes: 2 });
      rows.push([`train ${phase.name}`, hashOf(made.program)]);
      const missing = made.specs.filter((s) => !(s.name in tensors));
      tensors = { ...tensors, ...initialize(missing, rng.split('init')) };
    }
  } else if (model.learns === 'statistics') {
    const source = itemsOf(shape);
    const train = Uint32Array.from({ length: ITEMS }, (_, i) => i);
    const runtime = openReferenceRuntime();
    const learnt = await model.fit(config, fitData({ source, train, rng, runtime, pretrained: tensors }));
    tensors = { ...tensors, ...learnt };
  }
  rows.push(['score', hashOf(scoringProgram(model, config, shape, tensors))]);
  return rows.map((row) => [model.name, shape.join('x'), ...row]);
}

/** The whole table as CSV. */
export async function replay(report = () => {}) {
  const lines = ['model,shape,graph,sha256'];
  for (const model of models) {
    for (const shape of model.inputs.flatMap((kind) => shapes[kind] ?? [])) {
      const begin = performance.now();
      lines.push(...(await rowsOf(model, shape)).map((row) => row.join()));
      report(`${model.name} ${shape.join('x')} ${((performance.now() - begin) / 1000).toFixed(1)} s`);
    }
  }
  return `${lines.join('\n')}\n`;
}

/** Lines that differ, `-` as the table has it and `+` as it is now; empty when nothing changed. */
export function differences(before, after) {
  const [a, b] = [before, after].map((text) => text.trim().split('\n'));
  return [
    ...a.filter((line) => !b.includes(line)).map((line) => `- ${line}`),
    ...b.filter((line) => !a.includes(line)).map((line) => `+ ${line}`),
  ];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const table = await replay((line) => console.error(line));
  if (process.argv.includes('--write')) writeFileSync(tablePath, table);
  const found = differences(readFileSync(tablePath, 'utf8'), table);
  console.log(found.length > 0 ? found.join('\n') : `${table.trim().split('\n').length - 1} graphs, all as before.`);
  process.exitCode = found.length > 0 ? 1 : 0;
}
