/**
 * The playground as a person uses it, from a host of plain files that isolates nothing: made-up items to a detector, scores, the
 * threshold, the camera, the files of the detector; by the keyboard, in both schemes, on a phone and a desk, and offline.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadDetector } from '../../dist/index.js';
import { browserPath } from '../helpers/page.ts';
import { type StaticSite, serveFolder } from '../helpers/static-site.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

describe.skipIf(!existsSync(browserPath))('the playground (skipped without /usr/bin/chromium)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'oddity-playground-'));
  let site: StaticSite;
  let browser: Browser;
  let address: string;

  beforeAll(async () => {
    const configFile = fileURLToPath(new URL('../../web/playground/vite.config.mjs', import.meta.url));
    await build({ configFile, logLevel: 'warn', build: { outDir: folder } });
    site = await serveFolder(folder);
    address = site.address;
    browser = await chromium.launch({
      executablePath: browserPath,
      args: ['--no-sandbox', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'],
    });
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await site?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** A page, and what it complained of or asked from elsewhere. */
  async function open(width: number, colorScheme: 'light' | 'dark') {
    const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme });
    const page = await context.newPage();
    const heard: string[] = [];
    page.on('console', (message) => heard.push(message.text()));
    page.on('pageerror', (error) => heard.push(error.message));
    page.on('request', (request) => {
      if (!request.url().startsWith(address) && !/^(blob|data):/.test(request.url())) heard.push(request.url());
    });
    await page.goto(address);
    return { context, page, heard };
  }

  const click = (page: Page, name: string | RegExp) => page.getByRole('button', { name }).click();
  const ready = (page: Page) => page.getByText('The detector is ready').waitFor({ timeout: 100_000 });

  /** What axe finds wrong, and whether the page is wider than its window. */
  async function faults(page: Page): Promise<string[]> {
    await page.evaluate(axe);
    const found = await page.evaluate(async () => {
      const { violations } = await (globalThis as unknown as { axe: typeof import('axe-core') }).axe.run();
      return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
    });
    const isWide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    return [...found, ...(isWide ? ['wider than its window'] : [])];
  }

  it('images: made-up tiles to a detector, scores, the threshold, the camera, the files', async () => {
    const { context, page, heard } = await open(1280, 'light');
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(false);
    await page.getByText('Add good images first').waitFor();
    await click(page, 'Use made-up tiles');
    await page.getByText('20 good images').waitFor();
    await page.getByRole('combobox', { name: 'Model' }).selectOption('dfm');
    await click(page, 'Make detector');
    await page.getByRole('progressbar').waitFor();
    await ready(page);
    await click(page, 'Score made-up tiles');
    await page.getByText('9 images scored').waitFor({ timeout: 60_000 });
    const cards = await page.locator('figcaption').allInnerTexts();
    expect(cards).toHaveLength(9);
    for (const card of cards) expect(card, cards.join('\n')).toContain(/good-/.test(card) ? 'Normal' : 'Anomalous');
    expect(await page.getByRole('img', { name: /crack-104.png: anomalous, score .* pixels/ }).count()).toBe(1);

    const slider = page.getByRole('slider', { name: 'Threshold' });
    await slider.focus();
    await page.keyboard.press('End');
    await page.getByText('0 of 9 images anomalous').waitFor();
    await page.keyboard.press('Home');
    await page.getByText('9 of 9 images anomalous').waitFor();
    await click(page, /^Back to/);
    await page.getByText('6 of 9 images anomalous').waitFor();
    expect(await faults(page)).toEqual([]);

    await click(page, 'Start camera');
    await page.getByText(/^(anomalous|normal), score/).waitFor();
    await click(page, 'Add picture to the good ones');
    await page.getByText('21 good images').waitFor();
    await click(page, 'Stop camera');

    await nodeOpens(page);
    expect(heard).toEqual([]);
    await context.close();
  }, 180_000);

  /** Both files that the page offers are those of a detector. */
  async function nodeOpens(page: Page): Promise<void> {
    const names: string[] = [];
    page.on('download', async (file) => {
      names.push(file.suggestedFilename());
      await file.saveAs(join(folder, 'saved', file.suggestedFilename()));
    });
    await click(page, 'Download model.onnx and model.json');
    await expect.poll(() => existsSync(join(folder, 'saved', 'model.json')) && names.length).toBe(2);
    await expect.poll(() => existsSync(join(folder, 'saved', 'model.onnx'))).toBe(true);
    await using detector = await loadDetector(join(folder, 'saved'));
    expect(detector.shape).toEqual([3, 128, 128]);
    expect(detector.threshold).toBeGreaterThan(0);
    await page.getByText('Open a detector instead').click();
    const chooser = page.getByLabel('model.onnx and model.json of a detector');
    await chooser.setInputFiles(['model.onnx', 'model.json'].map((name) => join(folder, 'saved', name)));
    await page.getByText('is open.').waitFor();
  }

  it('rows and series on a phone, by the keyboard, in the dark', async () => {
    const { context, page, heard } = await open(420, 'dark');
    await page.getByRole('tab', { name: 'Images' }).focus();
    await page.keyboard.press('ArrowRight');
    await click(page, 'Use made-up rows of a pump');
    await page.getByText('400 rows').waitFor();
    await click(page, 'Make detector');
    await ready(page);
    await click(page, 'Score made-up rows');
    await page.getByText('120 rows scored').waitFor();
    const first = await page.locator('tbody tr').first().textContent();
    expect(first).toMatch(/Anomalous[\s\S]*temperature .*usually/);
    expect(await faults(page)).toEqual([]);

    const bad = join(folder, 'bad.csv');
    writeFileSync(bad, 'a,b\n1,2\n3\n');
    await page.getByLabel('CSV of good rows').setInputFiles(bad);
    expect(await page.getByRole('alert').first().textContent()).toMatch(/bad\.csv.*line 3/);

    await page.getByRole('tab', { name: 'Rows' }).focus();
    await page.keyboard.press('ArrowRight');
    await click(page, 'Use made-up readings');
    await page.getByText('672 steps').waitFor();
    await click(page, 'Make detector');
    await ready(page);
    await click(page, 'Score made-up readings');
    await page.getByRole('img', { name: /3 stretches above the threshold/ }).waitFor();
    expect(await page.locator('tbody tr').count()).toBe(3);
    expect(await faults(page)).toEqual([]);
    expect(heard).toEqual([]);
    await context.close();
  }, 180_000);

  it('works offline after it was loaded once', async () => {
    const { context, page, heard } = await open(1280, 'dark');
    await page.getByText('works offline now').waitFor();
    await kept(context);
    await page.reload();
    await page.getByRole('tab', { name: 'Rows' }).click();
    await click(page, 'Use made-up rows of a pump');
    await click(page, 'Make detector');
    await ready(page);
    expect(await faults(page)).toEqual([]);
    expect(heard).toEqual([]);
    await context.close();
  }, 120_000);

  /** No network from here on. */
  const kept = (context: BrowserContext) => context.setOffline(true);
});
