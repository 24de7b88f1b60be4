/** The library as a program uses it: values in, a detector out, no disk in between. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rng } from '../../dist/core/random.js';
import { encodePng, synthetic } from '../../dist/data/index.js';
import { type Detector, fit, type ImageInput, loadDetector, type RawImage } from '../../dist/index.js';

const root = mkdtempSync(join(tmpdir(), 'oddity-front-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const SIDE = 16;
const rng = new Rng(4);
/** Bytes of a soft gradient with noise; `spot` puts a bright square into it. */
function picture(seed: number, spot = false): RawImage {
  const noise = rng.split(seed).normals(SIDE * SIDE);
  const data = Uint8Array.from(noise, (n, p) => {
    const [x, y] = [p % SIDE, Math.floor(p / SIDE)];
    const inside = spot && x >= 4 && x < 8 && y >= 9 && y < 13;
    return Math.max(0, Math.min(255, 60 + 6 * x + 2 * n + (inside ? 120 : 0)));
  });
  return { data, width: SIDE, height: SIDE };
}
const pictures = Array.from({ length: 24 }, (_, i) => picture(i));
const png = ({ data, width, height }: RawImage) => encodePng({ width, height, channels: 1, data: data as Uint8Array });
const floats = (images: readonly RawImage[]) =>
  Float32Array.from(images.flatMap(({ data }) => Array.from(data, (v) => v / 255)));

describe('images', () => {
  let detector: Detector;
  beforeAll(async () => {
    detector = await fit('pca', pictures, {
      config: { components: 2 },
      validationFraction: 0.25,
      device: 'cpu',
      threads: 1,
    });
  });
  afterAll(() => detector.close());

  it('gives the same detector for pixels, bytes of files, Blobs, paths, arrays, streams and sources', async () => {
    const files = pictures.map((p, i) => {
      const path = join(root, `${i}.png`);
      writeFileSync(path, png(p));
      return path;
    });
    async function* stream() {
      for (const p of pictures) yield p;
    }
    const rgba = pictures.map(({ data, ...size }) => ({
      ...size,
      data: Uint8ClampedArray.from({ length: 4 * data.length }, (_, i) => (i % 4 === 3 ? 255 : data[i >> 2])),
    }));
    const inputs: Record<string, Parameters<typeof fit>[1]> = {
      bytes: pictures.map(png),
      blobs: pictures.map((p) => new Blob([png(p) as Uint8Array<ArrayBuffer>])),
      paths: files,
      stream: stream(),
      array: { data: floats(pictures), shape: [24, 1, SIDE, SIDE] },
    };
    const expected = (await detector.scoreImage(picture(100, true))).score;
    for (const [name, data] of Object.entries(inputs)) {
      await using other = await fit('pca', data, {
        config: { components: 2 },
        validationFraction: 0.25,
        device: 'cpu',
        threads: 1,
      });
      expect((await other.scoreImage(picture(100, true))).score, name).toBeCloseTo(expected, 6);
      expect(other.threshold, name).toBeCloseTo(detector.threshold!, 6);
    }
    await using colour = await fit('pca', rgba, { device: 'cpu', threads: 1 });
    expect(colour.shape).toEqual([3, SIDE, SIDE]);
    const source = await synthetic({ count: 40, seed: 2 });
    await using of = await fit('pca', source, { device: 'cpu', threads: 1 });
    expect(of.shape).toEqual([1, 16, 16]);
  });

  it('scores an image in any form alike, finds the place, and decides', async () => {
    const odd = picture(101, true);
    const path = join(root, 'odd.png');
    writeFileSync(path, png(odd));
    const forms: Record<string, ImageInput> = {
      pixels: odd,
      path,
      url: new URL(`file://${path}`),
      buffer: Buffer.from(png(odd)),
      blob: new Blob([png(odd) as Uint8Array<ArrayBuffer>]),
      floats: { ...odd, data: floats([odd]) },
    };
    for (const [name, form] of Object.entries(forms)) {
      const found = await detector.scoreImage(form);
      expect(found.isAnomalous, name).toBe(true);
      expect(found.decision, name).toBe('anomalous');
      expect(found.map, name).toHaveLength(SIDE * SIDE);
      const [region] = found.regions!;
      expect(region.x + region.width / 2, name).toBeGreaterThan(3);
      expect(region.x + region.width / 2, name).toBeLessThan(9);
    }
    const normal = await detector.scoreImage(picture(102));
    expect(normal.score).toBeLessThan((await detector.scoreImage(odd)).score);
    // Twice the size is brought to the size of the model, and regions are in pixels of what was given.
    const twice: RawImage = {
      width: 2 * SIDE,
      height: 2 * SIDE,
      data: Uint8Array.from({ length: 4 * SIDE * SIDE }, (_, p) => {
        const [x, y] = [p % (2 * SIDE), Math.floor(p / (2 * SIDE))];
        return odd.data[(y >> 1) * SIDE + (x >> 1)];
      }),
    };
    const { regions, size } = await detector.scoreImage(twice);
    expect(size).toEqual({ height: 2 * SIDE, width: 2 * SIDE });
    expect(regions![0].x).toBeGreaterThanOrEqual(6);
  });

  it('scores a stream in its order, and goes on after an item that cannot be read where it is told to', async () => {
    const items: ImageInput[] = [pictures[0], 'nowhere.png', picture(103, true)];
    const failures: string[] = [];
    const scored: boolean[] = [];
    for await (const { isAnomalous } of detector.scoreEach(items, {
      onError: (error, item, at) => failures.push(`${at} ${item} ${(error as { code: string }).code}`),
    })) {
      scored.push(isAnomalous!);
    }
    expect(scored).toEqual([false, true]);
    expect(failures).toEqual(['1 nowhere.png unreadable-file']);
    await expect(async () => {
      for await (const _ of detector.scoreEach(items));
    }).rejects.toThrow(expect.objectContaining({ code: 'unreadable-file' }));
  });

  it('refuses values that cannot be, with the remedy', async () => {
    const bytesAsFloats = { width: SIDE, height: SIDE, data: Float32Array.from(pictures[0].data) };
    await expect(detector.scoreImage(bytesAsFloats)).rejects.toThrow(/values in \[0, 1\].*Divide bytes by 255/);
    const broken = floats([pictures[0]]);
    broken[7] = Number.NaN;
    await expect(detector.score(broken, 1)).rejects.toThrow(expect.objectContaining({ code: 'not-finite' }));
    broken[7] = Number.POSITIVE_INFINITY;
    await expect(detector.score(broken, 1)).rejects.toThrow(expect.objectContaining({ code: 'not-finite' }));
    await expect(
      fit('pca', { data: Float32Array.from({ length: 512 }, (_, i) => i), shape: [2, 1, 16, 16] }),
    ).rejects.toThrow(expect.objectContaining({ code: 'value-range' }));
    await expect(detector.scoreRow({ a: 1 })).rejects.toThrow(/takes images, got a row/);
    expect(() => detector.decide(Number.NaN)).toThrow(expect.objectContaining({ code: 'no-score' }));
    await expect(detector.scoreImage({ data: new Uint8Array(7), width: 2, height: 2 })).rejects.toThrow(
      /1, 3 or 4 values per pixel/,
    );
  });

  it('saves what loadDetector opens, with the same scores', async () => {
    const folder = join(root, 'saved');
    await detector.save(folder);
    await using loaded = await loadDetector(folder, { device: 'cpu', threads: 1 });
    const odd = picture(104, true);
    expect((await loaded.scoreImage(odd)).score).toBe((await detector.scoreImage(odd)).score);
    expect(loaded.threshold).toBe(detector.threshold);
  });

  it('stops when its signal aborts', async () => {
    const signal = AbortSignal.timeout(150);
    const work = fit('autoencoder', pictures, { config: { epochs: 100000 }, device: 'cpu', threads: 1, signal });
    await expect(work).rejects.toThrow(expect.objectContaining({ code: 'cancelled' }));
  });
});

describe('rows', () => {
  const rows = Array.from({ length: 200 }, (_, i) => {
    const [a, b] = rng.split('row').split(i).normals(2);
    return { width: 10 + a, height: 20 + a + 0.1 * b, colour: i % 3 === 0 ? 'red' : 'blue' };
  });

  it('fits row objects, scores one, and names the columns that stand out', async () => {
    await using detector = await fit('knn', rows, { device: 'cpu', threads: 1 });
    expect(detector.kind).toBe('table');
    const normal = await detector.scoreRow({ width: 10.2, height: 20.2, colour: 'blue' });
    const odd = await detector.scoreRow({ width: 10, height: 35, colour: 'red' });
    expect(odd.score).toBeGreaterThan(normal.score);
    expect(odd.isAnomalous).toBe(true);
    expect(odd.columns![0].name).toBe('height');
    await expect(detector.scoreRow({ width: 1, colour: 'red' })).rejects.toThrow(
      expect.objectContaining({ code: 'missing-columns' }),
    );
    await expect(detector.scoreRow({ width: 'wide', height: 1, colour: 'red' })).rejects.toThrow(
      expect.objectContaining({ code: 'row-value' }),
    );
  });

  it('refuses what is no data', async () => {
    await expect(fit('knn', [])).rejects.toThrow(expect.objectContaining({ code: 'no-data' }));
    await expect(fit('draem', rows)).rejects.toThrow(expect.objectContaining({ code: 'unsuitable' }));
    await expect(fit('cnn', pictures)).rejects.toThrow(expect.objectContaining({ code: 'no-labels' }));
  });
});

describe('series', () => {
  const waves = (steps: number, jump = steps) => {
    const noise = rng.split('series').normals(2 * steps, 0, 0.05);
    const values = Float64Array.from(noise, (n, i) => {
      const t = i >> 1;
      return Math.sin((2 * Math.PI * t) / 20 + (i % 2)) + n + (t >= jump && t < jump + 5 ? 4 : 0);
    });
    return { id: 'waves', channels: ['a', 'b'], values };
  };

  it('fits a series, holds its end out, and finds a jump in another one', async () => {
    await using detector = await fit('sub-pca', waves(400), { device: 'cpu', threads: 1 });
    const [window] = detector.shape;
    expect(detector.kind).toBe('series');
    expect(detector.info.series?.alarms).toBeDefined();
    // Windows that train and windows that are held out share no step.
    const [, train, heldOut] = /Fitted to (\d+) items, (\d+) normal/.exec(detector.info.description)!.map(Number);
    expect(train + heldOut).toBe(400 - 2 * (window - 1));
    const { alarms, scores } = await detector.scoreSeries(waves(200, 120));
    expect(Math.abs(scores.indexOf(Math.max(...scores)) - 122)).toBeLessThan(window);
    expect(alarms.length).toBeGreaterThan(0);
  });

  it('takes several, leaves labelled anomalies out, and refuses what is too short', async () => {
    const labels = new Uint8Array(400).fill(1, 100, 110);
    const several = [
      { ...waves(400, 100), labels },
      { ...waves(300), id: 'other' },
    ];
    await using detector = await fit('sub-pca', several, { device: 'cpu', threads: 1, folds: 0 });
    const [, train] = /Fitted to (\d+) items/.exec(detector.info.description)!.map(Number);
    expect(train).toBeLessThan(700 - 10);
    const code = (data: Parameters<typeof fit>[1]) =>
      fit('sub-pca', data, { device: 'cpu' }).catch((error: { code: string }) => error.code);
    expect(await code({ ...waves(400), values: new Float64Array(800).fill(Number.NaN) })).toBe('series-not-finite');
    expect(await code({ ...waves(400), labels: new Uint8Array(400).fill(1) })).toBe('no-normal');
  });
});
