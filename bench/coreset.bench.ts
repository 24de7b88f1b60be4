/**
 * Greedy selection of a bank of patches: 1 % of the rows of 216 images with 32 × 32 places, in 128 dimensions, against the
 * approximate greedy selection of PatchCore's authors in PyTorch eager, two threads, on the same rows, interleaved.
 * Coverage is the largest distance of a row to its nearest chosen one: smaller is better.
 * `npm run bench -- coreset [--json] [--rounds n] [--images n]`. Needs python3-torch for the ratios.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Rng } from '../src/core/random.ts';
import { greedyCoreset } from '../src/models/parts/fitting/coreset.ts';
import { openRuntime } from '../src/runtime/index.ts';
import { median, option, pytorch, saveRows } from './measure.ts';

const rounds = Number(option('rounds') || 3);
const images = Number(option('images') || 216);
const [width, clusters] = [128, 300];
const n = images * 32 * 32;
const count = Math.round(n / 100);

// Rows about some centres, as patches of alike images are.
const rng = new Rng(1);
const centres = rng.normals(clusters * width);
const members = rng.permutation(n).map((i) => i % clusters);
const rows = rng.normals(n * width, 0, 0.3);
for (let i = 0; i < rows.length; i++) rows[i] += centres[members[Math.floor(i / width)] * width + (i % width)];

const runtime = await openRuntime('cpu');
const mine = async () => {
  const begin = performance.now();
  const { radius } = await greedyCoreset(rows, width, count, {
    compile: (program) => runtime.compile(program, { carry: program.carry }),
    onEvent: () => {},
    rng: new Rng(2),
  });
  return { seconds: (performance.now() - begin) / 1000, radius };
};
const folder = await mkdtemp(join(tmpdir(), 'oddity-coreset-'));
try {
  const path = join(folder, 'rows.f32');
  await writeFile(path, new Uint8Array(rows.buffer));
  const question = { path, width, count };
  const torch = await pytorch('coreset.py', { ...question, count: 2 }, 2);
  if (!torch) console.error('PyTorch is absent (Debian: python3-torch, libopenblas0-pthread): no ratios.');
  const own: Awaited<ReturnType<typeof mine>>[] = [];
  const theirs: { seconds: number; radius: number }[] = [];
  for (let round = 0; round < rounds; round++) {
    own.push(await mine());
    if (torch) theirs.push((await torch(question)) as { seconds: number; radius: number });
  }
  torch?.end();
  const row = {
    name: `${count} of ${n} rows of ${width}`,
    seconds: Number(median(own.map((r) => r.seconds)).toFixed(2)),
    coverage: Number(median(own.map((r) => r.radius)).toFixed(4)),
    pytorchSeconds: torch ? Number(median(theirs.map((r) => r.seconds)).toFixed(2)) : null,
    pytorchCoverage: torch ? Number(median(theirs.map((r) => r.radius)).toFixed(4)) : null,
    ratioToPyTorch: torch ? Number(median(own.map((r, i) => theirs[i].seconds / r.seconds)).toFixed(2)) : null,
  };
  console.log(option('json') === undefined ? JSON.stringify(row) : JSON.stringify({ rounds, rows: [row] }));
  await saveRows('coreset', [row]);
} finally {
  await runtime.close();
  await rm(folder, { recursive: true, force: true });
}
