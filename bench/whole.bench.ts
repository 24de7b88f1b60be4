/**
 * Whole commands, in processes of their own: `oddity train` of detectors of 100,000 rows of 20 columns and, where ODDITY_DATA has it, of
 * magnetic_tile, with the parts that no command can do without – decoding, fit, scoring of held-out and test part – as the
 * run itself reports them, and what comes on top. With `--against <folder>` another built checkout takes turns. Needs `npm run
 * build`. `npm run bench -- whole [--against <folder>] [--rounds n] [--only knn,padim] [--json] [--save]`.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Rng } from '../src/core/random.ts';
import { median, option, saveRows } from './measure.ts';

const rounds = Number(option('rounds') || 3);
const only = option('only')?.split(',');
const against = option('against');
const checkouts = ['.', ...(against ? [against] : [])].map((folder) => resolve(folder));

/** Rows of a mixture of five normals, one in a hundred of them wider and labelled an anomaly. */
function rowsFile(folder: string): string {
  const [rows, width, clusters] = [100_000, 20, 5];
  const rng = new Rng(1);
  const centres = rng.split('centres').normals(clusters * width, 0, 3);
  const noise = rng.split('noise').normals(rows * width);
  const lines = Array.from({ length: rows }, (_, r) => {
    const [cluster, isOdd] = [rng.int(clusters), rng.uniform() < 0.01];
    const cell = (c: number) => centres[cluster * width + c] + (isOdd ? 2.2 : 1) * noise[r * width + c];
    return [...Array.from({ length: width }, (_, c) => cell(c).toFixed(4)), isOdd ? 'anomaly' : 'normal'].join();
  });
  const head = [...Array.from({ length: width }, (_, c) => `x${c}`), 'label'].join();
  const path = join(folder, 'rows.csv');
  writeFileSync(path, `${[head, ...lines].join('\n')}\n`);
  return path;
}

interface Took {
  readonly seconds: number;
  /** Of the processor, of all threads. */
  readonly cpu: number;
  readonly decode: number;
  readonly fit: number;
  readonly scoring: number;
}

/** Runs the command of a checkout once. */
function once(checkout: string, model: string, data: string, out: string): Took {
  rmSync(out, { recursive: true, force: true });
  const begin = performance.now();
  const command = [join(checkout, 'dist/cli/main.js'), 'train', model, '--data', data, '--out', out, '--seed', '1'];
  const told = spawnSync('/usr/bin/time', ['-f', 'used %U', process.execPath, ...command], { encoding: 'utf8' });
  const seconds = (performance.now() - begin) / 1000;
  const used = /used ([\d.]+)\s*$/.exec(told.stderr)?.[1];
  if (told.status !== 0 || used === undefined) throw new Error(`${command.join(' ')}: ${told.stderr}`);
  const { timings, counts } = JSON.parse(readFileSync(join(out, 'metrics.json'), 'utf8'));
  return {
    seconds,
    cpu: Number(used),
    decode: timings.loadSeconds,
    fit: timings.fitSeconds,
    scoring: (timings.scoreMsPerItem * (counts.test + counts.validation)) / 1000,
  };
}

const folder = mkdtempSync(join(tmpdir(), 'oddity-whole-'));
const rows: Record<string, unknown>[] = [];
try {
  const tile = join(process.env.ODDITY_DATA ?? '', 'industrial', 'magnetic_tile');
  const table = rowsFile(folder);
  const cases = [
    ...['knn', 'isolation-forest', 'pca'].map((model) => ({ model, data: table, name: '100,000 x 20 rows' })),
    ...(existsSync(tile) ? ['padim', 'patchcore', 'dfm'] : []).map((model) => ({
      model,
      data: tile,
      name: 'magnetic_tile',
    })),
  ].filter(({ model }) => !only || only.includes(model));
  for (const { model, data, name } of cases) {
    const took: Took[][] = checkouts.map(() => []);
    for (let round = 0; round < rounds; round++) {
      for (const [i, checkout] of checkouts.entries()) took[i].push(once(checkout, model, data, join(folder, 'run')));
    }
    const middle = (runs: readonly Took[], of: (run: Took) => number) => Number(median(runs.map(of)).toFixed(2));
    const needed = ({ decode, fit, scoring }: Took) => decode + fit + scoring;
    const [ours, theirs] = took;
    rows.push({
      command: `train ${model}`,
      data: name,
      decode: middle(ours, (run) => run.decode),
      fit: middle(ours, (run) => run.fit),
      scoring: middle(ours, (run) => run.scoring),
      rest: middle(ours, (run) => run.seconds - needed(run)),
      total: middle(ours, (run) => run.seconds),
      ratio: middle(ours, (run) => run.seconds / needed(run)),
      cpu: middle(ours, (run) => run.cpu),
      ...(theirs && {
        otherTotal: middle(theirs, (run) => run.seconds),
        otherCpu: middle(theirs, (run) => run.cpu),
        timesFaster: Number(median(theirs.map((run, i) => run.seconds / ours[i].seconds)).toFixed(2)),
        timesLessCpu: Number(median(theirs.map((run, i) => run.cpu / ours[i].cpu)).toFixed(2)),
      }),
    });
    console.error(JSON.stringify(rows.at(-1)));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (option('json') !== undefined) console.log(JSON.stringify({ rounds, rows }));
await saveRows('whole', rows);
