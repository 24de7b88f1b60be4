/** The command line as a user meets it: the built program in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { datasets as knownDatasets } from '../../src/data/files/datasets/index.ts';
import { encodePng } from '../../src/data/formats/png.ts';
import { synthetic } from '../../src/data/synthetic.ts';
import { models } from '../../src/models/index.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const main = join(root, 'dist', 'cli', 'main.js');
const golden = join(root, 'test', 'golden', 'cli');

let cwd: string;
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'oddity-cli-'));
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs the program to its end; `onStart` gets it while it runs. */
function start(args: readonly string[], onStart?: (child: ChildProcess) => void) {
  const child = spawn(process.execPath, [main, ...args], {
    cwd,
    env: { ...process.env, ODDITY_DATA: join(cwd, 'data'), NO_COLOR: '1' },
  });
  onStart?.(child);
  return new Promise<Finished>((resolve) => {
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (text) => {
      stdout += text;
    });
    child.stderr.on('data', (text) => {
      stderr += text;
    });
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

const oddity = (...args: string[]) => start(args);

const tiny = ['--data', 'synthetic', '--class', 'texture', '--set', 'width=4', '--set', 'code=4'];
const task = ['train', 'autoencoder', ...tiny];

/** Compares with a golden file; `ODDITY_GOLDEN=1` rewrites it. */
function expectGolden(name: string, text: string): void {
  const file = join(golden, name);
  if (process.env.ODDITY_GOLDEN) {
    mkdirSync(golden, { recursive: true });
    writeFileSync(file, text);
  }
  expect(text).toBe(readFileSync(file, 'utf8'));
}

describe('help', () => {
  const commands = [
    'models',
    'datasets',
    'inspect',
    'clean',
    'try',
    'train',
    'sweep',
    'merge',
    'test',
    'report',
    'predict',
    'stream',
    'threshold',
    'compare',
    'runs',
    'export',
    'bench',
    'doctor',
  ];

  it('of oddity', async () => {
    const { code, stdout, stderr } = await oddity('--help');
    expect([code, stderr]).toEqual([0, '']);
    expectGolden('help.txt', stdout);
    expect((await oddity()).stdout).toBe(stdout);
  });

  it.each(commands)('of %s', async (command) => {
    const { code, stdout, stderr } = await oddity(command, '--help');
    expect([code, stderr]).toEqual([0, '']);
    expectGolden(`help-${command}.txt`, stdout);
  });

  it('of train with a model lists the options of the model', async () => {
    const { stdout } = await oddity('train', 'autoencoder', '--help');
    expectGolden('help-train-autoencoder.txt', stdout);
    // An option that train has already is reached with --set.
    expect((await oddity('train', 'random', '--help')).stdout).toContain('--set seed=<n>');
  });

  it('version', async () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    expect((await oddity('--version')).stdout.trim()).toBe(version);
  });
});

describe('lists', () => {
  it('models and the card of one', async () => {
    const list = JSON.parse((await oddity('models', '--json')).stdout);
    expect(list.models.map((m: { name: string }) => m.name)).toEqual(models.map((m) => m.name));
    expectGolden('models.txt', (await oddity('models')).stdout);
    expectGolden('models-autoencoder.txt', (await oddity('models', 'autoencoder')).stdout);
  });

  it('data sets, where they are missing', async () => {
    const { code, stdout } = await oddity('datasets', '--data-root', join(cwd, 'nowhere'), '--json');
    expect(code).toBe(0);
    const { datasets } = JSON.parse(stdout) as { datasets: { name: string; found: boolean; reason?: string }[] };
    expect(datasets.map((d) => d.name)).toEqual(knownDatasets.map((d) => d.name));
    const cifar = datasets.find((d) => d.name === 'cifar10');
    expect(cifar).toMatchObject({ found: false, reason: expect.stringContaining('data_batch_1.bin') });
  });
});

describe('what is refused', () => {
  const cases: [string, string[], number, string][] = [
    ['an unknown command', ['trian'], 2, 'There is no command named "trian". Did you mean "train"?'],
    ['an unknown option', [...task, '--sed', '3'], 2, 'oddity train has no option --sed. Did you mean --seed?'],
    [
      'an unknown model',
      ['train', 'autoencodr', ...tiny],
      2,
      'There is no model named "autoencodr". Did you mean "autoencoder"?',
    ],
    [
      'an unknown data set',
      ['train', 'autoencoder', '--data', 'mnits'],
      2,
      'There is no data set named "mnits", and no file or folder of that name. Did you mean "mnist"?',
    ],
    [
      'an unknown protocol',
      [...task, '--protocol', 'oneclass'],
      2,
      'There is no protocol named "oneclass". Did you mean "one-class"?',
    ],
    [
      'an unknown class',
      ['train', 'autoencoder', '--data', 'synthetic', '--class', 'textur'],
      2,
      'There is no class named "textur". Did you mean "texture"?',
    ],
    ['an unknown device', [...task, '--device', 'wasn'], 2, 'There is no device named "wasn". Did you mean "wasm"?'],
    [
      'an unknown option of the model',
      [...task, '--set', 'epoch=3'],
      2,
      'autoencoder has no option named "epoch". Did you mean epochs?',
    ],
    [
      'an unknown preset',
      [...task, '--preset', 'seed-0000'],
      2,
      'There is no preset named "seed-0000". Did you mean "seed-000"?',
    ],
    [
      'an option out of range',
      [...task, '--epochs', '0'],
      2,
      'autoencoder: epochs must be an integer from 1 to 100000, got 0.',
    ],
    [
      'an option of another type',
      [...task, '--set', 'epochs=many'],
      2,
      'autoencoder: epochs must be an integer from 1 to 100000, got "many".',
    ],
    ['a seed that is no number', [...task, '--seed', 'x'], 2, '--seed must be an integer of at least 0, got "x".'],
    ['a rate out of range', [...task, '--fpr', '1'], 2, '--fpr must be a number above 0 and below 1, got 1.'],
    [
      'a setting without a value',
      [...task, '--set', 'epochs'],
      2,
      '--set takes key=value, got "epochs". For example: --set epochs=5',
    ],
    [
      'no data set',
      ['train', 'autoencoder'],
      2,
      'oddity train needs data: --data <name or path>. See: oddity datasets',
    ],
    ['a missing argument', ['test'], 2, 'oddity test needs the argument <run>. See: oddity test --help'],
    [
      'an option without its value',
      [...task, '--out'],
      2,
      'The option --out <folder> needs a value. See: oddity train --help',
    ],
    [
      'an unknown benchmark',
      ['bench', 'mnist-oneclass'],
      2,
      'There is no benchmark named "mnist-oneclass". Did you mean "mnist-one-class"?',
    ],
    [
      'resuming without a folder',
      [...task, '--resume'],
      2,
      'Resuming needs the folder of the run. Name it with --out.',
    ],
    [
      'a folder without a run',
      ['test', '.'],
      3,
      '. must be the folder of a run, with a run.json; found none. Name a folder made by oddity train.',
    ],
  ];
  it.each(cases)('%s', async (_name, args, code, sentence) => {
    const plain = await start(args);
    expect(plain).toEqual({ code, stdout: '', stderr: `error: ${sentence}\n` });
  });

  it('with --json as one object on stdout', async () => {
    const { code, stdout, stderr } = await oddity(...task, '--epochs', '0', '--json');
    expect([code, stderr]).toEqual([2, '']);
    expect(JSON.parse(stdout)).toEqual({
      error: {
        code: 'option-range',
        message: 'autoencoder: epochs must be an integer from 1 to 100000, got 0.',
        option: '--set epochs',
        value: 0,
        must: 'an integer from 1 to 100000',
      },
    });
  });

  it('missing data, saying where it was looked for', async () => {
    const { code, stderr } = await oddity('train', 'autoencoder', '--data', 'cifar10', '--class', '0', '--no-download');
    expect(code).toBe(3);
    expect(stderr).toContain(`found in none of: ${join(cwd, 'data', 'cifar10')}`);
    expect(stderr).toContain('set ODDITY_DATA to another data root');
    expect(existsSync(join(cwd, 'runs'))).toBe(false);
  });

  it('a device that is not there', async () => {
    const { code, stderr } = await oddity(...task, '--device', process.platform === 'darwin' ? 'dml' : 'coreml');
    expect(code).toBe(4);
    expect(stderr).toContain('does not start here. It exists on');
    expect(existsSync(join(cwd, 'runs'))).toBe(false);
  });

  it('an output folder that cannot be made', async () => {
    writeFileSync(join(cwd, 'a-file'), '');
    const { code, stderr } = await oddity(...task, '--epochs', '1', '--out', join('a-file', 'run'));
    expect(code).toBe(3);
    expect(stderr).toContain('Choose another folder with --out.');
  });

  it('shows the stack with --debug only', async () => {
    expect((await oddity('test', '.', '--debug', '1')).stderr).toMatch(/\n {4}at /);
  });
});

describe('a configuration file', () => {
  const write = (text: string) => {
    writeFileSync(join(cwd, 'c.yaml'), text);
    return ['train', '--config', 'c.yaml'];
  };

  it('says everything, and flags win over it', async () => {
    const args = write(`model: autoencoder
data: synthetic
class: texture
seed: 7
out: from-file
config:
  epochs: 1
  width: 4
  code: 8
`);
    const { code, stdout, stderr } = await oddity(...args, '--seed', '3', '--set', 'code=4', '--json', '--quiet');
    expect(code, stderr).toBe(0);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({
      run: 'from-file',
      seed: 3,
      class: 'texture',
      config: { epochs: 1, width: 4, code: 4 },
    });
  });

  const cases: [string, string, string][] = [
    ['an unknown key', 'model: autoencoder\nsede: 3\n', 'has no key "sede". Did you mean "seed"? (c.yaml:2)'],
    [
      'a value of another type',
      'model: autoencoder\nseed: many\n',
      '--seed must be an integer of at least 0, got "many". (c.yaml:2)',
    ],
    ['what is not YAML', 'model: "autoencoder\n', 'This is not YAML:'],
    ['a list', '- model\n', 'must be a list of "key: value" lines. (c.yaml:1)'],
    [
      'an option out of range, with its line',
      'model: autoencoder\ndata: synthetic\nconfig:\n  width: 4\n  epochs: 0\n',
      'epochs must be an integer from 1 to 100000, got 0. (c.yaml:5)',
    ],
  ];
  it.each(cases)('refuses %s', async (_name, text, sentence) => {
    const { code, stderr } = await oddity(...write(text));
    expect(code).toBe(2);
    expect(stderr).toContain(sentence);
  });

  it('refuses a file that is not there', async () => {
    expect((await oddity('train', '--config', 'no.yaml')).stderr).toBe(
      'error: The configuration file no.yaml cannot be read. Check the path of --config.\n',
    );
  });
});

describe('a run from training to prediction', () => {
  const run = 'run';
  const images = 'images';

  beforeAll(async () => {
    const made = await oddity(...task, '--epochs', '4', '--seed', '5', '--out', run);
    expect(made.code, made.stderr).toBe(0);
    expect(made.stdout).toContain('image AUROC');
    const source = await synthetic();
    mkdirSync(join(cwd, images));
    const pixels = new Float32Array(3 * 256);
    await source.read([300, 301, 302], pixels);
    for (let i = 0; i < 3; i++) {
      const data = Uint8Array.from(pixels.subarray(256 * i, 256 * (i + 1)), (v) => Math.round(255 * v));
      writeFileSync(join(cwd, images, `${i}.png`), encodePng({ height: 16, width: 16, channels: 1, data }));
    }
  });

  it('gives the same numbers again, as one JSON object', async () => {
    const { code, stdout } = await oddity(...task, '--epochs', '4', '--seed', '5', '--json', '--out', 'again');
    expect(code).toBe(0);
    const report = JSON.parse(stdout);
    const first = JSON.parse(readFileSync(join(cwd, run, 'metrics.json'), 'utf8'));
    expect(report.metrics).toEqual(first.metrics);
    expect(report.threshold).toEqual(first.threshold);
    for (const key of ['run', 'model', 'data', 'protocol', 'seed', 'device', 'counts', 'baselines', 'versions']) {
      expect(report[key], key).toBeDefined();
    }
    expect(Object.keys(report.metrics.item)).toEqual(['auroc', 'ap', 'f1Max', 'prevalence']);
    expect(Object.keys(report.metrics.map)).toEqual(['auroc', 'ap', 'aupro', 'aupimo', 'dice', 'iou']);
    expect(report.perType.map((t: { type: string }) => t.type)).toEqual(['blob']);
    expect(Object.keys(report.timings)).toEqual(
      expect.arrayContaining(['fitSeconds', 'stepsPerSecond', 'scoreMsPerItem']),
    );
    expect(report.peakMemoryBytes).toBeGreaterThan(1e7);
  });

  it('refuses to write over a run', async () => {
    const { code, stderr } = await oddity(...task, '--out', run);
    expect(code).toBe(2);
    expect(stderr).toContain(
      'already holds a finished run. Choose another folder with --out, or replace the run with --overwrite.',
    );
  });

  it('test gives what train gave', async () => {
    const { code, stdout } = await oddity('test', run, '--json');
    expect(code).toBe(0);
    const first = JSON.parse(readFileSync(join(cwd, run, 'metrics.json'), 'utf8'));
    expect(JSON.parse(stdout).metrics).toEqual(first.metrics);
  });

  it('predict scores files and folders, draws maps and writes CSV', async () => {
    const { code, stdout, stderr } = await oddity('predict', run, images, '--maps', 'maps', '--csv', 'p.csv', '--json');
    expect(code, stderr).toBe(0);
    const { predictions, failed } = JSON.parse(stdout);
    expect(failed).toEqual([]);
    expect(predictions.map((p: { path: string }) => p.path)).toEqual([0, 1, 2].map((i) => join(images, `${i}.png`)));
    expect(predictions[0]).toMatchObject({ score: expect.any(Number), threshold: expect.any(Number) });
    expect(readdirSync(join(cwd, 'maps'))).toContain('0.png');
    const lines = readFileSync(join(cwd, 'p.csv'), 'utf8').trim().split('\n');
    expect(lines[0]).toBe('path,score,threshold,isAnomalous,decision,pValue,regions,regionArea');
    expect(lines.length).toBe(4);
  });

  it('predict goes on after a file that is no image, and says so with its exit code', async () => {
    writeFileSync(join(cwd, 'broken.png'), 'no image');
    const { code, stdout } = await oddity('predict', run, join(images, '0.png'), 'broken.png', 'missing.png');
    expect(code).toBe(6);
    expect(stdout).toContain(join(images, '0.png'));
    expect(stdout).toContain('2 of 3 could not be scored:');
    expect(stdout).toContain('broken.png');
    expect(stdout).toContain('missing.png');
  });

  it('predict refuses what is no model', async () => {
    const { code, stderr } = await oddity('predict', images, join(images, '0.png'));
    expect(code).toBe(3);
    expect(stderr).toMatch(/^error: /);
  });

  it('export --verify', async () => {
    const { code, stdout, stderr } = await oddity('export', run, '--verify', '--out', 'exported', '--json');
    expect(code, stderr).toBe(0);
    const result = JSON.parse(stdout);
    expect(result.maxDifference).toBeLessThan(1e-4);
    expect(existsSync(join(cwd, result.model))).toBe(true);
  });

  it('profile prints time by operator', async () => {
    const { stdout } = await oddity(...task, '--epochs', '1', '--profile', '--out', 'profiled', '--device', 'cpu');
    expect(stdout).toContain('time by operator');
    expect(stdout).toMatch(/Conv +\d+ +[\d.]+ +[\d.]+ %/);
  });

  it('--quiet says nothing but the answer', async () => {
    const { stdout, stderr } = await oddity(...task, '--epochs', '1', '--quiet', '--out', 'quiet');
    expect(stderr).toBe('');
    expect(stdout).toContain('image AUROC');
  });
});

describe('Ctrl-C', () => {
  const long = (out: string) => [...task, '--set', 'epochs=150', '--out', out];

  /** Sends SIGINT once the training in `out` has made steps; returns how the program ended. */
  async function interrupt(out: string, times: number): Promise<Finished> {
    let child: ChildProcess | undefined;
    const ending = start(long(out), (started) => {
      child = started;
    });
    const events = join(cwd, out, 'events.jsonl');
    while (child?.exitCode === null && !(existsSync(events) && readFileSync(events, 'utf8').includes('"fit"'))) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    for (let i = 0; i < times; i++) child?.kill('SIGINT');
    return ending;
  }

  it('stops a training, keeps it, and the run goes on as if nothing had been', async () => {
    const stopped = await interrupt('stopped', 1);
    expect(stopped.code, stopped.stderr).toBe(130);
    expect(stopped.stdout).toBe('');
    expect(stopped.stderr).toContain('Stopping …');
    const [, command] = /The run is kept in stopped; resume with:\n {2}oddity (.*)\n$/.exec(stopped.stderr) ?? [];
    expect(command).toBe(`${long('stopped').join(' ')} --resume`);
    const record = JSON.parse(readFileSync(join(cwd, 'stopped', 'run.json'), 'utf8'));
    expect(record.status).toBe('cancelled');
    expect(readdirSync(join(cwd, 'stopped')).filter((name) => name.endsWith('.tmp'))).toEqual([]);

    const other = await oddity(...task, '--set', 'epochs=2', '--out', 'stopped', '--resume');
    expect(other.code, 'with other options it is another run').not.toBe(0);

    const resumed = await oddity(...command.split(' '), '--json');
    expect(resumed.code, resumed.stderr).toBe(0);
    const whole = await oddity(...long('whole'), '--json');
    expect(JSON.parse(resumed.stdout).metrics).toEqual(JSON.parse(whole.stdout).metrics);
  });

  it('pressed twice ends at once, and what is on disk can go on', async () => {
    const { code } = await interrupt('twice', 2);
    expect(code).toBe(130);
    const resumed = await oddity(...long('twice'), '--resume', '--json');
    expect(resumed.code, resumed.stderr).toBe(0);
  });
});

// Debian's package: real images without a download.
describe.skipIf(!existsSync('/usr/share/datasets/fashion-mnist'))('bench', () => {
  it('prints a table, writes rows that can be repeated, and goes on where it stopped', async () => {
    const args = ['bench', 'fashion-one-class', '--models', 'mean-image', '--out', 'rows.csv', '--json'];
    const one = await oddity(...args, '--classes', '1');
    expect(one.code, one.stderr).toBe(0);
    const two = await oddity(...args, '--classes', '1,2');
    expect(two.stderr).not.toContain('1 of 2');
    expect(two.stderr).toContain('2 of 2: mean-image, class 2');
    const { rows, tables } = JSON.parse(two.stdout);
    expect(rows[0]).toEqual({ ...JSON.parse(one.stdout).rows[0], command: expect.stringContaining('--classes 1,2') });
    expect(rows[0]).toMatchObject({ class: 'Trouser', seed: 1, 'item.prevalence': 0.9, version: expect.any(String) });
    expect(rows[0]['item.auroc']).toBeGreaterThan(0.95);
    expect(tables[0].rows[0]).toMatchObject({ model: 'mean-image', cases: 2, seeds: 1, parameters: 0 });
    expect(readFileSync(join(cwd, 'rows.csv'), 'utf8').trim().split('\n').length).toBe(3);
  });
});

describe('inspect', () => {
  /** Four grey images in `good`, one in `bad`. */
  function folder(name: string): string {
    for (const path of ['good/1', 'good/2', 'good/3', 'good/4', 'bad/1']) {
      const data = Uint8Array.from({ length: 64 }, (_, p) => (p * (path.length + path.charCodeAt(5))) % 251);
      mkdirSync(join(cwd, name, dirname(path)), { recursive: true });
      writeFileSync(join(cwd, name, `${path}.png`), encodePng({ height: 8, width: 8, channels: 1, data }));
    }
    return name;
  }

  it('says what it found, and exits with 7 when there are errors', async () => {
    const name = folder('boards');
    const sound = await oddity('inspect', name, '--quiet');
    expect([sound.code, sound.stderr]).toEqual([0, '']);
    expect(sound.stdout).toContain('5 images; not split: 4 normal and 1 anomalous (bad 1); no masks.');
    expect(sound.stdout).toContain('warning few-normals: There are 4 normal images to train on.');
    writeFileSync(join(cwd, name, 'good', '5.png'), '');
    const broken = await oddity('inspect', name, '--quiet');
    expect(broken.code).toBe(7);
    expect(broken.stdout).toContain('error empty-file: 1 file has no bytes.');
    expect(broken.stdout).toContain('    good/5.png\n');
    const { code, stdout } = await oddity('inspect', name, '--json');
    const { kind, errors, findings } = JSON.parse(stdout);
    expect([code, kind, errors, findings[0].paths]).toEqual([7, 'folders', 1, ['good/5.png']]);
  });

  it('refuses what is no data set in one sentence', async () => {
    const { code, stderr } = await oddity('inspect', 'nowhere');
    expect([code, stderr]).toEqual([
      3,
      'error: There is no file or folder nowhere. Name a folder of images or a CSV file.\n',
    ]);
    const named = await oddity('inspect', folder('plates'), '--normal', 'goood');
    expect([named.code, named.stderr]).toEqual([2, expect.stringContaining('Did you mean "good"?')]);
  });
});

describe('doctor', () => {
  it('shows the machine and a training that works', async () => {
    const { code, stdout } = await oddity('doctor', '--json');
    expect(code).toBe(0);
    const seen = JSON.parse(stdout);
    expect(seen.selfTest).toMatchObject({ ok: true, device: 'cpu' });
    expect(seen.devices.map((d: { device: string }) => d.device)).toContain('wasm');
    for (const d of seen.devices) if (!d.available) expect(d.reason).toMatch(/\w/);
    expect(seen.machine.freeDiskBytes).toBeGreaterThan(0);
  });
});
