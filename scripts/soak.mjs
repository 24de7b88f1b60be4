/**
 * Kills oddity at random moments and looks at what is left: what can be read is whole, and the same command gives the same bytes
 * as one that was never killed. Plain JavaScript over the built program.
 * Usage: node scripts/soak.mjs [--kills 30] [--seed 1] [--only train,update]
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { encodePng } from '../dist/data/index.js';

const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Runs the program; with `killAfter` it is killed then, if it still runs. */
function oddity(cwd, args, killAfter) {
  return new Promise((resolve) => {
    const begin = performance.now();
    const child = spawn(process.execPath, [main, ...args, '--quiet'], { cwd, env: { ...process.env, NO_COLOR: '1' } });
    let stderr = '';
    child.stderr.on('data', (text) => {
      stderr += text;
    });
    child.stdout.resume();
    const timer = killAfter === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfter);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, stderr, killed: signal === 'SIGKILL', ms: performance.now() - begin });
    });
  });
}

/** Folders of small pictures: normal ones, anomalous ones, and some to add. */
function drawParts(folder) {
  const picture = (n, spot) =>
    encodePng({
      height: 16,
      width: 16,
      channels: 1,
      data: Uint8Array.from({ length: 256 }, (_, i) =>
        spot && i % 16 > 6 && i % 16 < 11 && i > 100 && i < 180 ? 255 : (90 + ((i * 37 + n * 101) % 41)) & 255,
      ),
    });
  for (const [name, count, spot] of [
    ['parts/good', 40, false],
    ['parts/bad', 8, true],
    ['more', 4, false],
  ]) {
    mkdirSync(join(folder, name), { recursive: true });
    for (let n = 0; n < count; n++)
      writeFileSync(join(folder, name, `${n}.png`), picture(n + (name === 'more' ? 500 : 0), spot));
  }
}

/** Files that hold times. */
const timed = ['run.json', 'events.jsonl', 'metrics.json', 'lock.json'];

/** All files below a folder that are results, with their hashes; those that hold times, and `more`, differ from run to run. */
function resultsOf(folder, more = []) {
  const skipped = new RegExp(`^(${[...timed, ...more].join('|').replaceAll('.', '\\.')})$`);
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(folder.length + 1))
    .filter((name) => !skipped.test(name))
    .sort();
  return Object.fromEntries(
    files.map((name) => [
      name,
      createHash('sha256')
        .update(readFileSync(join(folder, name)))
        .digest('hex'),
    ]),
  );
}

const train = ['train', 'autoencoder', '--data', 'parts', '--size', '16', '--threads', '1', '--device', 'cpu'];
const small = ['--set', 'width=4', '--set', 'code=4', '--set', 'epochs=150', '--maps', '4'];

/** What is killed, writing to `out`: the command, what is added to it to go on with a run, of what `out` is a copy before, and which results hold times. */
const commands = {
  train: { args: [...train, ...small, '--out', 'out'], again: ['--resume'], differs: ['report.html'] },
  update: {
    args: ['update', 'patch', '--add', 'more', '--out', 'out', '--device', 'cpu'],
    again: ['--overwrite'],
    differs: ['report.html'],
  },
  export: { args: ['export', 'base', '--out', 'out'] },
  report: { args: ['report', 'out', '--device', 'cpu'], copies: 'base' },
  threshold: { args: ['threshold', 'out', '--fpr', '0.2', '--write'], copies: 'base' },
  predict: { args: ['predict', 'base', 'parts', '--out', 'out', '--maps', 'overlay,npy', '--device', 'cpu'] },
};

/** Kills each command `kills` times; returns the lines of the log, the last of which counts the faults. */
export async function soak({ kills, seed, only = Object.keys(commands), tell = () => {} }) {
  const cwd = mkdtempSync(join(tmpdir(), 'oddity-soak-'));
  const at = (...parts) => join(cwd, ...parts);
  const random = randomOf(seed);
  const faults = [];
  const must = async (args) => {
    const { code, stderr, ms } = await oddity(cwd, args);
    if (code !== 0) throw new Error(`oddity ${args.join(' ')} ended with ${code}: ${stderr}`);
    return ms;
  };
  try {
    drawParts(cwd);
    await must([...train, ...small, '--out', 'base']);
    const patch = train.map((word) => (word === 'autoencoder' ? 'patchcore' : word === '16' ? '64' : word));
    if (only.includes('update')) await must([...patch, '--out', 'patch']);
    for (const name of only) {
      const { args, copies, differs, again = [] } = commands[name];
      const begin = () => {
        rmSync(at('out'), { recursive: true, force: true });
        if (copies) cpSync(at(copies), at('out'), { recursive: true });
      };
      begin();
      let ms = await must(args);
      const wanted = JSON.stringify(resultsOf(at('out'), differs));
      let killed = 0;
      for (let n = 0; n < kills; n++) {
        begin();
        // Most of a short command is starting up: kills lie where it works as often as before.
        const after = ms * (0.2 + 0.85 * random());
        const first = await oddity(cwd, args, after);
        if (first.killed) killed++;
        else ms = first.ms; // it was quicker than before
        const where = `${name}, kill ${n + 1} after ${Math.round(after)} ms`;
        for (const fault of await lookAt(cwd, at('out'))) faults.push(`${where}: ${fault}`);
        const second = await oddity(cwd, [...args, ...(existsSync(at('out', 'run.json')) ? again : [])]);
        if (second.code !== 0) faults.push(`${where}: running again ended with ${second.code}: ${second.stderr}`);
        else if (JSON.stringify(resultsOf(at('out'), differs)) !== wanted)
          faults.push(`${where}: other bytes: ${differing(wanted, resultsOf(at('out'), differs))}`);
      }
      tell(
        `${name}: ${kills} rounds, ${killed} killed while running (of ${Math.round(ms)} ms), ${faults.length} faults so far`,
      );
    }
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
  return faults;
}

/** Files that differ from those wanted. */
function differing(wanted, found) {
  const before = JSON.parse(wanted);
  return [...new Set([...Object.keys(before), ...Object.keys(found)])]
    .filter((name) => before[name] !== found[name])
    .join(', ');
}

/** What lies in the folder after a kill: every file is whole, and every command that reads it succeeds or says why not. */
async function lookAt(cwd, folder) {
  if (!existsSync(folder)) return [];
  const faults = [];
  const page = join(folder, 'report.html');
  if (existsSync(page) && !readFileSync(page, 'utf8').trimEnd().endsWith('</html>'))
    faults.push('report.html is not whole');
  for (const name of readdirSync(folder)) {
    if (!name.endsWith('.json') || name === 'lock.json') continue;
    try {
      JSON.parse(readFileSync(join(folder, name), 'utf8'));
    } catch {
      faults.push(`${name} is not whole`);
    }
  }
  const { code, stderr } = await oddity(cwd, ['threshold', 'out']);
  if (![0, 3].includes(code)) faults.push(`reading it ended with ${code}: ${stderr}`);
  return faults;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      kills: { type: 'string', default: '30' },
      seed: { type: 'string', default: '1' },
      only: { type: 'string', default: Object.keys(commands).join(',') },
    },
  });
  const { kills, seed, only } = values;
  const tell = (line) => console.log(line);
  const faults = await soak({ kills: Number(kills), seed: Number(seed), only: only.split(','), tell });
  for (const fault of faults) console.log(`FAULT: ${fault}`);
  console.log(`${kills} kills of each command, seed ${seed}: ${faults.length} faults`);
  process.exitCode = faults.length > 0 ? 1 : 0;
}
