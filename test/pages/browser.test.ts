/** `oddity/browser` in a real page: what it fits, scores, saves, opens and decodes is what Node does. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build as esbuild } from 'esbuild';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeImage } from '../../dist/data/index.js';
import { type Detector, fit, loadDetector } from '../../dist/index.js';
import { browserPath, openSite, type Site } from '../helpers/page.ts';
import { type BothScores, type ModelUnderTest, normals, options, scoreBoth } from './fit-and-score.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const ort = join(here, '../../node_modules/onnxruntime-web/dist');

/** Pictures of each kind that files may have, the last two lossy or deep. */
const size = { width: 24, height: 16 };
const values = (channels: number) =>
  Uint8Array.from({ length: size.width * size.height * channels }, (_, i) => (i * 37 + (i >> 5) * 11) % 256);
const raw = (channels: 1 | 3 | 4) => sharp(values(channels), { raw: { ...size, channels } });
const pictures: Record<string, { bytes: Promise<Buffer>; within: number }> = {
  'grey.png': { bytes: raw(1).toColourspace('b-w').png().toBuffer(), within: 0 },
  'colour.png': { bytes: raw(3).png().toBuffer(), within: 0 },
  'transparent.png': { bytes: raw(4).png().toBuffer(), within: 0 },
  'profile.png': { bytes: raw(3).withIccProfile('p3').png().toBuffer(), within: 0 },
  'colour.webp': { bytes: raw(3).webp({ lossless: true }).toBuffer(), within: 0 },
  'turned.jpg': {
    bytes: sharp({ create: { ...size, channels: 3, background: '#804020' } })
      .composite([{ input: { create: { width: 12, height: 8, channels: 3, background: '#2080c0' } }, left: 0, top: 0 }])
      .withMetadata({ orientation: 6 })
      .jpeg({ quality: 95 })
      .toBuffer(),
    within: 3,
  },
};

it('esbuild bundles oddity/browser without a warning', async () => {
  const { warnings } = await esbuild({
    entryPoints: [join(here, 'browser-page.ts')],
    bundle: true,
    format: 'esm',
    splitting: true,
    platform: 'browser',
    outdir: 'unwritten',
    write: false,
    logLevel: 'silent',
  });
  expect(warnings.map(({ text }) => text)).toEqual([]);
});

describe.skipIf(!existsSync(browserPath))('oddity/browser (skipped without /usr/bin/chromium)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'oddity-browser-'));
  let site: Site;
  let inNode: Detector;
  let expected: BothScores;

  beforeAll(async () => {
    inNode = await fit('pca', normals, { ...options, device: 'wasm' });
    expected = await scoreBoth(inNode);
    await inNode.save(folder);
    const files: Record<string, string> = {
      'model.onnx': join(folder, 'model.onnx'),
      'model.json': join(folder, 'model.json'),
      'ort/ort-wasm-simd-threaded.wasm': join(ort, 'ort-wasm-simd-threaded.wasm'),
      'ort/ort-wasm-simd-threaded.asyncify.wasm': join(ort, 'ort-wasm-simd-threaded.asyncify.wasm'),
      'oddity.safetensors': join(here, '../../weights/oddity.safetensors'),
    };
    for (const [name, { bytes }] of Object.entries(pictures)) {
      files[name] = join(folder, name);
      writeFileSync(files[name], await bytes);
    }
    site = await openSite(
      `export * from ${JSON.stringify(join(here, 'browser-page.ts'))};
       import * as page from ${JSON.stringify(join(here, 'browser-page.ts'))};
       import { readImage } from ${JSON.stringify(join(here, '../../dist/browser/read-image.js'))};
       Object.assign(globalThis, page, {
         async decoded(name) {
           const { data, ...size } = await readImage(await (await fetch(name)).blob());
           return { ...size, data: Array.from(data) };
         },
       });`,
      files,
    );
  }, 120_000);

  afterAll(async () => {
    await site?.close();
    await inNode?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(['pca', 'knn', 'dfm'] as const)(
    '%s: fits 20 images and scores as Node does, and Node opens what the page saved',
    async (model) => {
      type Result = { device: string; scores: BothScores; onnx: string; json: string };
      const found = await site.call<Result>(`fitAndScore('${model}')`);
      const wanted = await scoresInNode(model);
      expect(found.device).toBe('wasm');
      expectEqualScores(found.scores, wanted, model === 'dfm' ? 1e-4 : 1e-5);
      const [good, bad] = found.scores;
      expect(bad.score).toBeGreaterThan(good.score);
      expect(bad.decision).toBe('anomalous');

      writeFileSync(join(folder, `${model}.onnx`), Buffer.from(found.onnx.split(',')[1], 'base64'));
      writeFileSync(join(folder, `${model}.json`), found.json);
      await using saved = await loadDetector(join(folder, `${model}.onnx`), { device: 'wasm', threads: 1 });
      expectEqualScores(await scoreBoth(saved), found.scores, 1e-5);
    },
    120_000,
  );

  it.each(['wasm', 'webgpu'])('opens by URL and by files what Node saved, on %s', async (device) => {
    const found = await site.call<BothScores[]>(`loadAndScore('${device}')`);
    expect(found).toHaveLength(4);
    for (const scores of found) expectEqualScores(scores, expected, device === 'wasm' ? 1e-5 : 1e-3);
  });

  it.each(['wasm', 'webgpu'])('takes the files of ONNX Runtime from where it is told, on %s', async (device) => {
    const found = await site.call<BothScores>(`scoreFrom('${device}', 'ort')`);
    expectEqualScores(found, expected, device === 'wasm' ? 1e-5 : 1e-3);
    const refused = await site.call<{ code: string; message: string }>(
      `refusal(() => scoreFrom('${device}', '/nowhere/'))`,
    );
    expect(refused.code).toBe('wasm-missing');
    expect(refused.message).toMatch(/ort-wasm-simd-threaded.*wasmPaths/);
  });

  it.each(Object.entries(pictures))('decodes %s as Node does', async (name, { bytes, within }) => {
    const found = await site.call<{ data: number[]; height: number; width: number; channels: number }>(
      `decoded('/${name}')`,
    );
    const { data, ...shape } = await decodeImage(await bytes, name);
    expect({ height: found.height, width: found.width, channels: found.channels }).toEqual(shape);
    const largest = found.data.reduce((most, v, i) => Math.max(most, Math.abs(v - data[i])), 0);
    expect(largest).toBeLessThanOrEqual(within);
  });

  it('says what a page must do', async () => {
    const found = await site.call<Record<string, { code: string; message: string }>>('refusals()');
    const codes = Object.fromEntries(Object.entries(found).map(([name, { code }]) => [name, code]));
    expect(codes).toEqual({
      weights: 'weights-needed',
      absent: 'unreadable-file',
      device: 'device-missing',
      missing: 'missing-artefact',
      damaged: 'artefact-corrupt',
      save: 'no-disk',
    });
    expect(found.weights.message).toContain('oddity/weights/oddity.safetensors');
    expect(found.missing.message).toContain('model.onnx at /none');
    expect(found.absent.message).toContain('/none.safetensors must be a file');
  });
});

async function scoresInNode(model: ModelUnderTest): Promise<BothScores> {
  await using detector = await fit(model, normals, { ...options, device: 'wasm' });
  return await scoreBoth(detector); // before it is closed
}

/** Equal within a share of the largest value. */
function expectEqualScores(found: BothScores, wanted: BothScores, tolerance: number): void {
  expect(found.map((f) => f.decision)).toEqual(wanted.map((w) => w.decision));
  for (const [i, { score, map, threshold }] of found.entries()) {
    const largest = wanted[i].map.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
    expect(Math.abs(score - wanted[i].score) / Math.abs(wanted[i].score)).toBeLessThan(tolerance);
    expect(Math.abs(threshold! - wanted[i].threshold!) / Math.abs(wanted[i].threshold!)).toBeLessThan(tolerance);
    expect(map).toHaveLength(wanted[i].map.length);
    for (const [p, v] of map.entries()) expect(Math.abs(v - wanted[i].map[p]) / largest).toBeLessThan(tolerance);
  }
}
