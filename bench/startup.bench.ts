/**
 * How long a process takes until it can work: `import 'oddity'` and `oddity --help`, medians of ten, of the built package
 * here and, with `--other <folder>`, of another checkout that is built, in turns. Both must have run `npm run build`.
 * `npm run bench -- startup [--other <folder>] [--json]`.
 */
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { median, option, saveRows } from './measure.ts';

const rounds = 10;
const here = process.cwd();
const other = option('other');
const checkouts = { here, ...(other && { other: resolve(other) }) };

const starts: Record<string, (folder: string) => string[]> = {
  node: () => ['--eval', ''],
  "import 'oddity'": (folder) => [
    '--input-type=module',
    '--eval',
    `import ${JSON.stringify(pathToFileURL(resolve(folder, 'dist/index.js')).href)}`,
  ],
  'oddity --help': (folder) => [resolve(folder, 'dist/cli/main.js'), '--help'],
};

/** Milliseconds of one process from start to end. */
function once(args: readonly string[]): number {
  const begin = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return performance.now() - begin;
}

const rows = Object.entries(starts).map(([what, argsIn]) => {
  const times = Object.keys(checkouts).map((): number[] => []);
  for (let round = -1; round < rounds; round++) {
    for (const [i, folder] of Object.values(checkouts).entries()) {
      const took = once(argsIn(folder));
      if (round >= 0) times[i].push(took); // the first reads the files from disk
    }
  }
  const [ours, theirs] = times.map(median);
  return {
    what,
    ms: Number(ours.toFixed(1)),
    otherMs: theirs === undefined ? '' : Number(theirs.toFixed(1)),
    ratio: theirs === undefined ? '' : Number((ours / theirs).toFixed(3)),
  };
});
console.log(option('json') === undefined ? rows : JSON.stringify(rows));
await saveRows('startup', rows);
