/**
 * Images per second from JPEG files to a batch – decoded, resized to 128x128, float32 in [0, 1] – as training reads them
 * without a cache, against sharp alone decoding the same files with as many at a time as it takes. Interleaved; medians.
 * On a machine that others use, too, the share of processor time says more than that of the clock.
 * The files are made from real photographs in a temporary folder: 24 crops of 640x480 and 960x720 at quality 90.
 * `npm run bench -- loading [--json]`. Needs the photographs (ODDITY_DATA/photos); the aim is a share of 0.8 or more.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { dataRoot, decodeImage, openDecoder, writeUnit } from '../src/data/index.ts';
import { median, option, saveRows } from './measure.ts';

const rounds = 7;
const shape = [3, 128, 128] as const;
const photos = join(dataRoot(), 'photos');
const folder = await mkdtemp(join(tmpdir(), 'oddity-loading-'));
sharp.cache(false);

/** Crops of the photographs, enlarged where they are too small, so that all files of a size cost about the same. */
async function makeFiles(width: number, height: number, channels: 1 | 3): Promise<string[]> {
  const names = (await readdir(photos)).filter((name) => /\.(jpg|bmp)$/.test(name)).sort();
  const paths: string[] = [];
  for (let i = 0; i < 24; i++) {
    const name = names[i % names.length];
    const { data, ...photo } = await decodeImage(await readFile(join(photos, name)), name);
    const raw = { width: photo.width, height: photo.height, channels: photo.channels };
    const position = (['attention', 'entropy', 'centre'] as const)[i % 3];
    const to = join(folder, `${channels}-${width}-${i}.jpg`);
    const image = sharp(data as Uint8Array, { raw }).resize(width, height, { fit: 'cover', position });
    await image
      .toColourspace(channels === 1 ? 'b-w' : 'srgb')
      .jpeg({ quality: 90 })
      .toFile(to);
    paths.push(to);
  }
  return paths;
}

/** Seconds by the clock and of processors that `work` takes for all files, all asked for at once. */
async function timed(paths: readonly string[], work: (path: string, i: number) => Promise<unknown>) {
  const begin = performance.now();
  const before = process.cpuUsage();
  await Promise.all(paths.map(work));
  const { user, system } = process.cpuUsage(before);
  return { clock: (performance.now() - begin) / 1000, cpu: (user + system) / 1e6 };
}

const rows: Record<string, unknown>[] = [];
const decoder = openDecoder();
try {
  for (const [width, height, channels] of [
    [640, 480, 3],
    [960, 720, 3],
    [640, 480, 1],
  ] as const) {
    const paths = await makeFiles(width, height, channels);
    const values = channels * shape[1] * shape[2];
    const batch = new Float32Array(paths.length * values);
    const to = [channels, shape[1], shape[2]] as const;
    const ours = async (path: string, i: number) => {
      const { data } = await decoder.decode({ path, as: 'image', shape: to });
      writeUnit(data, batch, i * values);
    };
    // As many channels as we read: sharp alone would spread a grey image over three.
    const space = channels === 1 ? 'b-w' : 'srgb';
    const alone = (path: string) => sharp(path).toColourspace(space).raw().toBuffer();
    const times: Record<'ours' | 'alone', { clock: number; cpu: number }[]> = { ours: [], alone: [] };
    await timed(paths, ours);
    await timed(paths, alone);
    for (let round = 0; round < rounds; round++) {
      times.ours.push(await timed(paths, ours));
      times.alone.push(await timed(paths, alone));
    }
    const clock = (name: 'ours' | 'alone') => median(times[name].map((t) => t.clock)) / paths.length;
    const cpu = (name: 'ours' | 'alone') => median(times[name].map((t) => t.cpu)) / paths.length;
    rows.push({
      files: `${paths.length} JPEG ${width}x${height}, ${channels === 1 ? 'grey' : 'colour'}`,
      imagesPerSecond: Number((1 / clock('ours')).toFixed(1)),
      sharpImagesPerSecond: Number((1 / clock('alone')).toFixed(1)),
      share: Number((clock('alone') / clock('ours')).toFixed(3)),
      cpuMs: Number((1000 * cpu('ours')).toFixed(2)),
      sharpCpuMs: Number((1000 * cpu('alone')).toFixed(2)),
      cpuShare: Number((cpu('alone') / cpu('ours')).toFixed(3)),
    });
  }
} finally {
  await decoder.close();
  await rm(folder, { recursive: true, force: true });
}
console.log(option('json') === undefined ? rows : JSON.stringify(rows));
await saveRows('loading', rows);
