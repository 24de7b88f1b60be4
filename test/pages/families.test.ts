/**
 * Detectors of every family in a page: one that Node fitted gives the same scores there, and one that the page fits has the bytes
 * of Node's. Four families here, every model with `npm run soak -- tests`.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { detectorFiles } from '../../dist/browser/index.js';
import { type AnyModel, type Detector, findModel, fit, loadDetector, models } from '../../dist/index.js';
import { browserPath, openSite, type Site } from '../helpers/page.ts';
import { fitOptions, type Scored, scoreBoth, trainingData } from './families-page.ts';
import { clips, trainingSource, waves } from './made-items.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const isSoak = process.env.ODDITY_SOAK === '1';

/** A model of each of four families, beside those of browser.test.ts. */
const few: readonly string[] = ['patchcore', 'autoencoder', 'isolation-forest', 'cnn-forecaster'];

/** What is opened in the page: models with every kind of item that they take. */
const opened = models
  .filter(({ name }) => isSoak || few.includes(name))
  .flatMap((model) => model.inputs.map((kind) => [model.name, kind, model] as const))
  .filter(([name, kind]) => isSoak || !(name === 'autoencoder' && kind !== 'image'));

/** What is fitted in the page. */
const fitted = [
  ['pca', 'image'],
  ['knn', 'table'],
  ['isolation-forest', 'table'],
  ['padim', 'image'],
  ['patchcore', 'image'],
  ['dfm', 'image'],
  ['autoencoder', 'image'],
  ['sub-pca', 'series'],
] as const;

describe.skipIf(!existsSync(browserPath))('detectors in a page (skipped without /usr/bin/chromium)', () => {
  const root = mkdtempSync(join(tmpdir(), 'oddity-families-'));
  const files: Record<string, string> = { 'oddity.safetensors': join(here, '../../weights/oddity.safetensors') };
  let site: Site;

  beforeAll(async () => {
    const page = JSON.stringify(join(here, 'families-page.ts'));
    site = await openSite(`import * as page from ${page}; Object.assign(globalThis, page);`, files);
  }, 120_000);

  afterAll(async () => {
    await site?.close();
    rmSync(root, { recursive: true, force: true });
  });

  it.each(opened)(
    '%s of %s items scores in the page as in Node',
    async (name, kind, model) => {
      const folder = join(root, `${name}-${kind}`);
      const inNode = await fitFor(model, kind);
      const onWasm = await scoreBoth(inNode);
      await inNode.save(folder);
      await inNode.close();
      for (const file of ['model.onnx', 'model.json']) files[`${name}-${kind}/${file}`] = join(folder, file);
      const found = await site.call<Scored[]>(`openAndScore('/${name}-${kind}/')`);
      expectEqual(found, onWasm, 1e-5);
      await using native = await loadDetector(folder, { device: 'cpu', threads: 1 });
      expectEqual(found, await scoreBoth(native), 1e-4);
    },
    isSoak ? 900_000 : 120_000,
  );

  it.each(fitted)(
    '%s of %s items that the page fits has the bytes of Node',
    async (name, kind) => {
      const found = await site.call<{ onnx: string; json: string }>(`fitInPage('${name}', '${kind}')`);
      const options = { ...fitOptions(name), device: 'wasm' } as const;
      await using inNode = await fit(name as 'pca', trainingData(kind), options);
      const { 'model.onnx': onnx, 'model.json': json } = detectorFiles(inNode);
      expect(found.onnx).toBe(createHash('sha256').update(onnx).digest('hex'));
      // Intervals of rates are made with logarithms, whose last bit differs from engine to engine.
      const rounded = (text: string) =>
        JSON.parse(text, (_, value) => (typeof value === 'number' ? Number(value.toPrecision(12)) : value));
      expect(rounded(found.json)).toEqual(rounded(new TextDecoder().decode(json)));
    },
    120_000,
  );
});

/** A detector of a model in Node, on WebAssembly. */
async function fitFor(model: AnyModel, kind: string): Promise<Detector> {
  const source = await {
    series: () => waves(600),
    clip: clips,
    image: () => trainingSource('image', model.learning === 'supervised'),
    table: () => trainingSource('table', model.learning === 'supervised'),
  }[kind]!();
  return fit(findModel(model.name), source, { config: { ...model.tiny }, threads: 1, device: 'wasm', folds: 0 });
}

/** Equal within a share of the largest value. */
function expectEqual(found: readonly Scored[], wanted: readonly Scored[], share: number): void {
  expect(found).toHaveLength(wanted.length);
  for (const [i, one] of wanted.entries()) {
    for (const part of ['scores', 'map'] as const) {
      const largest = one[part].reduce((most, v) => Math.max(most, Math.abs(v)), 0);
      const far = one[part].reduce((most, v, p) => Math.max(most, Math.abs(v - found[i][part][p])), 0);
      expect(found[i][part]).toHaveLength(one[part].length);
      expect(far / (largest || 1)).toBeLessThan(share);
    }
  }
}
