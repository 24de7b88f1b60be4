/** `oddity watch --camera`: frames of a video and of a stream that is cut, through ffmpeg; and programs that are run for anomalies. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rng } from '../../dist/core/random.js';
import { encodePng } from '../../dist/data/index.js';
import { fit } from '../../dist/index.js';
import { type WatchRecord, watch } from '../../dist/watch/index.js';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const SIDE = 32;
let root: string;
let run: string;
let video: string;
const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0;
const quick = { device: 'cpu', threads: 1 } as const;

/** Soft grey noise; an anomaly has a white square. */
function picture(seed: number, isAnomalous = false): Uint8Array {
  const rng = new Rng(seed);
  const data = Uint8Array.from({ length: SIDE * SIDE }, (_, p) => {
    const inside = isAnomalous && p % SIDE < 14 && p / SIDE < 14;
    return inside ? 255 : 100 + rng.int(50);
  });
  return encodePng({ height: SIDE, width: SIDE, channels: 1, data });
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'oddity-camera-'));
  run = join(root, 'run');
  const images = Array.from({ length: 60 }, (_, i) => picture(i));
  const detector = await fit('pca', images, { seed: 1, device: 'cpu', threads: 1 });
  await detector.save(run);
  await detector.close();
  if (!hasFfmpeg) return;
  // Twelve frames without loss, two of them anomalous.
  const frames = join(root, 'frames');
  await mkdir(frames);
  for (let i = 0; i < 12; i++)
    await writeFile(join(frames, `${String(i).padStart(2, '0')}.png`), picture(100 + i, i === 4 || i === 9));
  video = join(root, 'line.mkv');
  const make = [
    '-v',
    'error',
    '-framerate',
    '4',
    '-i',
    join(frames, '%02d.png'),
    '-c:v',
    'ffv1',
    '-pix_fmt',
    'gray',
    video,
  ];
  expect(spawnSync('ffmpeg', make).status).toBe(0);
}, 60_000);
afterAll(() => rm(root, { recursive: true, force: true }));

const resultsOf = async (out: string): Promise<WatchRecord[]> =>
  (await readFile(join(out, 'results.ndjson'), 'utf8'))
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));

describe.skipIf(!hasFfmpeg)('watch --camera (needs ffmpeg)', () => {
  it('scores each frame of a video and keeps those that are anomalous', async () => {
    const out = join(root, 'video');
    const anomalies = join(root, 'video-anomalies');
    const summary = await watch({ run, camera: video, fps: 4, out, anomalies, overlays: true, ...quick });
    expect(summary).toMatchObject({ scored: 12, failed: 0, missed: 0 });
    const records = await resultsOf(out);
    const odd = records.filter(({ isAnomalous }) => isAnomalous);
    expect(records.map(({ isAnomalous }) => isAnomalous).flatMap((is, i) => (is ? [i] : []))).toEqual(
      expect.arrayContaining([4, 9]),
    );
    expect(odd.every(({ kept, overlay }) => kept && overlay)).toBe(true);
    expect(await readdir(join(out, 'frames'))).toHaveLength(odd.length);
    expect(await readdir(join(anomalies, 'frames'))).toHaveLength(odd.length);
    expect(new Set(records.map(({ id }) => id)).size).toBe(12);
    // Half as many frames a second.
    const half = join(root, 'video-half');
    expect((await watch({ run, camera: video, fps: 2, out: half, ...quick })).scored).toBeLessThan(9);
  }, 30_000);

  it('connects again to a stream that is cut, says so, and never shows its password', async () => {
    const bytes = await readFile(video);
    let connections = 0;
    const server = createServer((_, response) => {
      connections++;
      if (connections === 2)
        response.destroy(); // a connection that gives nothing
      else response.writeHead(200, { 'Content-Type': 'video/x-matroska' }).end(bytes);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const out = join(root, 'stream');
    const told: { code: string; message: string }[] = [];
    const stop = new AbortController();
    const camera = `http://me:secret@127.0.0.1:${port}/line`;
    const ended = watch({
      ...{ run, camera, fps: 4, out, reconnect: 50, signal: stop.signal, ...quick },
      onEvent: (event) => void (event.type === 'warning' && told.push({ code: event.code, message: event.message })),
    });
    try {
      await expect.poll(() => told.some(({ code }) => code === 'camera-back'), { timeout: 20_000 }).toBe(true);
    } finally {
      stop.abort();
    }
    expect((await ended).scored).toBeGreaterThan(1);
    expect(told.map(({ code }) => code).slice(0, 2)).toEqual(['camera-gone', 'camera-back']);
    expect(JSON.stringify(told)).not.toContain('secret');
    expect(told[0].message).toContain(`http://127.0.0.1:${port}/line is not there`);
    server.close();
  }, 40_000);

  it('refuses what is no camera, no video, and no choice', async () => {
    const out = join(root, 'none');
    const refused = (options: object) => expect(watch({ run, out, ...quick, ...options })).rejects;
    await refused({ camera: 'concat:/etc/passwd' }).toMatchObject({ code: 'camera' });
    await refused({ camera: 'ftp://camera/1' }).toMatchObject({ code: 'camera' });
    await refused({ camera: root }).toMatchObject({ code: 'not-a-file' });
    await writeFile(join(root, 'text.mp4'), 'no video');
    await refused({ camera: join(root, 'text.mp4') }).toMatchObject({ code: 'unreadable-video' });
    await refused({ camera: video, folder: root }).toMatchObject({ code: 'watch-what' });
    await refused({}).toMatchObject({ code: 'watch-what' });
    await refused({ camera: video, once: true }).toMatchObject({ code: 'watch-what' });
    await refused({ camera: video, fps: 0 }).toMatchObject({ code: 'option-range' });
  });

  it('says that ffmpeg is missing', () => {
    const { status, stderr } = spawnSync(
      process.execPath,
      [main, 'watch', run, '--camera', video, '--out', join(root, 'missing'), '--device', 'cpu'],
      { encoding: 'utf8', env: { ...process.env, PATH: root } },
    );
    expect({ status, stderr }).toEqual({
      status: 4,
      stderr: expect.stringMatching(/ffmpeg, which must be on the PATH/),
    });
  });
});

describe('watch --on-anomaly', () => {
  it('runs a program for each anomaly, whatever its file is called', async () => {
    const folder = join(root, 'hooked');
    await mkdir(folder);
    const [script, log] = [join(root, 'note.sh'), join(root, 'notes')];
    await writeFile(script, `#!/bin/sh\ncat >> "${log}"\necho >> "${log}"\n`);
    await chmod(script, 0o755);
    const odd = '$(touch pwned);"a b".png';
    await writeFile(join(folder, odd), picture(1, true));
    await writeFile(join(folder, 'normal.png'), picture(2));
    const settled = { settle: 20, interval: 30, once: true } as const;
    await watch({ run, folder, out: join(root, 'hooked-out'), onAnomaly: script, ...settled, ...quick });
    const notes = (await readFile(log, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(notes).toMatchObject([{ path: odd, file: join(folder, odd), isAnomalous: true }]);
  });

  it('refuses a program that is not there before anything is scored', async () => {
    const options = { run, folder: root, out: `${root}-out`, onAnomaly: 'no-such-program', once: true, ...quick };
    await expect(watch(options)).rejects.toMatchObject({ code: 'hook' });
  });
});
