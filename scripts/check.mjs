/**
 * Everything that must hold before a commit, in one order, here and in continuous integration. Prints a line per step,
 * the slowest test files, and at the end `N passed, N failed`: vitest's tests and the steps that are no tests count one
 * each.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const bin = (...parts) => join('node_modules', ...parts);

/** A step is a program that must end with 0, or a project of vitest.config.ts whose tests count. */
const steps = [
  { name: 'types', args: [bin('typescript', 'bin', 'tsc'), '--noEmit'] },
  { name: 'lint and format', args: [bin('@biomejs', 'biome', 'bin', 'biome'), 'ci', '--colors=off', '.'] },
  { name: 'architecture', project: 'architecture' },
  { name: 'unit tests', project: 'unit' },
  { name: 'contract tests', project: 'contract' },
  { name: 'integration and golden tests', project: 'integration' },
  { name: 'pages in a browser', project: 'pages' },
  { name: 'cases of earlier faults', project: 'cases' },
  { name: 'documents and examples', project: 'docs' },
  { name: 'size in a page', args: [join('scripts', 'size.mjs')] },
  { name: 'package exports', args: [bin('publint', 'src', 'cli.js'), '--strict'] },
  { name: 'package, installed elsewhere', project: 'package' },
];

/** Runs all steps, also after one has failed. Returns the exit code. */
export function check() {
  const folder = mkdtempSync(join(tmpdir(), 'oddity-check-'));
  const total = { passed: 0, failed: 0, skipped: 0 };
  const lines = [];
  const failures = [];
  const files = [];
  try {
    for (const [i, step] of steps.entries()) {
      console.log(`\n=== ${step.name}`);
      const begin = performance.now();
      const counts = step.project ? vitest(step.project, join(folder, `${i}.json`)) : program(step.args);
      for (const key of Object.keys(total)) total[key] += counts[key];
      failures.push(...(counts.failures ?? []));
      files.push(...(counts.files ?? []));
      const seconds = ((performance.now() - begin) / 1000).toFixed(1);
      lines.push(`${counts.failed > 0 ? 'FAILED' : 'ok    '}  ${step.name}: ${summary(counts)} (${seconds} s)`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  console.log(`\n${lines.join('\n')}\n`);
  if (files.length > 0) console.log(`The slowest test files:\n${slowest(files).join('\n')}\n`);
  if (failures.length > 0) console.log(`${failures.join('\n')}\n`);
  if (total.skipped > 0) console.log(`${total.skipped} skipped (each says why above)`);
  console.log(`${total.passed} passed, ${total.failed} failed`);
  return total.failed > 0 ? 1 : 0;
}

const summary = ({ passed, failed, skipped }) =>
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;

/** A line for each of the ten files whose tests took longest, the slowest first. */
const slowest = (files) =>
  files
    .toSorted((a, b) => b.seconds - a.seconds)
    .slice(0, 10)
    .map(({ name, seconds }) => `${seconds.toFixed(1).padStart(7)} s  ${name}`);

function node(args) {
  return spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status ?? 1;
}

function program(args) {
  const isFine = node(args) === 0;
  return { passed: isFine ? 1 : 0, failed: isFine ? 0 : 1, skipped: 0 };
}

/** One project of vitest; a file that does not load, or a run without a report, counts as one failure. */
function vitest(project, report) {
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const code = node([bin('vitest', 'vitest.mjs'), 'run', '--project', project, '--passWithNoTests', ...reporters]);
  let results;
  try {
    results = JSON.parse(readFileSync(report, 'utf8'));
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
  const broken = results.testResults.filter(
    (f) => f.status === 'failed' && !f.assertionResults.some((a) => a.status === 'failed'),
  );
  const failed = results.numFailedTests + broken.length;
  const failures = results.testResults.flatMap((file) => {
    const name = relative(root, file.name);
    const tests = file.assertionResults.filter((a) => a.status === 'failed');
    if (tests.length === 0) return file.status === 'failed' ? [`FAILED ${name}\n  ${firstLine(file.message)}`] : [];
    return tests.map((a) => `FAILED ${name}: ${a.fullName}\n  ${firstLine(a.failureMessages[0])}`);
  });
  return {
    passed: results.numPassedTests,
    failed: failed === 0 && code !== 0 ? 1 : failed,
    skipped: results.numPendingTests + (results.numTodoTests ?? 0),
    failures,
    files: results.testResults.map((f) => ({
      name: relative(root, f.name),
      seconds: (f.endTime - f.startTime) / 1000,
    })),
  };
}

const firstLine = (text) => (text ?? '').split('\n')[0].slice(0, 300);
