/** The engine as users meet it: runs, resuming, artefacts, and everything that can be wrong with them. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { encodePng, readSafetensors, synthetic } from '../../dist/data/index.js';
import { buildArtifact, runnableBytes, scoringModel } from '../../dist/engine/scoring/artifact.js';
import * as g from '../../dist/graph/index.js';
import {
  type AnyModel,
  type Event,
  exportModel,
  loadDetector,
  models,
  predict,
  type RunReport,
  readCheckpoint,
  resolveConfig,
  type TrainOptions,
  test as testRun,
  train,
} from '../../dist/index.js';
import { findModel } from '../../dist/models/index.js';
import * as nn from '../../dist/nn/index.js';
import { readArtifact, writeArtifact } from '../../dist/runs/artifact.js';

const root = mkdtempSync(join(tmpdir(), 'oddity-engine-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let count = 0;
const folder = () => join(root, `run${count++}`);
const withCode = (code: string) => expect.objectContaining({ code });
const tensorsOf = (run: string) => {
  const file = join(run, 'checkpoint.safetensors');
  return readSafetensors(readFileSync(file), file).tensors;
};
const scoresOf = (run: string) =>
  readFileSync(join(run, 'predictions.csv'), 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => Number(line.split(',')[3]));
const statusOf = (run: string) => JSON.parse(readFileSync(join(run, 'run.json'), 'utf8')).status;

/** A small autoencoder on made-up textures. */
const tiny = (more: Partial<TrainOptions> = {}): TrainOptions => ({
  model: 'autoencoder',
  data: 'synthetic',
  class: 'texture',
  config: { width: 4, code: 4, epochs: 6, batchSize: 16 },
  out: folder(),
  threads: 1, // tests share the cores with other tests
  ...more,
});

/** Starts a run and aborts it once `steps` training steps are made. */
async function abortAfter(steps: number, options: TrainOptions): Promise<{ error: unknown; milliseconds: number }> {
  const stop = new AbortController();
  let aborted = 0;
  const onEvent = (event: Event) => {
    if (aborted || event.type !== 'progress' || event.task !== 'fit' || event.done < steps) return;
    aborted = performance.now();
    stop.abort();
  };
  const error = await train({ ...options, onEvent, signal: stop.signal }).then(
    () => undefined,
    (e) => e,
  );
  return { error, milliseconds: performance.now() - aborted };
}

const registry = models as AnyModel[];
const known = registry.length;
afterEach(() => {
  registry.length = known;
});

/** A model of one number: an image is drawn as itself times `w`; `shape` may bend the learning rate. */
function toy(name: string, phases: AnyModel extends { phases: infer P } ? P : never): AnyModel {
  return {
    ...findModel('random'),
    name,
    learns: 'gradient',
    phases,
    score: (_config: unknown, net: (group: string) => nn.Scope, x: g.Value) => {
      const w = net('a').parameter('w', [1], nn.filled(0.5));
      const b = net('b').parameter('b', [1], nn.zerosInit);
      const error = g.square(g.sub(g.add(g.mul(x, w), b), x));
      const map = g.reduceMean(error, { axes: [1], keep: true });
      return { map, score: g.reduceMean(map, { axes: [1, 2, 3] }) };
    },
  } as unknown as AnyModel;
}

describe('train', () => {
  let run: string;
  let report: RunReport;
  beforeAll(async () => {
    const options = tiny({ threads: undefined });
    run = options.out!;
    report = await train(options);
  });

  it('leaves a whole run folder', () => {
    expect(readdirSync(run).sort()).toEqual([
      'checkpoint.safetensors',
      'events.jsonl',
      'maps',
      'metrics.json',
      'model.json',
      'model.onnx',
      'predictions.csv',
      'report.html',
      'run.json',
    ]);
    expect(JSON.parse(readFileSync(join(run, 'metrics.json'), 'utf8'))).toEqual(JSON.parse(JSON.stringify(report)));
    expect(statusOf(run)).toBe('done');
    expect(readdirSync(join(run, 'maps')).filter((n) => n.endsWith('.png'))).toHaveLength(8);
    const lines = readFileSync(join(run, 'events.jsonl'), 'utf8').trim().split('\n');
    expect(lines.map((l) => JSON.parse(l)).filter((e) => e.type === 'metric')).toHaveLength(12);
  });

  it('reports what was asked for', () => {
    expect(report).toMatchObject({ run, model: 'autoencoder', data: 'synthetic', class: 'texture', seed: 1 });
    expect(report.counts).toEqual({ train: 135, trainAnomalies: 0, validation: 15, test: 100, testAnomalies: 50 });
    expect(report.metrics.item.auroc).toBeGreaterThan(report.baselines.random.item.auroc!);
    expect(report.metrics.item.prevalence).toBe(0.5);
    expect(report.history).toHaveLength(6);
    expect(report.history![5].trainingLoss).toBeLessThan(report.history![0].trainingLoss);
    expect(report.threshold).toMatchObject({ normals: 15, wantedFalseAlarmRate: 0.01 });
    expect(report.threshold.reason).toContain('at least 99 held-out normal scores');
    expect(report.timings.stepsPerSecond).toBeGreaterThan(0);
    expect(report.peakMemoryBytes).toBeGreaterThan(2 ** 20);
  });

  it('gives the same numbers and bytes for the same seed, others for another', async () => {
    const again = tiny({ threads: undefined });
    const second = await train(again);
    expect(second.metrics).toEqual(report.metrics);
    expect(scoresOf(again.out!)).toEqual(scoresOf(run));
    expect(tensorsOf(again.out!)).toEqual(tensorsOf(run));
    for (const file of ['model.onnx', 'model.json', 'checkpoint.safetensors', 'predictions.csv'])
      expect(readFileSync(join(again.out!, file)).equals(readFileSync(join(run, file)))).toBe(true);
    const other = tiny({ seed: 2 });
    expect((await train(other)).metrics).not.toEqual(report.metrics);
  });

  it('scores the artefact as it did in training', async () => {
    const again = await testRun({ run });
    expect(again.metrics).toEqual(report.metrics);
    expect(again.threshold).toEqual(report.threshold);
    const source = await synthetic();
    const test = source.items.flatMap((item, i) => (item.part === 'test' ? [i] : []));
    const images = new Float32Array(test.length * 256);
    await source.read(test, images);
    const detector = await loadDetector(run);
    const { scores, maps } = await detector.score(images, test.length);
    expect([...scores]).toEqual(scoresOf(run));
    expect(maps).toHaveLength(test.length * 256);
    // A batch of one is the same image in any batch.
    const alone = await detector.score(images.slice(7 * 256, 8 * 256), 1);
    expect(alone.scores[0]).toBeCloseTo(scores[7], 6);
    const given = images.slice(7 * 256, 8 * 256);
    expect((await detector.score(given, 1, { transfer: true })).scores).toEqual(alone.scores);
    expect([given.length, images.length]).toEqual([0, test.length * 256]);
    await expect(detector.score(images, 3)).rejects.toThrow('3 images of 1x16x16 need 768 values');
    await detector.close();
  });

  it('runs under plain onnxruntime', async () => {
    const ort = (await import('onnxruntime-node')).default;
    const session = await ort.InferenceSession.create(join(run, 'model.onnx'));
    const source = await synthetic();
    const first = source.items.findIndex((item) => item.part === 'test');
    const image = new Float32Array(256);
    await source.read([first], image);
    const { score, map } = await session.run({ image: new ort.Tensor('float32', image, [1, 1, 16, 16]) });
    expect(Number(score.data[0])).toBeCloseTo(scoresOf(run)[0], 6);
    expect(map.dims).toEqual([1, 1, 16, 16]);
    const { graph, opsets } = g.decodeModel(readFileSync(join(run, 'model.onnx')));
    expect(opsets).toEqual([{ domain: '', version: 17 }]);
    expect(graph.nodes.every((node) => !node.domain)).toBe(true);
    await session.release();
  });

  it('exports and verifies', async () => {
    const out = folder();
    const result = await exportModel({ run, out, verify: true });
    expect(result).toMatchObject({ model: join(out, 'model.onnx'), opset: 17, inputs: ['image'], checked: 8 });
    expect(result.maxDifference).toBeLessThan(1e-4);
    expect(result.batchDifference).toBeLessThan(1e-5);
    expect(Object.keys(result.devices!)).toContain('wasm');
    expect(readFileSync(result.model).equals(readFileSync(join(run, 'model.onnx')))).toBe(true);
    const named = await exportModel({ run, out: join(out, 'textures.onnx') });
    const detector = await loadDetector(named.model);
    expect(detector.shape).toEqual([1, 16, 16]);
    await detector.close();
    // A name with a dot is a folder, unless it ends with .onnx.
    expect((await exportModel({ run, out: join(out, 'v1.2') })).model).toBe(join(out, 'v1.2', 'model.onnx'));
  });

  it('predicts image files', async () => {
    const source = await synthetic();
    const chosen = source.items.flatMap((item, i) => (item.part === 'test' ? [i] : [])).slice(0, 3);
    const images = folder();
    mkdirSync(images);
    const paths = await Promise.all(
      chosen.map(async (i) => {
        const pixels = new Float32Array(256);
        await source.read([i], pixels);
        const path = join(images, `${i}.png`);
        const data = Uint8Array.from(pixels, (v) => Math.round(255 * v));
        writeFileSync(path, encodePng({ height: 16, width: 16, channels: 1, data }));
        return path;
      }),
    );
    const broken = join(images, 'broken.png');
    writeFileSync(broken, 'not a picture');
    const maps = folder();
    const result = await predict({ run, images: [paths[0], broken, ...paths.slice(1), join(images, 'no.png')], maps });
    expect(result.predictions.map((p) => p.path)).toEqual(paths);
    result.predictions.forEach((p, i) => {
      expect(p.score).toBeCloseTo(scoresOf(run)[i], 6);
      expect(p.isAnomalous).toBe(p.score >= p.threshold!);
      expect(p.pValue).toBeGreaterThan(0);
    });
    expect(result.failed.map((f) => [f.path, f.code])).toEqual([
      [broken, 'not-an-image'],
      [join(images, 'no.png'), 'unreadable-file'],
    ]);
    expect(readdirSync(maps).sort()).toEqual(paths.map((p) => p.split('/').pop()).sort());
  });

  it('gives nearly the same scores on wasm', async () => {
    const options = tiny({ device: 'wasm' });
    const other = await train(options);
    expect(other.device).toBe('wasm');
    const [a, b] = [scoresOf(options.out!), scoresOf(run)];
    expect(Math.max(...a.map((s, i) => Math.abs(s - b[i])))).toBeLessThan(1e-3);
  });

  it('learns by statistics and not at all', async () => {
    const mean = await train(tiny({ model: 'mean-image', config: {} }));
    const { dice, iou, ...maps } = mean.metrics.map!; // these two need a threshold, and baselines have none
    expect([typeof dice, typeof iou]).toEqual(['number', 'number']);
    expect({ ...mean.metrics, map: maps }).toEqual(mean.baselines['mean-image']);
    expect(mean.baselines).toEqual(report.baselines);
    expect(mean.timings.stepsPerSecond).toBeNull();
    const none = await train(tiny({ model: 'random', config: {} }));
    expect(none.metrics.item.auroc).toBeGreaterThan(0.3);
    expect(none.metrics.item.auroc).toBeLessThan(0.7);
  });

  it('lowers a batch size that is too large, with a warning', async () => {
    const codes: string[] = [];
    await train(
      tiny({
        config: { width: 4, code: 4, epochs: 1, batchSize: 1000 },
        onEvent: (e) => void (e.type === 'warning' && codes.push(e.code)),
      }),
    );
    expect(codes).toEqual(['batch-size']);
  });

  it('does without held-out items, and says what is missing', async () => {
    const options = tiny({ validationFraction: 0, maps: 0 });
    const { threshold } = await train(options);
    expect(threshold.value).toBeNull();
    expect(threshold.reason).toContain('no held-out normal scores');
    const detector = await loadDetector(options.out!);
    expect(detector.threshold).toBeNull();
    expect(existsSync(join(options.out!, 'maps'))).toBe(false);
    await detector.close();
  });

  it('shows graphs, ONNX files and times by operator when asked', async () => {
    const options = tiny({ debug: 3, profile: true });
    const { profile } = await train(options);
    expect(readdirSync(join(options.out!, 'debug')).sort()).toEqual([
      'autoencoder-score.onnx',
      'autoencoder-score.txt',
      'train-fit.onnx',
      'train-fit.txt',
    ]);
    expect(profile!.fit!.some((row) => row.op === 'Conv')).toBe(true);
    expect(profile!.score!.some((row) => row.op === 'Conv')).toBe(true);
  });
});

describe('resuming', () => {
  it('goes on to the same bytes, and stops within a second', async () => {
    const whole = tiny({ config: { width: 4, code: 4, epochs: 60, batchSize: 16 } });
    await train(whole);
    const cut = { ...whole, out: folder() };
    const { error, milliseconds } = await abortAfter(40, cut);
    expect(error).toEqual(withCode('cancelled'));
    expect(milliseconds).toBeLessThan(1000);
    expect(statusOf(cut.out)).toBe('cancelled');
    const { state } = (await readCheckpoint(join(cut.out, 'checkpoint.safetensors')))!;
    expect(state.iteration).toBeGreaterThan(0);
    expect(state.iteration).toBeLessThan(480);
    await expect(train(cut)).rejects.toThrow(withCode('run-exists'));
    const report = await train({ ...cut, resume: true });
    expect(tensorsOf(cut.out)).toEqual(tensorsOf(whole.out!));
    expect(scoresOf(cut.out)).toEqual(scoresOf(whole.out!));
    expect(report.history).toEqual(JSON.parse(readFileSync(join(whole.out!, 'metrics.json'), 'utf8')).history);
    // A finished run has nothing left to do.
    expect((await train({ ...cut, resume: true })).metrics).toEqual(report.metrics);
  });

  it('goes on in the second of two phases, with averages, draws, repeats and a frozen group', async () => {
    const x = (c: nn.StepContext) => c.x;
    registry.push(
      toy('toy-phases', (() => [
        {
          epochs: 40,
          batchSize: 16,
          phase: {
            name: 'first',
            average: { groups: ['a'], decay: 0.9 },
            steps: [
              {
                name: 'w',
                updates: ['a'],
                optimizer: nn.adam({ learningRate: 1e-3 }),
                repeats: 2,
                loss: (c: nn.StepContext) => {
                  const noise = c.draw('noise', { kind: 'normal', shape: [16, 1, 16, 16] });
                  const w = c.net('a').parameter('w', [1], nn.filled(0.5));
                  return g.reduceMean(g.square(g.sub(g.mul(w, x(c)), g.add(x(c), noise))));
                },
              },
            ],
          },
        },
        {
          epochs: 400,
          batchSize: 16,
          phase: {
            name: 'second',
            steps: [
              {
                name: 'b',
                updates: ['b'],
                optimizer: nn.sgd({ learningRate: 1e-3, momentum: 0.9 }),
                loss: (c: nn.StepContext) => {
                  const w = c.net('a').parameter('w', [1], nn.filled(0.5));
                  const b = c.net('b').parameter('b', [1], nn.zerosInit);
                  const loss = g.reduceMean(g.square(g.sub(g.add(g.mul(w, x(c)), b), x(c))));
                  return { loss, metrics: { w: g.reshape(w, []) } };
                },
              },
            ],
          },
        },
      ]) as never),
    );
    const whole = tiny({ model: 'toy-phases' as never, config: {} });
    const report = await train(whole);
    const done = tensorsOf(whole.out!);
    expect(Object.keys(done).sort()).toEqual(['a.w', 'b.b']);
    // The second phase sees the average of the first, and does not move it.
    expect(report.history!.at(-1)!.metrics['b.w']).toBeCloseTo(Number(done['a.w'].data[0]), 6);
    expect(report.history).toHaveLength(440);
    const cut = { ...whole, out: folder() };
    expect((await abortAfter(330, cut)).error).toEqual(withCode('cancelled'));
    const { state } = (await readCheckpoint(join(cut.out, 'checkpoint.safetensors')))!;
    expect(state.phase).toBe(1);
    await train({ ...cut, resume: true });
    expect(tensorsOf(cut.out)).toEqual(done);
    // The first phase too can be cut.
    const early = { ...whole, out: folder() };
    await abortAfter(3, early);
    await train({ ...early, resume: true });
    expect(tensorsOf(early.out)).toEqual(done);
  });

  it('goes straight to scoring when that is where it stopped', async () => {
    const options = tiny();
    const stop = new AbortController();
    const onEvent = (event: Event) => {
      if (event.type === 'progress' && event.task === 'score held-out') stop.abort();
    };
    await expect(train({ ...options, onEvent, signal: stop.signal })).rejects.toThrow(withCode('cancelled'));
    const tasks = new Set<string>();
    const report = await train({
      ...options,
      resume: true,
      onEvent: (e) => void (e.type === 'progress' && tasks.add(e.task)),
    });
    expect([...tasks]).toEqual(['score held-out', 'score test', 'score baseline']);
    expect(report.history).toHaveLength(6);
    expect(report.timings.stepsPerSecond).toBeNull();
  });

  it('exports an unfinished run from its checkpoint, with a warning', async () => {
    const cut = tiny({ config: { width: 4, code: 4, epochs: 60, batchSize: 16 } });
    await abortAfter(20, cut);
    const codes: string[] = [];
    const result = await exportModel({
      run: cut.out!,
      out: folder(),
      verify: true,
      onEvent: (e) => void (e.type === 'warning' && codes.push(e.code)),
    });
    expect(codes).toEqual(['unfinished-run']);
    expect(result.maxDifference).toBeLessThan(1e-4);
  });

  it('refuses a checkpoint of another network, or a damaged one', async () => {
    const cut = tiny({ config: { width: 4, code: 4, epochs: 60, batchSize: 16 } });
    await abortAfter(20, cut);
    const other = { ...cut, config: { ...cut.config, code: 5 }, resume: true };
    await expect(train(other)).rejects.toThrow(withCode('checkpoint-mismatch'));
    await expect(train(other)).rejects.toThrow('was written with `config.code: 4`, but this run has `config.code: 5`');
    await expect(train({ ...cut, seed: 2, resume: true })).rejects.toThrow('was written with the seed 1');
    const file = join(cut.out!, 'checkpoint.safetensors');
    const bytes = readFileSync(file);
    writeFileSync(file, bytes.subarray(0, bytes.length - 100));
    await expect(train({ ...cut, resume: true })).rejects.toThrow(withCode('checkpoint-corrupt'));
    await expect(train({ ...tiny(), out: undefined, resume: true })).rejects.toThrow(withCode('resume-where'));
  });

  it.skipIf(!existsSync('/dev/full'))('keeps the checkpoint when the disk is full', async () => {
    const cut = tiny({ config: { width: 4, code: 4, epochs: 60, batchSize: 16 } });
    await abortAfter(20, cut);
    const file = join(cut.out!, 'checkpoint.safetensors');
    const before = readFileSync(file);
    symlinkSync('/dev/full', `${file}.tmp`);
    await expect(train({ ...cut, resume: true })).rejects.toThrow(withCode('disk'));
    expect(readFileSync(file).equals(before)).toBe(true);
    expect(existsSync(`${file}.tmp`)).toBe(false);
    expect(statusOf(cut.out!)).toBe('failed');
    expect((await train({ ...cut, resume: true })).counts.test).toBe(100);
  });

  it('warns once of a collapse, in events, metrics and report, also when it is resumed', async () => {
    // The watched number falls in a line from 1 to below 0: under a tenth of the other at step 115 of 160.
    const loss = (c: nn.StepContext) => {
      const w = c.net('a').parameter('w', [1], nn.filled(1));
      const b = c.net('b').parameter('b', [1], nn.zerosInit);
      // Two items at 1 and −1, whose spread is 1, and the same times w.
      const data = g.concat([g.add(g.mul(w, 0), 1), g.sub(g.mul(w, 0), 1)], 0);
      const watch = { generated: g.mul(data, w), data };
      return { loss: g.add(g.reduceSum(w), g.reduceSum(g.square(b))), watch };
    };
    const optimizer = nn.sgd({ learningRate: 1 / 128 });
    const phase = { name: 'fit', steps: [{ name: 'w', updates: ['a', 'b'], optimizer, loss }] };
    registry.push(toy('toy-collapses', (() => [{ epochs: 20, batchSize: 16, phase }]) as never));
    const options = tiny({ model: 'toy-collapses' as never, config: {} });
    const report = await train(options);
    const warningsIn = (run: string) =>
      readFileSync(join(run, 'events.jsonl'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
        .filter(({ type }) => type === 'warning');
    const warned = warningsIn(options.out!);
    expect(warned.map(({ code }) => code)).toEqual(['collapse-generated']);
    expect(warned[0].message).toMatch(
      /^Epoch 1[56] of phase "fit" \(w\.generated-spread\): generated items differ by 0\.0/,
    );
    expect(report.warnings).toEqual([{ code: 'collapse-generated', message: warned[0].message }]);
    expect(readFileSync(join(options.out!, 'report.html'), 'utf8')).toContain('<b>collapse-generated</b>');
    // The norm of the gradient is watched without being asked for: dw = 1, db = 0.
    expect(report.history![0].metrics['w.gradient-norm']).toBeCloseTo(1, 5);

    const cut = { ...options, out: folder() };
    await abortAfter(140, cut);
    const resumed = await train({ ...cut, resume: true });
    expect(resumed.warnings).toEqual(report.warnings);
    expect(warningsIn(cut.out)).toHaveLength(1);
  });

  it('stops when the numbers explode, and keeps the last good checkpoint', async () => {
    registry.push(
      toy('toy-explodes', (() => [
        {
          epochs: 1000,
          batchSize: 16,
          phase: {
            name: 'fit',
            steps: [
              {
                name: 'w',
                updates: ['a'],
                optimizer: nn.sgd({ learningRate: 1e-3 }),
                schedule: (i: number) => (i < 700 ? 1 : 1e30),
                loss: (c: nn.StepContext) => {
                  const w = c.net('a').parameter('w', [1], nn.filled(0.5));
                  return g.reduceMean(g.square(g.sub(g.mul(w, c.x), c.x)));
                },
              },
            ],
          },
        },
      ]) as never),
    );
    const options = tiny({ model: 'toy-explodes' as never, config: {} });
    const error = await train(options).catch((e) => e);
    expect(error).toMatchObject({ name: 'TrainingDiverged', code: 'diverged' });
    expect(error.message).toMatch(
      /^toy-explodes: w.loss must stay finite, got (NaN|Infinity) in phase "fit" at step 70\d of 8000\./,
    );
    expect(error.message).toContain('is kept');
    expect(statusOf(options.out!)).toBe('failed');
    expect(Number(tensorsOf(options.out!)['a.w'].data[0])).toBeGreaterThan(0.5);
  });
});

describe('bad input', () => {
  it.each<[string, Partial<TrainOptions>, string]>([
    ['unknown-model', { model: 'autoencodr' as never }, 'Did you mean "autoencoder"?'],
    ['unknown-data-set', { data: 'mnits' }, 'Did you mean "mnist"?'],
    ['unknown-protocol', { protocol: 'one-clas' }, 'Did you mean "one-class"?'],
    ['unknown-preset', { preset: 'seed-00' }, 'Did you mean "seed-000"?'],
    [
      'unknown-option',
      { config: { epoch: 3 } },
      'autoencoder has no option named "epoch". Did you mean `config.epochs`?',
    ],
    ['option-range', { config: { code: 0 } }, 'autoencoder: `config.code` must be an integer from 1 to 4096, got 0.'],
    [
      'option-range',
      { config: { loss: 'l3' } },
      '`config.loss` must be one of l1, l2, ssim, ssim+l2, perceptual, got "l3".',
    ],
    [
      'option-range',
      { config: { learningRate: 2 } },
      '`config.learningRate` must be a number above 0 and at most 1, got 2.',
    ],
    ['unknown-class', { class: 'textur' }, 'Did you mean "texture"?'],
    ['missing-class', { class: undefined }, '`class: 0`'],
    ['unknown-device', { device: 'gpu' as never }, 'There is no device named "gpu".'],
    ['option-range', { falseAlarmRate: 1.5 }, '`falseAlarmRate` must be a number above 0 and below 1, got 1.5.'],
    ['option-range', { validationFraction: 2 }, 'from 0 to 0.9'],
    ['option-range', { seed: 1.5 }, '`seed` must be an integer of at least 0, got 1.5.'],
    ['missing-data', { data: 'cifar10', class: 1, dataRoot: '/nowhere', download: false }, '/nowhere/cifar10'],
    ['unsuitable', { model: 'toy-large' as never, config: {} }, 'toy-large and synthetic: it needs 20 × 20 pixels.'],
  ])('%s leaves nothing behind', async (code, change, sentence) => {
    registry.push({ ...findModel('random'), name: 'toy-large', unsuitable: () => 'it needs 20 × 20 pixels.' });
    const options = tiny(change);
    const error = await train(options).catch((e) => e);
    expect(error).toEqual(withCode(code));
    expect(error.message).toContain(sentence);
    expect(existsSync(options.out!)).toBe(false);
  });

  it('resolves options: defaults, preset, own', () => {
    const model = findModel('autoencoder');
    expect(resolveConfig(model)).toMatchObject({ network: 'strided', epochs: 10 });
    expect(resolveConfig(model, { preset: 'seed-000', config: { epochs: 3 } })).toMatchObject({
      network: 'seed-000',
      epochs: 3,
      batchSize: 32,
    });
    expect(() => resolveConfig(findModel('mean-image'), { preset: 'x' })).toThrow(withCode('unknown-preset'));
  });

  it('does not touch a finished run, unless told to', async () => {
    const options = tiny();
    const first = await train(options);
    const before = readFileSync(join(options.out!, 'checkpoint.safetensors'));
    await expect(train({ ...options, seed: 3 })).rejects.toThrow(withCode('run-exists'));
    expect(readFileSync(join(options.out!, 'checkpoint.safetensors')).equals(before)).toBe(true);
    const second = await train({ ...options, seed: 3, overwrite: true });
    expect(second.metrics).not.toEqual(first.metrics);
  });

  it('says before training that a folder cannot be written to', async () => {
    const file = join(root, 'a-file');
    writeFileSync(file, '');
    await expect(train(tiny({ out: join(file, 'run') }))).rejects.toThrow(withCode('unwritable'));
  });

  it.skipIf(process.platform === 'darwin')('says that a device is absent', async () => {
    await expect(train(tiny({ device: 'coreml' }))).rejects.toThrow(withCode('device-missing'));
  });

  it('cancels before training as well', async () => {
    const stop = new AbortController();
    stop.abort();
    const options = tiny({ signal: stop.signal });
    await expect(train(options)).rejects.toThrow(withCode('cancelled'));
    expect(existsSync(options.out!)).toBe(false);
  });

  it('tells damaged, missing and foreign artefacts apart', async () => {
    const options = tiny({ config: { width: 4, code: 4, epochs: 1 } });
    await train(options);
    const run = options.out!;
    const onnx = join(run, 'model.onnx');
    const whole = readFileSync(onnx);
    const damaged = Buffer.from(whole);
    damaged[damaged.length >> 1] ^= 1;
    for (const bytes of [damaged, whole.subarray(0, whole.length >> 1)]) {
      writeFileSync(onnx, bytes);
      await expect(loadDetector(run)).rejects.toThrow(withCode('artefact-corrupt'));
    }
    const { model: foreign } = g.encodeModel({
      ...g.decodeModel(whole),
      producer: 'pytorch',
      producerVersion: '2.1',
      metadata: {},
    });
    writeFileSync(onnx, foreign);
    await expect(testRun({ run })).rejects.toThrow(withCode('not-an-oddity-artefact'));
    await expect(loadDetector(run)).rejects.toThrow(
      'found an ONNX file by pytorch 2.1 with the inputs image and the outputs score, map, reconstruction',
    );
    writeFileSync(onnx, whole);
    writeFileSync(join(run, 'model.json'), '{');
    await expect(loadDetector(run)).rejects.toThrow(withCode('artefact-corrupt'));
    rmSync(join(run, 'model.json'));
    await expect(loadDetector(run)).rejects.toThrow(withCode('missing-artefact'));
    await expect(loadDetector(folder())).rejects.toThrow(withCode('missing-artefact'));
    await expect(testRun({ run: folder() })).rejects.toThrow(withCode('not-a-run'));
  });

  it('keeps large weights in a file of their own', async () => {
    const options = tiny({ config: { width: 4, code: 4, epochs: 1 } });
    await train(options);
    const { info } = await readArtifact(options.out!);
    const model = findModel('autoencoder');
    const graph = scoringModel(model, info.config, info.shape, tensorsOf(options.out!));
    const split = await buildArtifact(graph, model, info.config, info.shape, info.oddity, info, 1000);
    const out = folder();
    mkdirSync(out);
    await writeArtifact(out, split);
    expect(runnableBytes(await readArtifact(out)).length).toBeGreaterThan(split.onnx.length);
    const [one, two] = [await loadDetector(options.out!), await loadDetector(out)];
    const image = new Float32Array(256).fill(0.5);
    expect((await two.score(image, 1)).scores).toEqual((await one.score(image, 1)).scores);
    await Promise.all([one.close(), two.close()]);
    rmSync(join(out, 'weights.bin'));
    await expect(loadDetector(out)).rejects.toThrow(withCode('artefact-corrupt'));
  });
});
