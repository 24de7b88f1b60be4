/** Clips as users meet them: folders of frames are trained on, judged and predicted, videos are read where ffmpeg is. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clipSource, encodePng, movingSquares } from '../../dist/data/index.js';
import { type AnyModel, frameDifference, loadDetector, type RunReport, test, train } from '../../dist/index.js';

const root = mkdtempSync(join(tmpdir(), 'oddity-clips-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const at = (name: string) => join(root, name);
const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0;

function oddity(args: readonly string[], env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1', COLUMNS: '200', ...env },
  });
  return { status, stdout, stderr };
}

const SIZE = 32;
const FRAMES = 60;

/** Moving squares as folders of numbered images with a table of labels. */
async function writeFrames(): Promise<void> {
  const { clips, classes = [] } = await movingSquares({ size: SIZE, frames: FRAMES, train: 2, test: 1 });
  const rows = ['clip,first,last,class'];
  for (const { id, labels, read } of clips) {
    mkdirSync(at(`squares/${id}`), { recursive: true });
    const bytes = await read(0, FRAMES);
    for (let t = 0; t < FRAMES; t++) {
      const data = bytes.slice(t * SIZE * SIZE, (t + 1) * SIZE * SIZE);
      writeFileSync(at(`squares/${id}/${t + 1}.png`), encodePng({ height: SIZE, width: SIZE, channels: 1, data }));
      if (labels?.[t]) rows.push([id, t + 1, t + 1, classes[labels[t]]].join());
    }
  }
  writeFileSync(at('squares/labels.csv'), `${rows.join('\n')}\n`);
}

/** A clip of the test part as a video. */
async function writeVideo(path: string): Promise<void> {
  const { clips } = await movingSquares({ size: SIZE, frames: FRAMES, train: 2, test: 1 });
  const input = Buffer.from(await clips[clips.length - 1].read(0, FRAMES));
  const raw = ['-f', 'rawvideo', '-pix_fmt', 'gray', '-s', `${SIZE}x${SIZE}`, '-r', '25', '-i', 'pipe:0'];
  const made = spawnSync('ffmpeg', ['-v', 'error', ...raw, '-pix_fmt', 'yuv420p', path], { input });
  if (made.status !== 0) throw new Error(made.stderr.toString());
}

beforeAll(async () => {
  await writeFrames();
  if (hasFfmpeg) await writeVideo(at('odd.mp4'));
});

describe('folders of frames', () => {
  let report: RunReport;
  const options = { data: at('squares'), kind: 'clip', size: [SIZE, SIZE], threads: 1, maps: 2 } as const;
  beforeAll(async () => {
    report = await train({ model: 'pca', ...options, out: at('run') });
  });

  it('train a model of images, frame by frame, and are judged by frames and by clips', async () => {
    expect([report.kind, report.window, report.counts.test]).toEqual(['clip', 1, 4 * FRAMES]);
    expect(report.perType.map(({ type }) => type).sort()).toEqual(['fast', 'foreign object', 'reversed', 'stopped']);
    const { item, map, series } = report.metrics;
    expect(item.auroc).toBeGreaterThan(0);
    expect(item.macroAuroc).toBeGreaterThan(0);
    expect(item.minMaxAuroc).toBeGreaterThan(0);
    expect([map?.auroc, series?.vusPr]).toEqual([null, undefined]); // there are no masks, and clips have no period
    expect(Object.keys(report.baselines)).toEqual(['mean-image', 'frame-difference', 'random']);
    const again = await test({ run: at('run') });
    expect(again.metrics).toEqual(report.metrics);
  });

  it('show their scores, their alarms and frames with maps on the page', () => {
    const page = readFileSync(at('run/report.html'), 'utf8');
    expect(page).toContain('Clips and alarms');
    expect(page).toContain('<h3>test/stopped-1</h3>');
    expect(page).toMatch(/Frame \d+ of test\/[a-z-]+-1 with its map/);
    expect(page).toContain('frame difference');
    expect(page).not.toContain('channels that stand out');
    expect(readdirSync(at('run/maps')).length).toBe(3);
  });

  it('are verified when they are exported, and scored like the run', async () => {
    const found = oddity(['export', at('run'), '--out', at('exported'), '--verify']);
    expect(found.stderr + found.stdout).toContain('verified');
    expect(found.status).toBe(0);
    await using detector = await loadDetector(at('exported'));
    const { clips } = await movingSquares({ size: SIZE, frames: FRAMES, train: 2, test: 1 });
    const { scores } = await detector.scoreClip(clips[2]);
    const lines = readFileSync(at('run/predictions.csv'), 'utf8').split('\n');
    const own = lines.filter((line) => line.startsWith('test/fast-1:')).map((line) => Number(line.split(',')[3]));
    expect(own).toHaveLength(FRAMES);
    for (const [t, score] of own.entries()) expect(scores[t]).toBeCloseTo(score, 5);
  });

  it('are predicted one clip at a time, with a line a frame and alarms', () => {
    const found = oddity(['predict', at('run'), at('squares/test/fast-1'), '--out', at('found'), '--maps', 'picture']);
    expect(found.status).toBe(0);
    const lines = readFileSync(at('found/predictions.csv'), 'utf8').trimEnd().split('\n');
    expect(lines[0]).toBe('path,frame,seconds,score,threshold,isAnomalous,decision');
    expect(lines).toHaveLength(FRAMES + 1);
    const { format, rule, alarms } = JSON.parse(readFileSync(at('found/alarms.json'), 'utf8'));
    expect([format, rule.gap, Array.isArray(alarms)]).toEqual(['oddity-alarms-1', 1, true]);
    expect(readdirSync(at('found/maps')).every((name) => /^fast-1-frame-\d+\.png$/.test(name))).toBe(true);
  });

  it('are inspected', () => {
    const { status, stdout } = oddity(['inspect', at('squares'), '--kind', 'clip']);
    expect(status).toBe(0);
    expect(stdout).toContain('squares: 6 clips of 360 frames; 120 are for training; kinds of anomalies: ');
    expect(stdout).toMatch(/test\/fast-1 +60 +32x32/);
  });

  it('smooth scores along each clip where a model asks for it, in thresholds and in predictions', async () => {
    const smooth: AnyModel = {
      ...frameDifference,
      name: 'smooth-difference',
      learning: 'one-class',
      smoothing: () => 2,
    };
    const source = await clipSource(await movingSquares({ size: SIZE, frames: FRAMES, train: 2, test: 1 }));
    const plain = { data: source, threads: 1, maps: 0 } as const;
    const [raw, smoothed] = [
      await train({ model: frameDifference, ...plain, out: at('raw') }),
      await train({ model: smooth, ...plain, out: at('smooth') }),
    ];
    expect([raw.smoothing, smoothed.smoothing, smoothed.window]).toEqual([undefined, 2, 2]);
    expect(smoothed.threshold.value).toBeLessThan(raw.threshold.value!);
    expect(smoothed.threshold.together).toBe(10);
    expect(readFileSync(at('smooth/report.html'), 'utf8')).toContain(
      'smoothed along each clip by a Gaussian of 2 frames',
    );
    await using detector = await loadDetector(at('smooth'));
    const { scores } = await detector.scoreClip(
      (await movingSquares({ size: SIZE, frames: FRAMES, train: 2, test: 1 })).clips[3],
    );
    const lines = readFileSync(at('smooth/predictions.csv'), 'utf8').split('\n');
    const own = lines.filter((line) => line.startsWith('test/reversed-1:')).map((line) => Number(line.split(',')[3]));
    for (const [t, score] of own.entries()) expect(scores[t]).toBeCloseTo(score, 6);
  });
});

describe('what cannot be used', () => {
  it('is said in a sentence, and nothing is written', () => {
    const out = at('nothing');
    mkdirSync(at('one/a'), { recursive: true });
    writeFileSync(at('one/a/1.png'), encodePng({ height: 8, width: 8, channels: 1, data: new Uint8Array(64) }));
    const short = oddity(['train', 'frame-difference', '--data', at('one/a'), '--kind', 'clip', '--out', out]);
    expect(short.stderr).toContain('must be at least one window of 2 frames long, but has 1 frame.');
    writeFileSync(at('one/a/2.png'), encodePng({ height: 8, width: 6, channels: 1, data: new Uint8Array(48) }));
    const mixed = oddity(['train', 'frame-difference', '--data', at('one/a'), '--kind', 'clip', '--out', out]);
    expect(mixed.stderr).toContain('or bring all frames to one size with --size 128x128');
    expect([short.status, mixed.status, existsSync(join(out, 'model.onnx'))]).toEqual([3, 3, false]);
  });

  it('a video without ffmpeg', () => {
    writeFileSync(at('some.mp4'), 'x');
    const { stderr, status } = oddity(['train', 'pca', '--data', at('some.mp4'), '--out', at('none')], { PATH: root });
    expect(stderr).toContain(
      'is a video, which needs the programs ffmpeg and ffprobe on the PATH, but they are not there.',
    );
    expect([status === 0, existsSync(at('none/model.onnx'))]).toEqual([false, false]);
  });
});

// Without ffmpeg there is nothing to test: .ci/run installs it.
describe.skipIf(!hasFfmpeg)('videos', () => {
  it('are predicted with seconds, beside those that cannot be read', () => {
    writeFileSync(at('broken.mp4'), 'this is no video');
    const { status, stdout } = oddity(['predict', at('run'), at('odd.mp4'), at('broken.mp4'), '--out', at('video')]);
    expect(status).not.toBe(0);
    expect(stdout).toContain('broken.mp4 must be a video that ffmpeg can read, but it cannot (');
    const lines = readFileSync(at('video/predictions.csv'), 'utf8').trimEnd().split('\n');
    expect(lines).toHaveLength(FRAMES + 1);
    expect(lines[2]).toMatch(/odd\.mp4,2,0\.04,/);
    const folders = oddity(['predict', at('run'), at('squares/test/foreign-object-1'), '--format', 'csv']).stdout;
    const scoresOf = (text: string) =>
      text
        .trimEnd()
        .split('\n')
        .slice(1)
        .map((line) => Number(line.split(',')[3]));
    const [video, frames] = [scoresOf(lines.join('\n')), scoresOf(folders)];
    // Compression changes pixels a little.
    for (const [t, score] of frames.entries())
      expect(Math.abs(video[t] - score)).toBeLessThan(0.3 * Math.max(...frames));
  });

  it('train without any option', async () => {
    const report = await train({
      model: 'mean-image',
      data: at('odd.mp4'),
      size: [16, 16],
      out: at('film'),
      threads: 1,
      maps: 0,
    });
    expect([report.kind, report.counts.testAnomalies]).toEqual(['clip', 0]);
    expect(oddity(['inspect', at('odd.mp4')]).stdout).toContain('odd.mp4: 1 clip of 60 frames; 48 are for training.');
  });
});
