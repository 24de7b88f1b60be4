/** Clips from their files to items. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { writeTiff } from '../../../../test/helpers/tiff.ts';
import { tensor } from '../../../core/tensor.ts';
import { writeNpy } from '../../formats/npy.ts';
import { encodePng } from '../../formats/png.ts';
import { findDataset, kindOfData } from '../datasets/index.ts';
import { clipFilesSource, openClipFiles } from './clip-files.ts';
import { isOfClips } from './find-clips.ts';

const base = mkdtempSync(join(tmpdir(), 'oddity-clips-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));
let made = 0;
function folder(files: Readonly<Record<string, Uint8Array | string>>): string {
  const root = join(base, String(made++));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return root;
}

const png = (grey: number, [height, width] = [8, 8]) =>
  encodePng({ height, width, channels: 1, data: new Uint8Array(height * width).fill(grey) });

/** Frames 1.png, 2.png … in a folder, whose grey is ten times their number. */
const frames = (path: string, count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, t) => [`${path}/${t + 1}.png`, png(10 * (t + 1))]));

/** The grey of each frame of all clips. */
async function greys(path: string, options = {}): Promise<[string[], number[]]> {
  const source = await clipFilesSource(path, { size: [8, 8], window: 1, ...options });
  const size = source.shape.reduce((n, d) => n * d, 1);
  const out = new Float32Array(source.items.length * size);
  await source.read([...source.items.keys()], out);
  await source.close?.();
  return [source.items.map(({ id }) => id), source.items.map((_, i) => Math.round(255 * out[i * size]))];
}

describe('clips on disk', () => {
  it('are a folder of numbered images, in natural order', async () => {
    const root = folder(frames('walk', 11));
    const [ids, values] = await greys(join(root, 'walk'));
    expect(values).toEqual(Array.from({ length: 11 }, (_, t) => 10 * (t + 1)));
    expect(ids.slice(0, 2)).toEqual(['walk:1', 'walk:2']);
  });

  it('are files of several pages, animated or not, which need no option', async () => {
    const page = (grey: number) => ({ height: 8, width: 8, data: new Uint8Array(64).fill(grey) });
    const greyOf = [10, 20, 30, 40];
    const root = folder({ 'stack.tif': writeTiff(greyOf.map(page)) });
    const still = greyOf.map((grey) => ({
      create: { width: 8, height: 8, channels: 3 as const, background: { r: grey, g: grey, b: grey } },
    }));
    const images = await Promise.all(still.map((input) => sharp(input).png().toBuffer()));
    for (const ending of ['gif', 'webp'] as const) {
      const joined = sharp(images, { join: { animated: true } });
      const done = ending === 'gif' ? joined.gif({ delay: 40 }) : joined.webp({ lossless: true, delay: 40 });
      writeFileSync(join(root, `moving.${ending}`), await done.toBuffer());
    }
    for (const name of ['stack.tif', 'moving.gif', 'moving.webp']) {
      const [ids, values] = await greys(join(root, name));
      expect([ids.length, values], name).toEqual([4, greyOf]);
      expect(await kindOfData(join(root, name), {}), name).toBe('clip');
    }
    expect(await isOfClips(root)).toBe(false);
  });

  it('have parts by the names of folders, and labels by a table, a file or masks', async () => {
    const root = folder({
      ...frames('Train/Train001', 6),
      ...frames('Test/Test001', 5),
      ...frames('Test/Test002', 4),
      ...frames('Test/Test003', 3),
      'Test/Test001_gt/1.png': png(0),
      'Test/Test001_gt/2.png': png(0),
      'Test/Test001_gt/3.png': png(255),
      'Test/Test001_gt/4.png': png(255),
      'Test/Test001_gt/5.png': png(0),
      'Test/Test002.txt': '0 0\n1 1\n',
      'labels/Test003.npy': writeNpy(tensor('uint8', [3], Uint8Array.of(1, 0, 0))),
    });
    const source = await clipFilesSource(root, { size: [8, 8], window: 2 });
    expect(source.series?.spans.map(({ id, steps, train }) => [id, steps, train])).toEqual([
      ['Test/Test001', 5, 0],
      ['Test/Test002', 4, 0],
      ['Test/Test003', 3, 0],
      ['Train/Train001', 6, 6],
    ]);
    expect(source.items.map((item) => item.class).join('')).toBe(`00110${'0011'}${'100'}${'000000'}`);
    const mask = new Uint8Array(64);
    await source.readMasks!([2], mask);
    expect([mask.every((v) => v === 1), source.hasMask!(2), source.hasMask!(5)]).toEqual([true, true, false]);
    await source.close?.();
  });

  it('have classes by a table of stretches', async () => {
    const root = folder({
      ...frames('training/frames/01', 4),
      ...frames('testing/frames/01', 6),
      'labels.csv': 'clip,first,last,class\n01,2,3,bicycle\ntesting/frames/01,5,5,runner\n',
    });
    const source = await clipFilesSource(root, { size: [8, 8] });
    expect(source.classes).toEqual(['normal', 'bicycle', 'runner']);
    expect(source.items.map((item) => item.class).join('')).toBe('0110200000');
    await source.close?.();
    writeFileSync(join(root, 'labels.csv'), 'clip,first,last\n01,2,9\n');
    await expect(clipFilesSource(root, {})).rejects.toThrow(
      'frames 2 to 9 of testing/frames/01 are anomalous, but it has 6',
    );
    writeFileSync(join(root, 'labels.csv'), 'clip,first,last\n03,2,3\n');
    await expect(clipFilesSource(root, {})).rejects.toThrow(
      '(line 2) must name a clip, such as testing/frames/01, but has "03"',
    );
    writeFileSync(join(root, 'labels.csv'), 'a,b\n1,2\n');
    await expect(clipFilesSource(root, {})).rejects.toThrow('must have the columns clip, first and last');
  });

  it('are refused, each in a sentence, where they are short, mixed, cut or none', async () => {
    const one = folder(frames('a', 1));
    await expect(clipFilesSource(join(one, 'a'), {})).rejects.toThrow(
      'The training part of the clip a (a) must be at least one window of 2 frames long, but has 1 frame. Leave the clip out, or add the frames that follow.',
    );
    const mixed = folder({ 'a/1.png': png(1), 'a/2.png': png(2, [6, 8]), 'a/3.png': png(3), 'a/4.png': png(4) });
    await expect(clipFilesSource(join(mixed, 'a'), {})).rejects.toThrow(
      "The frames of the clip a have different sizes: 1.png is 8x8 and 2.png is 6x8 (height x width). Put clips of different cameras into folders of their own, or bring all frames to one size with `size: '128x128'`.",
    );
    const told: string[] = [];
    const onEvent = (event: { type: string; code?: string }) => void (event.code && told.push(event.code));
    expect((await greys(join(mixed, 'a'), { onEvent }))[1]).toEqual([1, 2, 3, 4]);
    expect(told).toEqual(['mixed-sizes']);
    const labels = folder({ ...frames('a', 3), 'a.txt': '0 1' });
    await expect(clipFilesSource(labels, {})).rejects.toThrow(
      'a.txt must hold one 0 (normal) or 1 (anomalous) for each of 3 frames, but has 2. Correct it, or remove it.',
    );
    const nothing = folder({ 'a.txt': 'x' });
    await expect(clipFilesSource(nothing, {})).rejects.toMatchObject({ code: 'no-clips' });
    await expect(clipFilesSource(join(nothing, 'a.txt'), {})).rejects.toMatchObject({ code: 'no-clips' });
  });

  it('without parts by names train whole, those with anomalies test', async () => {
    const root = folder({ ...frames('a', 3), ...frames('b', 3), ...frames('c', 3), 'b.txt': '0 1 0' });
    const source = await clipFilesSource(root, { size: [8, 8] });
    expect(source.series?.spans.map(({ train }) => train)).toEqual([3, 0, 3]);
    await source.close?.();
    const alone = await clipFilesSource(join(root, 'b'), { size: [8, 8], window: 1 });
    expect(alone.series?.spans.map(({ train }) => train)).toEqual([2]);
    await alone.close?.();
  });

  it('that end in the middle of a frame are named', async () => {
    const noise = Array.from({ length: 5 }, (_, t) =>
      encodePng({
        height: 40,
        width: 40,
        channels: 1,
        data: Uint8Array.from({ length: 1600 }, (_, i) => (i * (t + 7) * 31) % 251),
      }),
    );
    const gif = await sharp(noise.map(Buffer.from), { join: { animated: true } })
      .gif()
      .toBuffer();
    const root = folder({ 'cut.gif': gif.subarray(0, Math.floor(gif.length * 0.7)) });
    await expect(clipFilesSource(join(root, 'cut.gif'), { trainShare: 1 })).rejects.toThrow(
      /cut\.gif.* must be a whole image file/,
    );
  });

  it('are found by the name of a path, and opened for a detector', async () => {
    const root = folder({ ...frames('a', 3), ...frames('b', 2) });
    expect(await kindOfData(root, {})).toBe('image');
    expect(await kindOfData(root, { kind: 'clip' })).toBe('clip');
    const source = await findDataset(root).load({ root, kind: 'clip', size: [8, 8] });
    expect([source.kind, source.name, source.items.length]).toEqual(['clip', basename(root), 5]);
    await source.close?.();
    const { clips, close } = await openClipFiles(root, [1, 4, 4], {});
    expect(clips.map(({ id, frames: count }) => [id, count])).toEqual([
      ['a', 3],
      ['b', 2],
    ]);
    expect([...(await clips[1].read(1, 2))]).toEqual(Array(16).fill(20));
    await close();
  });

  // Without ffmpeg there is nothing to test: .ci/run installs it.
  it.skipIf(spawnSync('ffmpeg', ['-version']).status !== 0)('are videos, with their rate', async () => {
    const root = folder({});
    mkdirSync(root, { recursive: true });
    const path = join(root, 'a.mkv');
    const input = Buffer.concat(Array.from({ length: 5 }, (_, t) => Buffer.alloc(16 * 16, 10 * (t + 1))));
    const raw = ['-f', 'rawvideo', '-pix_fmt', 'gray', '-s', '16x16', '-r', '25', '-i', 'pipe:0'];
    expect(spawnSync('ffmpeg', ['-v', 'error', ...raw, '-c:v', 'ffv1', path], { input }).status).toBe(0);
    expect([await kindOfData(path, {}), await kindOfData(root, {})]).toEqual(['clip', 'clip']);
    expect((await greys(path, { channels: 1 }))[1]).toEqual([10, 20, 30, 40, 50]);
    const source = await clipFilesSource(root, { size: [8, 8], trainShare: 1 });
    expect([source.shape, source.series?.spans[0].rate]).toEqual([[2, 3, 8, 8], 25]);
    await source.close?.();
  });
});
