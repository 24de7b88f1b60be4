/**
 * The page Train of Studio as a person uses it: ways with what they cost, a quick comparison, the form with its checks, a training
 * with stages, curves and log, cancelled and resumed, in two tabs; by the keyboard, in both schemes, on a phone and a desk.
 */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandWords } from '../../dist/cli/words.js';
import { openStudio, type Studio } from '../../dist/studio/index.js';
import { browserPath } from '../helpers/page.ts';
import { faultsOf } from '../helpers/studio-page.ts';
import { makeImageProject } from '../helpers/studio-project.ts';

/** Where pictures of the page go, for whoever wants to look at them. */
const pictures = process.env.ODDITY_SCREENSHOTS;

describe.skipIf(!existsSync(browserPath))('training in Studio (skipped without /usr/bin/chromium)', () => {
  const root = mkdtempSync(join(tmpdir(), 'oddity-studio-train-'));
  let studio: Studio;
  let browser: Browser;
  let context: BrowserContext;
  const heard: string[] = [];

  beforeAll(async () => {
    studio = await openStudio({ folder: join(root, 'studio'), port: 0, threads: 1 }, { words: commandWords });
    await makeImageProject(studio, join(root, 'parts'), 'spots');
    browser = await chromium.launch({ executablePath: browserPath, args: ['--no-sandbox'] });
    context = await browser.newContext({ viewport: { width: 1280, height: 900 }, colorScheme: 'light' });
    const page = await context.newPage();
    await page.goto(studio.address);
    await page.close();
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await studio?.close();
    rmSync(root, { recursive: true, force: true });
  });

  async function open(width = 1280, colorScheme: 'light' | 'dark' = 'light'): Promise<Page> {
    const page = await context.newPage();
    page.on('console', (message) => heard.push(message.text()));
    page.on('pageerror', (error) => heard.push(error.message));
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme });
    await page.goto(`${studio.url}/p/spots/train`);
    await page.getByRole('heading', { name: 'Ways to train' }).waitFor();
    return page;
  }

  const draw = async (page: Page, name: string) => {
    if (pictures) await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
  };
  const jobOf = (page: Page, name: string | RegExp) =>
    page.getByRole('listitem').filter({ has: page.getByRole('heading', { name }) });

  it('says what cannot be beside the field, and shows the command that does the same', {
    timeout: 120_000,
  }, async () => {
    const page = await open();
    await page.getByText('No job yet.').waitFor();
    await page.getByText('Measuring time and memory on this machine').waitFor();
    await page.getByRole('button', { name: 'Train: Recommended' }).waitFor();
    expect(await page.getByRole('button', { name: /^Train: / }).allTextContents()).toEqual([
      ...['Train: Recommended', 'Train: Fast', 'Train: Balanced', 'Train: Accurate'],
    ]);
    const fast = page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: 'Fast' }) });
    await fast.getByText('The same on the command line').click();
    expect(await fast.locator('code').textContent()).toMatch(
      /^oddity train dfm --data \S+\.csv --size 128x128 --out \S+runs\/fast$/,
    );
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await fast.getByRole('button', { name: /^Copy/ }).click();
    await fast.getByRole('button', { name: /^Copied/ }).waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toMatch(/^oddity train dfm /);
    await draw(page, 'plans');
    await page.getByRole('button', { name: 'Change its options: Balanced' }).click();
    const model = page.getByRole('combobox', { name: 'Model' });
    await expect.poll(() => model.inputValue()).toBe('patchcore');
    expect(await page.getByRole('textbox', { name: 'Size: height' }).inputValue()).toBe('256');
    await model.selectOption('pca');
    const components = page.getByRole('textbox', { name: 'Components' });
    await components.fill('many');
    await page.getByText('Must be an integer from 0 to 4096.').waitFor();
    expect(await components.getAttribute('aria-invalid')).toBe('true');
    await page.getByRole('button', { name: 'Train', exact: true }).click();
    expect(await components.evaluate((element) => element === document.activeElement)).toBe(true);
    await components.fill('5');
    // What only the server knows.
    await page.getByRole('combobox', { name: 'Map normalization' }).selectOption('zscore');
    await page.getByRole('textbox', { name: 'False alarm rate' }).fill('2');
    await page.getByText('Must be a number above 0 and below 1.').waitFor();
    await draw(page, 'form');
    expect(await faultsOf(page)).toEqual([]);
    await page.getByRole('button', { name: 'Back to the defaults' }).click();
    await model.selectOption('pca');
    await page.getByRole('textbox', { name: 'Seed' }).fill('7');
    await page.locator('form').getByText('The same on the command line').click();
    await page.getByText(/oddity train pca .*--seed 7/).waitFor();
    await page.close();
  });

  it('trains with stages, curves and log, and goes on after it was cancelled, in two tabs', {
    timeout: 260_000,
  }, async () => {
    const page = await open();
    const other = await open(420, 'dark');
    await page.getByText('All options').click();
    await page.getByRole('combobox', { name: 'Model' }).selectOption('autoencoder');
    await page.getByRole('textbox', { name: 'Name of the run' }).fill('slow one');
    await page.getByRole('textbox', { name: 'Epochs' }).fill('30000');
    await page.locator('[id="config.width"]').fill('4');
    await page.getByRole('textbox', { name: 'Size: height' }).fill('24');
    await page.getByRole('textbox', { name: 'Size: width' }).fill('24');
    await page.getByRole('textbox', { name: 'Threads' }).fill('1');
    await page.getByRole('button', { name: 'Train', exact: true }).click();
    const job = jobOf(page, 'Train a detector: slow one');
    await job.getByText('running', { exact: true }).waitFor({ timeout: 20_000 });
    await job.getByRole('img', { name: /^fit\.loss: from / }).waitFor({ timeout: 60_000 });
    await job.getByRole('list', { name: 'Stages' }).waitFor();
    await jobOf(other, 'Train a detector: slow one').getByText('running', { exact: true }).waitFor();
    await draw(page, 'running');
    await draw(other, 'running-420-dark');
    await job.getByRole('button', { name: 'Cancel: Train a detector: slow one' }).click();
    await job.getByText('cancelled', { exact: true }).waitFor({ timeout: 30_000 });
    await jobOf(other, 'Train a detector: slow one')
      .getByRole('button', { name: /^Resume/ })
      .click();
    await job.getByText('done', { exact: true }).waitFor({ timeout: 170_000 });
    await job.getByText('AUROC').waitFor();
    expect(await faultsOf(other)).toEqual([]);
    await job.getByRole('button', { name: /^Log/ }).click();
    const log = job.getByRole('list', { name: /^Log/ });
    await log.getByText('50 images').first().waitFor();
    await job.getByRole('searchbox', { name: 'Search' }).fill('nothing says this');
    await job.getByText('No line fits.').waitFor();
    await job.getByRole('searchbox', { name: 'Search' }).fill('');
    await job.getByRole('combobox', { name: 'Show' }).selectOption('warning');
    await job.getByRole('combobox', { name: 'Show' }).selectOption('all');
    await log.waitFor();
    await draw(page, 'done');
    expect(await faultsOf(page)).toEqual([]);
    expect(await job.getByRole('link', { name: 'Evaluate slow one' }).getAttribute('href')).toBe(
      '/p/spots/evaluate?run=slow+one',
    );
    await page.close();
    await other.close();
  });

  it('says at once what is missing, and does not offer to resume what would fail again', {
    timeout: 120_000,
  }, async () => {
    const api = async (path: string, body: unknown) => {
      const response = await fetch(`${studio.url}/api/projects${path}`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${studio.token}`, 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      });
      return (await response.json()) as object;
    };
    await api('', { name: 'one' });
    mkdirSync(join(root, 'single', 'good'), { recursive: true });
    copyFileSync(join(root, 'parts', 'train', 'good', '0.png'), join(root, 'single', 'good', '0.png'));
    await api('/one/import', { path: join(root, 'single') });
    await api('/one/versions', {});
    await api('/one/jobs', { kind: 'train', options: { model: 'pca', device: 'cpu' } });
    const page = await context.newPage();
    page.on('pageerror', (error) => heard.push(error.message));
    await page.goto(`${studio.url}/p/one/train`);
    const missing = 'There must be normal items for training and items of both kinds for testing';
    await page.getByRole('alert').filter({ hasText: missing }).waitFor();
    for (const name of [/^Train: Recommended/, /^Train: Fast/, 'Try a few detectors'])
      expect(await page.getByRole('button', { name }).isDisabled(), String(name)).toBe(true);
    const job = jobOf(page, /^Train a detector: pca-/);
    await job.getByText('failed', { exact: true }).waitFor({ timeout: 60_000 });
    // The sentence of the training itself, whatever its data are called.
    expect(await job.getByText(missing).count()).toBe(1);
    expect(await job.getByRole('button', { name: /^Resume/ }).count()).toBe(0);
    expect(await faultsOf(page)).toEqual([]);
    await job.getByRole('button', { name: /^Change its options/ }).click();
    await expect.poll(() => page.getByRole('combobox', { name: 'Model' }).inputValue()).toBe('pca');
    await page.close();
  });

  it('tries detectors, and measures what the ways cost', { timeout: 300_000 }, async () => {
    const page = await open();
    await page.getByRole('button', { name: 'Try a few detectors' }).click();
    const table = page.getByRole('table', { name: /^Detectors that were tried/ });
    await table.waitFor({ timeout: 170_000 });
    expect(await table.getByRole('rowheader').count()).toBe(5);
    // What the ways cost was measured by itself, and gave way to what was asked for.
    expect(await page.getByRole('heading', { name: 'Measure how long' }).count()).toBe(0);
    await expect.poll(() => page.getByText('How this was estimated').count(), { timeout: 180_000 }).toBe(4);
    await draw(page, 'measured');
    expect(await faultsOf(page)).toEqual([]);
    await page.emulateMedia({ colorScheme: 'dark' });
    await draw(page, 'measured-dark');
    expect(await faultsOf(page)).toEqual([]);
    await page.setViewportSize({ width: 420, height: 900 });
    await draw(page, 'measured-420');
    expect(await faultsOf(page)).toEqual([]);
    await page.getByRole('button', { name: 'Train: Fast' }).press('Enter');
    await page.getByRole('heading', { name: /^Train a detector: dfm-/ }).waitFor({ timeout: 20_000 });
    await page.close();
    expect(heard).toEqual([]);
  });
});
