import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isVideoName, openVideo, probeVideo } from './video.ts';

const root = mkdtempSync(join(tmpdir(), 'oddity-video-'));
const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0;
const path = join(root, 'grey.avi');
afterAll(() => rmSync(root, { recursive: true, force: true }));

it('knows videos by their names', () => {
  expect(['a.mp4', 'b.AVI', 'c/d.mkv', 'e.png', 'mp4'].map(isVideoName)).toEqual([true, true, true, false, false]);
});

it('says in one sentence what is missing where there is no ffmpeg', async () => {
  const { PATH } = process.env;
  writeFileSync(join(root, 'any.mp4'), 'x');
  process.env.PATH = root;
  try {
    await expect(probeVideo(join(root, 'any.mp4'))).rejects.toMatchObject({
      code: 'no-ffmpeg',
      message: `${join(root, 'any.mp4')} is a video, which needs the programs ffmpeg and ffprobe on the PATH, but they are not there. Install ffmpeg, or save the frames as images in a folder.`,
    });
  } finally {
    process.env.PATH = PATH;
  }
});

// Without ffmpeg there is nothing to test: .ci/run installs it.
describe.skipIf(!hasFfmpeg)('videos', () => {
  beforeAll(() => {
    // 70 frames of 16x24 whose grey is twice their number.
    const frames = Buffer.concat(Array.from({ length: 70 }, (_, t) => Buffer.alloc(16 * 24, 2 * t)));
    const size = ['-f', 'rawvideo', '-pix_fmt', 'gray', '-s', '24x16', '-r', '10', '-i', 'pipe:0'];
    const made = spawnSync('ffmpeg', ['-v', 'error', ...size, '-c:v', 'ffv1', '-pix_fmt', 'gray', path], {
      input: frames,
    });
    expect(made.status).toBe(0);
  });

  it('have frames, a size and a rate', async () => {
    expect(await probeVideo(path)).toEqual({ frames: 70, height: 16, width: 24, rate: 10 });
  });

  it('give their frames in any order, at another size', async () => {
    const video = openVideo(path, [1, 8, 8]);
    const grey = async (from: number, to: number) => {
      const bytes = await video.read(from, to);
      expect(bytes).toHaveLength((to - from) * 64);
      return Array.from({ length: to - from }, (_, k) => bytes[64 * k] / 2);
    };
    expect(await grey(0, 3)).toEqual([0, 1, 2]);
    expect(await grey(3, 5)).toEqual([3, 4]);
    expect(await Promise.all([grey(60, 62), grey(10, 11), grey(11, 13)])).toEqual([[60, 61], [10], [11, 12]]);
    await expect(video.read(68, 72)).rejects.toThrow('it ended before frame 71');
    video.close();
  });

  it('give colours as planes', async () => {
    const video = openVideo(path, [3, 16, 24]);
    const bytes = await video.read(20, 21);
    expect([bytes.length, bytes[0], bytes[16 * 24], bytes[2 * 16 * 24]]).toEqual([3 * 16 * 24, 40, 40, 40]);
    video.close();
  });

  it('that cannot be read are told in a sentence', async () => {
    const text = join(root, 'text.mp4');
    writeFileSync(text, 'this is no video');
    await expect(probeVideo(text)).rejects.toMatchObject({ code: 'unreadable-video' });
    await expect(probeVideo(text)).rejects.toThrow(
      /text\.mp4 must be a video that ffmpeg can read, but it cannot \(.+\)\./,
    );
  });

  it('are left when the run is cancelled', async () => {
    const stop = new AbortController();
    const video = openVideo(path, [1, 16, 24], stop.signal);
    await video.read(0, 1);
    stop.abort();
    await expect(video.read(50, 60)).rejects.toMatchObject({ code: 'cancelled' });
    await expect(probeVideo(path, stop.signal)).rejects.toMatchObject({ code: 'cancelled' });
  });
});
