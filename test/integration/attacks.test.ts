/** Files that were changed on purpose, places that are somebody else's, and names that steer. The built program. */

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodePng } from '../../dist/data/index.js';
import { decodeModel } from '../../dist/graph/onnx/read.js';
import { encodeModel } from '../../dist/graph/onnx/write.js';
import { exportModel, listRuns, makeReport, readArtifact, removeRun, threshold, train } from '../../dist/index.js';

const main = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'dist', 'cli', 'main.js');
const root = mkdtempSync(join(tmpdir(), 'oddity-attacks-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const at = (...path: string[]) => join(root, ...path);
const withCode = (code: string) => expect.objectContaining({ code });
const oddity = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1' },
    encoding: 'utf8',
  });
  return { code: status, stdout, stderr };
};
const json = (...path: string[]) => JSON.parse(readFileSync(at(...path), 'utf8'));
const write = (path: string, value: unknown) => writeFileSync(path, JSON.stringify(value));

const picture = (n: number, spot = false) =>
  encodePng({
    height: 16,
    width: 16,
    channels: 1,
    data: Uint8Array.from({ length: 256 }, (_, i) =>
      spot && i % 16 < 5 && i < 80 ? 255 : 80 + ((i * 31 + n * 97) % 53),
    ),
  });

beforeAll(async () => {
  for (const [folder, count, spot] of [
    ['good', 30, false],
    ['bad', 8, true],
  ] as const) {
    mkdirSync(at('parts', folder), { recursive: true });
    for (let n = 0; n < count; n++) writeFileSync(at('parts', folder, `${n}.png`), picture(n, spot));
  }
  const task = { data: at('parts'), size: [16, 16] as [number, number], threads: 1, device: 'cpu' } as const;
  const config = { width: 4, code: 4, epochs: 3 };
  await train({ ...task, model: 'autoencoder', config, maps: 2, out: at('a') });
  await train({ ...task, model: 'autoencoder', config, seed: 2, maps: 0, out: at('b') });
});

let copies = 0;
/** A copy of run a. */
function copy(): string {
  const run = at(`copy${copies++}`);
  cpSync(at('a'), run, { recursive: true });
  return run;
}

describe('export --verify', () => {
  it('passes, says what is allowed, and checks every output', () => {
    const { code, stdout } = oddity('export', 'a', '--verify', '--items', '3', '--device', 'cpu', '--json');
    expect(code).toBe(0);
    const { passed, checked, differences } = JSON.parse(stdout);
    expect([passed, checked, Object.keys(differences)]).toEqual([true, 3, ['score', 'map', 'reconstruction']]);
    for (const { largest, tolerance } of Object.values<{ largest: number; tolerance: number }>(differences))
      expect(largest).toBeLessThan(tolerance);
  });

  it('fails on the model of another run', () => {
    const run = copy();
    for (const name of ['model.onnx', 'model.json']) cpSync(at('b', name), join(run, name));
    const { code, stdout } = oddity('export', run, '--verify', '--device', 'cpu');
    expect(code).toBe(8);
    expect(stdout).toContain('no: the file does not do what the model does');
    expect(stdout).toMatch(
      /On cpu the output score differs from the model's own code by [\d.e-]+; at most [\d.e-]+ is allowed\./,
    );
  });

  it.each([
    ['one flipped number', 1e-3],
    ['a number that is none', Number.NaN],
    ['an infinite number', Number.POSITIVE_INFINITY],
  ])('fails on %s in the weights', async (_, change) => {
    const run = copy();
    const model = decodeModel(new Uint8Array(readFileSync(join(run, 'model.onnx'))));
    for (const { tensor } of model.graph.initializers)
      if (tensor.dtype === 'float32' && tensor.data.length > 8)
        for (let i = 0; i < tensor.data.length; i += 7) (tensor.data as Float32Array)[i] += 100 * change;
    const { model: onnx } = encodeModel(model);
    writeFileSync(join(run, 'model.onnx'), onnx);
    const sha256 = createHash('sha256').update(onnx).digest('hex');
    write(join(run, 'model.json'), { ...JSON.parse(readFileSync(join(run, 'model.json'), 'utf8')), sha256 });
    const found = await exportModel({ run, verify: true, items: 2, device: 'cpu' });
    expect(found.passed).toBe(false);
    if (!Number.isFinite(change)) expect(found.failures?.join()).toContain('has values that are not finite numbers');
  });

  it('fails on another model and on another shape before anything is run', async () => {
    const run = copy();
    const info = json('a', 'model.json');
    for (const change of [{ model: 'pca' }, { shape: [1, 8, 8] }, { input: { ...info.input, name: 'x' } }]) {
      write(join(run, 'model.json'), { ...info, ...change });
      const { passed, failures } = await exportModel({ run, verify: true });
      expect([passed, failures?.[0]]).toEqual([false, expect.stringContaining('it is of another run.')]);
    }
  });

  it('reads the items that it compares, and no others', async () => {
    const run = copy();
    const ids = readFileSync(join(run, 'predictions.csv'), 'utf8').split('\n');
    const wanted = [ids[1], ids[1 + Math.floor((ids.length - 2) / 2)]].map((line) => line.split(',')[0]);
    for (const folder of ['good', 'bad'])
      for (const name of readdirSync(at('parts', folder)))
        if (!wanted.includes(`${folder}/${name}`)) writeFileSync(at('parts', folder, name), 'no picture');
    try {
      const { passed, checked } = await exportModel({ run, verify: true, items: 2, device: 'cpu' });
      expect([passed, checked]).toEqual([true, 2]);
    } finally {
      for (let n = 0; n < 30; n++) writeFileSync(at('parts', 'good', `${n}.png`), picture(n));
      for (let n = 0; n < 8; n++) writeFileSync(at('parts', 'bad', `${n}.png`), picture(n, true));
    }
  });

  it('refuses numbers of items that are none', async () => {
    await expect(exportModel({ run: at('a'), verify: true, items: 0 })).rejects.toEqual(withCode('option-range'));
    expect(oddity('export', 'a', '--items', '3').code).toBe(2);
  });
});

describe('files of a run', () => {
  it.each(['../../x', '/tmp/x', '..', 'a/b', 'x\0y'])('weights in %j are refused', async (file) => {
    const run = copy();
    write(join(run, 'model.json'), { ...json('a', 'model.json'), weights: { file, sha256: '0' } });
    await expect(readArtifact(run)).rejects.toMatchObject({
      code: 'artefact-corrupt',
      message: expect.stringContaining('its "weights.file" must be the bare name of a file in the same folder'),
    });
  });

  it.each([
    ['run.json', { startedAt: 5 }, 'run-damaged'],
    ['run.json', { status: 'perhaps' }, 'run-damaged'],
    ['run.json', { seed: '1' }, 'run-damaged'],
    ['run.json', { config: [1] }, 'run-damaged'],
    ['run.json', { versions: null }, 'run-damaged'],
    ['metrics.json', { metrics: 5 }, 'metrics-damaged'],
    ['metrics.json', { perType: {} }, 'metrics-damaged'],
    ['metrics.json', { timings: { fitSeconds: 'x' } }, 'metrics-damaged'],
    ['model.json', { normalScores: [1, null] }, 'artefact-corrupt'],
    ['model.json', { shape: [1, -2, 3] }, 'artefact-corrupt'],
    ['model.json', { threshold: { value: '0' } }, 'artefact-corrupt'],
  ])('%s with %j is refused in words', async (name, change, code) => {
    const run = copy();
    write(join(run, name), { ...json('a', name), ...change });
    await expect(makeReport({ run, pictures: false })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(/must be .*, (but its "|found )/),
    });
  });

  it('one bad run does not break the list, and is named', async () => {
    const runs = at('runs');
    for (const [name, change] of [
      ['one', {}],
      ['two', { startedAt: 7 }],
      ['three', { error: 'x' }],
    ] as const) {
      cpSync(at('a'), join(runs, name), { recursive: true });
      write(join(runs, name, 'run.json'), { ...json('a', 'run.json'), ...change });
    }
    cpSync(at('a'), join(runs, 'four'), { recursive: true });
    writeFileSync(join(runs, 'four', 'metrics.json'), '{"metrics":');
    const warned: string[] = [];
    const listed = await listRuns({ folder: runs, onEvent: (e) => e.type === 'warning' && warned.push(e.code) });
    expect(listed.map(({ run, metrics }) => [run.slice(runs.length + 1), metrics !== null]).sort()).toEqual([
      ['four', false],
      ['one', true],
    ]);
    expect(warned.sort()).toEqual(['metrics-damaged', 'run-damaged', 'run-damaged']);
    expect(oddity('runs', 'runs').code).toBe(0);
  });

  it.each<[string, (text: string) => string]>([
    ['a line less', (text) => text.split('\n').slice(0, -2).join('\n')],
    ['another score', (text) => text.replace(/0\.\d/, '9.9')],
    ['another label', (text) => text.replace(/,0,/, ',1,')],
    ['no head', (text) => text.slice(text.indexOf('\n') + 1)],
    ['nothing', () => ''],
  ])('predictions with %s are noticed', async (_, change) => {
    const run = copy();
    const path = join(run, 'predictions.csv');
    writeFileSync(path, change(readFileSync(path, 'utf8')));
    await expect(threshold({ run })).rejects.toEqual(withCode('predictions-corrupt'));
  });
});

describe('what is not of a run', () => {
  it('stays when the run is removed', async () => {
    const run = copy();
    for (const name of ['maps/notes.txt', 'maps/mine.png', 'notes.txt']) writeFileSync(join(run, name), 'mine');
    mkdirSync(join(run, 'report.html.d'));
    expect((await removeRun(run)).kept.slice().sort()).toEqual(['maps', 'notes.txt', 'report.html.d']);
    expect(readdirSync(join(run, 'maps')).sort()).toEqual(['mine.png', 'notes.txt']);
  });

  it.each(['model.json', 'metrics.json', 'predictions.csv', 'report.html', 'run.json', 'maps'])(
    'a folder with %s is not trained into',
    async (name) => {
      const out = at(`strange-${name}`);
      mkdirSync(out);
      writeFileSync(join(out, name), '{"mine":1}');
      for (const overwrite of [false, true]) {
        const training = train({ model: 'mean-image', data: 'synthetic', class: 'texture', out, overwrite });
        await expect(training).rejects.toEqual(withCode('strange-files'));
      }
      expect(readdirSync(out)).toEqual([name]);
      expect(readFileSync(join(out, name), 'utf8')).toBe('{"mine":1}');
    },
  );

  it('a run is overwritten with what is strange left where it is', async () => {
    const out = copy();
    writeFileSync(join(out, 'maps', 'mine.png'), 'mine');
    const { run } = await train({
      model: 'mean-image',
      data: 'synthetic',
      class: 'texture',
      out,
      overwrite: true,
      maps: 0,
    });
    expect(readdirSync(join(run, 'maps'))).toEqual(['mine.png']);
    expect(existsSync(join(run, 'checkpoint.safetensors'))).toBe(existsSync(join(run, 'checkpoint.safetensors')));
  });

  it('a model of somebody else is not exported over', async () => {
    for (const name of ['model.onnx', 'model.json']) {
      mkdirSync(at(`other-${name}`));
      writeFileSync(at(`other-${name}`, name), '{"mine":1}');
      const exporting = exportModel({ run: at('a'), out: at(`other-${name}`) });
      await expect(exporting).rejects.toEqual(withCode('strange-files'));
    }
  });

  it('predictions do not go into the folder of a run', () => {
    const { code, stderr } = oddity('predict', 'a', 'parts', '--out', 'b');
    expect([code, stderr]).toEqual([
      2,
      'error: b must not replace files of a run, but b holds one. Choose another place.\n',
    ]);
    expect(oddity('predict', 'a', 'parts', '--csv', 'b/predictions.csv').code).toBe(2);
  });
});

describe('names', () => {
  it('of folders do not say what they are', () => {
    for (const name of ['v1.2', 'run.onnx', 'x.json', 'y.csv']) {
      cpSync(at('a'), at('named', name), { recursive: true });
      const exported = oddity(
        'export',
        `named/${name}`,
        '--out',
        `exported/${name}`.replace('.onnx', '').replace('.json', ''),
      );
      expect(exported.code, exported.stderr).toBe(0);
      expect(oddity('threshold', `named/${name}`).code).toBe(0);
      expect(oddity('predict', `named/${name}`, 'parts/bad/0.png', '--device', 'cpu').code).toBe(0);
    }
    expect(existsSync(at('exported', 'v1.2', 'model.onnx'))).toBe(true);
    cpSync(at('parts'), at('parts.v2.csv'), { recursive: true });
    const trained = oddity(
      'train',
      'mean-image',
      '--data',
      'parts.v2.csv',
      '--size',
      '16',
      '--quiet',
      '--out',
      'csv-folder',
    );
    expect(trained.code, trained.stderr).toBe(0);
  });

  const evil = ['\x1b[31mred\x1b[0m.png', 'two\nlines.png', '=1+1.png', '+cmd|x.png', '@SUM(A1).png', '-2.png'];

  it('that steer are neutral in terminal, CSV and page, and are found again', async () => {
    mkdirSync(at('evil', 'good'), { recursive: true });
    mkdirSync(at('evil', '=bad\x1b[2J'), { recursive: true });
    for (let n = 0; n < 20; n++) writeFileSync(at('evil', 'good', `${n}.png`), picture(n));
    for (const [n, name] of evil.entries()) writeFileSync(at('evil', '=bad\x1b[2J', name), picture(n, true));
    const trained = oddity('train', 'mean-image', '--data', 'evil', '--size', '16', '--out', 'evil-run');
    expect(trained.code, trained.stderr).toBe(0);
    const predicted = oddity('predict', 'evil-run', 'evil', '--out', 'evil-out', '--device', 'cpu');
    expect(predicted.code, predicted.stderr).toBe(0);
    const inspected = oddity('inspect', 'evil');
    const failed = oddity('predict', 'evil-run', at('evil', 'none\x1b[31m\nerror: fake.png'), '--device', 'cpu');
    const page = readFileSync(at('evil-run', 'report.html'), 'utf8');
    for (const text of [trained, predicted, inspected, failed].flatMap(({ stdout, stderr }) => [stdout, stderr])) {
      expect(text).not.toContain('\x1b');
      expect(text).not.toMatch(/^lines\.png|^error: fake/m);
    }
    expect(page).not.toContain('\x1b');
    for (const file of [at('evil-run', 'predictions.csv'), at('evil-out', 'predictions.csv')]) {
      const text = readFileSync(file, 'utf8');
      expect(text).not.toContain('\x1b');
      expect(text).not.toMatch(/(^|,)[=+@]/m);
    }
    const { readPredictions } = await import('../../dist/runs/test-scores.js');
    const { ids, classes } = await readPredictions(at('evil-run'));
    expect(ids.filter((id) => id.startsWith('=bad')).sort()).toEqual(evil.map((name) => `=bad\x1b[2J/${name}`).sort());
    expect(new Set(classes)).toEqual(new Set(['good', '=bad\x1b[2J']));
  });
});

describe('configurations', () => {
  const refused = (text: string) => {
    writeFileSync(at('c.yaml'), text);
    return oddity('train', '--config', 'c.yaml', '--out', 'never');
  };
  const bomb = [
    'a: &a [x,x,x,x,x,x,x,x,x]',
    ...'bcdefghi'.split('').map((c, i) => `${c}: &${c} [${Array(9).fill(`*${'abcdefghi'[i]}`)}]`),
  ];

  it.each<[string, string]>([
    ['aliases', bomb.join('\n')],
    ['an alias as plugin', `${bomb.join('\n')}\nplugin: *i`],
    ['deep lists', `model: ${'['.repeat(100_000)}`],
    ['deep lists in lines', 'x:\n- - '.repeat(5000)],
    ['a prototype', 'model: pca\nconfig:\n  __proto__:\n    components: 1\n'],
    ['a prototype as key', '__proto__:\n  model: pca\n'],
    ['a megabyte', `model: pca # ${'x'.repeat(2 ** 20)}`],
  ])('with %s are refused', (_, text) => {
    const begin = performance.now();
    const { code, stderr } = refused(text);
    expect([code, stderr.split('\n').length]).toEqual([2, 2]);
    expect(stderr).not.toMatch(/bug in oddity|undefined|Excessive/);
    expect(performance.now() - begin).toBeLessThan(5000);
  });

  it.each(['__proto__=1', '__proto__.x=1'])('--set %s is refused', (text) => {
    const { code, stderr } = oddity('train', 'pca', '--data', 'synthetic', '--class', 'texture', '--set', text);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^error: .*__proto__.*\n$/)]);
  });
});
