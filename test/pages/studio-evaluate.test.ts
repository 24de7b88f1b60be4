/**
 * Evaluate, Compare and Inspect as a person uses them: the threshold by mouse and keyboard with every number behind it, saving one and
 * making it that of the run, two runs side by side, walking the errors and saying what items are; on a desk and a phone.
 */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { feedback, threshold, train } from '../../dist/index.js';
import { rankedPoints } from '../../dist/metrics/index.js';
import type { ScoresAnswer } from '../../src/studio/evaluate/answers.ts';
import { browserPath } from '../helpers/page.ts';
import { studioIn, writeImages, writeRows } from '../helpers/studio.ts';
import { faultsOf } from '../helpers/studio-page.ts';

describe.skipIf(!existsSync(browserPath))('Evaluate in Studio (skipped without /usr/bin/chromium)', () => {
  let studio: Awaited<ReturnType<typeof studioIn>>;
  let browser: Browser;
  let context: BrowserContext;
  const run = () => studio.at('rows', 'runs', 'pca');

  beforeAll(async () => {
    studio = await studioIn('evaluate-page');
    for (const name of ['rows', 'tiles']) await studio.ask('', { method: 'POST', body: { name } });
    const rows = writeRows(studio.at('rows.csv'), { normal: 300, anomalous: 60 });
    await train({ model: 'knn', data: rows, out: studio.at('rows', 'runs', 'knn'), threads: 1 });
    await train({ model: 'pca', data: rows, out: run(), threads: 1 });
    await studio.ask('/tiles/import', { method: 'POST', body: { path: writeImages(studio.at('images')) } });
    const { json } = await studio.ask<{ path: string }>('/tiles/versions', { method: 'POST', body: {} });
    await train({ model: 'pca', data: json.path, size: [32, 32], out: studio.at('tiles', 'runs', 'pca'), threads: 1 });
    browser = await chromium.launch({ executablePath: browserPath, args: ['--no-sandbox'] });
    context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    const page = await context.newPage();
    await page.goto(studio.studio.address);
    await page.close();
  }, 180_000);

  afterAll(async () => {
    await browser?.close();
    await studio?.close();
  });

  /** A page, and what it complained of. */
  async function open(path: string, { width = 1280, dark = false } = {}) {
    const page = await context.newPage();
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme: dark ? 'dark' : 'light', reducedMotion: 'reduce' });
    const heard: string[] = [];
    page.on('console', (message) => heard.push(message.text()));
    page.on('pageerror', (error) => heard.push(error.message));
    await page.goto(`${studio.studio.url}/p/${path}`);
    return { page, heard };
  }

  /** The exact value behind a figure of the table. */
  const figure = async (page: Page, name: string) =>
    Number(await page.locator(`[data-figure="${name}"]`).getAttribute('title'));
  /** The threshold in the address, which follows once the line rests. */
  const shown = async (page: Page) => {
    await page.waitForFunction(() => new URLSearchParams(location.search).has('t'));
    await page.waitForTimeout(600);
    return Number(new URL(page.url()).searchParams.get('t'));
  };

  it('every number follows the threshold, by keyboard and mouse, and is that of the library', async () => {
    const { page, heard } = await open('rows/evaluate?run=pca');
    const line = page.getByRole('slider', { name: 'Threshold' });
    await line.waitFor();
    const { json } = await studio.ask<ScoresAnswer>('/rows/runs/pca/scores');
    const points = rankedPoints(json.scores as number[], json.labels);
    const { threshold: inUse } = await threshold({ run: run() });
    expect(await figure(page, 'recall')).toBe(inUse.testRecall);
    expect(await figure(page, 'false-positive rate')).toBe(inUse.testFalseAlarmRate);
    expect(await page.getByText('In use: this is the threshold of the run').count()).toBe(1);
    expect(await faultsOf(page)).toEqual([]);

    await line.focus();
    for (let i = 0; i < 3; i++) await page.keyboard.press('PageDown');
    await page.keyboard.press('Shift+ArrowRight');
    await expect.poll(() => shown(page), { timeout: 10_000 }).toBeLessThan(inUse.value!);
    const moved = await shown(page);
    const at = points.at(moved);
    expect(await figure(page, 'recall')).toBe(at.recall);
    expect(await figure(page, 'precision')).toBe(at.precision);
    expect(await figure(page, 'false-negative rate')).toBe(at.missRate);
    expect(await page.locator('.matrix').textContent()).toContain(String(at.falsePositives));
    expect(await page.getByText('Set by hand while looking at the test scores').count()).toBe(1);

    const box = (await page.locator('.histogram .plot').boundingBox())!;
    await page.mouse.move(box.x + box.width * 0.5, box.y + 80);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.95, box.y + 80, { steps: 5 });
    await page.mouse.up();
    const pulled = await shown(page);
    expect(pulled).toBeGreaterThan(moved);
    expect(await figure(page, 'recall')).toBe(points.at(pulled).recall);

    await page.getByRole('checkbox', { name: 'Review band' }).check();
    const review = page.getByRole('slider', { name: 'Review from' });
    await review.focus();
    for (let i = 0; i < 4; i++) await page.keyboard.press('PageDown');
    await shown(page);
    const low = Number(new URL(page.url()).searchParams.get('r'));
    const { normal, anomalous } = points.verdicts({ low, high: pulled });
    expect(await figure(page, 'to review')).toBe((normal.review + anomalous.review) / json.scores.length);
    expect(normal.review + anomalous.review).toBeGreaterThan(0);
    expect(await faultsOf(page)).toEqual([]);
    expect(heard).toEqual([]);
    await page.close();
  }, 90_000);

  it('curves of regions and of ranges are drawn, and a log that is watched shows its steps', async () => {
    const tiles = await open('tiles/evaluate');
    const pro = tiles.page.getByRole('img', { name: /^Per-region overlap curve \(PRO\)\. AUPRO/ });
    await pro.waitFor();
    expect(await pro.getAttribute('aria-label')).toContain('At the threshold of the maps: ');
    expect(await pro.locator('circle').count()).toBe(1);
    expect(tiles.heard).toEqual([]);
    await tiles.page.close();

    const wave = (t: number) => `${(Math.sin(t / 5) + (t % 90 > 86 ? 3 : 0)).toFixed(3)},${t % 90 > 86 ? 1 : 0}`;
    const log = studio.at('log.csv');
    writeFileSync(log, `v,label\n${Array.from({ length: 800 }, (_, t) => wave(t)).join('\n')}\n`);
    await studio.ask('', { method: 'POST', body: { name: 'log' } });
    const out = studio.at('log', 'runs', 'knn');
    await train({ model: 'knn', data: log, kind: 'series', window: 8, out, threads: 1 });
    const { page, heard } = await open('log/evaluate');
    await page.getByText('Curves of ranges (VUS)').click();
    const range = page.getByRole('img', { name: /^Range precision–recall curve\./ });
    await range.waitFor();
    expect(await range.locator('circle').count()).toBe(1);
    expect(await faultsOf(page)).toEqual([]);
    await studio.ask('/log/watches', { method: 'POST', body: { run: 'knn', source: 'log', place: log } });
    await page.getByRole('navigation', { name: 'Sections' }).getByRole('link', { name: 'Live' }).click();
    const scores = page.getByRole('img', { name: /^Scores; the line is the threshold/ });
    await scores.waitFor({ timeout: 20_000 });
    await expect.poll(() => scores.locator('.alarm').count(), { timeout: 20_000 }).toBeGreaterThan(3);
    expect(await page.getByRole('img', { name: /^Channel v: from / }).count()).toBe(1);
    await page.getByRole('button', { name: 'It is normal' }).first().click();
    await page.getByRole('table').getByText('The same on the command line').first().click();
    await page.getByText(/^oddity feedback .* normal$/).waitFor();
    await page.setViewportSize({ width: 420, height: 900 });
    expect(await faultsOf(page)).toEqual([]);
    expect(heard).toEqual([]);
    await page.close();
  }, 90_000);

  it('rows that are appended are drawn, and their alarms say why', async () => {
    const { page, heard } = await open('rows/live?run=knn');
    const place = studio.at('appended.csv');
    writeFileSync(place, readFileSync(studio.at('rows.csv'), 'utf8').split('\n').slice(0, 120).join('\n').concat('\n'));
    await page.getByRole('combobox', { name: 'What comes in' }).selectOption('log');
    await page.getByLabel('Path of the CSV file').fill(place);
    await page.getByRole('button', { name: 'Start watching' }).click();
    await page.getByText(/^119 rows scored/).waitFor({ timeout: 20_000 });
    appendFileSync(place, '0.1,9.5,\n');
    await page.getByText(/^120 rows scored/).waitFor({ timeout: 20_000 });
    expect(await page.getByRole('img', { name: /^Column load: from / }).count()).toBe(1);
    await page.getByRole('combobox', { name: 'Column' }).selectOption('speed');
    await page.getByRole('img', { name: /^Column speed: from .* to 9\.5/ }).waitFor();
    await page
      .getByText(/^speed 9\.5 \(usually .* to .*\), \d/)
      .first()
      .waitFor();
    expect(await faultsOf(page)).toEqual([]);
    await page.setViewportSize({ width: 420, height: 900 });
    expect(await faultsOf(page)).toEqual([]);
    expect(heard).toEqual([]);
    await page.close();
  }, 90_000);

  it('a threshold is found by a rule, saved under a name, and made that of the run', async () => {
    const { page, heard } = await open('rows/evaluate?run=pca');
    await page.getByRole('combobox', { name: 'Rule' }).selectOption('f-beta');
    await page.getByRole('button', { name: 'Find' }).click();
    const { threshold: wanted } = await threshold({ run: run(), policies: [{ by: 'f-beta', beta: 1 }] });
    await page.getByText('the best F-beta (1) on the labelled test part').first().waitFor();
    expect(await shown(page)).toBe(wanted.value);
    expect(await figure(page, 'recall')).toBe(wanted.testRecall);

    await page.getByRole('textbox', { name: 'Name' }).fill('day shift');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('rowheader', { name: 'day shift' }).waitFor();
    await page.getByRole('button', { name: 'Use this threshold' }).click();
    await page.getByText('This threshold was tuned on the test set').waitFor();
    expect((await threshold({ run: run() })).threshold).toMatchObject({ value: wanted.value, sawTest: true });

    await page.getByRole('slider', { name: 'Threshold' }).focus();
    await page.keyboard.press('End');
    await page.getByRole('button', { name: 'Show day shift' }).click();
    expect(await shown(page)).toBe(wanted.value);
    await page.getByRole('button', { name: 'Remove day shift' }).click();
    await page.getByText('None yet. Save a threshold').waitFor();
    await page.getByRole('button', { name: 'Go to the cheapest' }).click();
    // Another run begins at its own threshold.
    await page.getByRole('combobox', { name: 'Run', exact: true }).selectOption('knn');
    await page.waitForFunction(() => !new URLSearchParams(location.search).has('t'));
    expect(await shown(page)).toBe((await threshold({ run: studio.at('rows', 'runs', 'knn') })).threshold.value);
    expect(await faultsOf(page)).toEqual([]);
    expect(heard).toEqual([]);
    await page.close();
  }, 90_000);

  it('on a phone, in the dark', async () => {
    const { page, heard } = await open('rows/evaluate?run=knn', { width: 420, dark: true });
    await page.getByRole('slider', { name: 'Threshold' }).waitFor();
    expect(await faultsOf(page)).toEqual([]);
    expect(heard).toEqual([]);
    await page.close();
  }, 60_000);

  it('two runs side by side lead to the items that changed', async () => {
    const { page, heard } = await open('rows/compare?a=pca&b=knn');
    await page.getByRole('heading', { name: 'Metrics side by side' }).waitFor();
    expect(await page.getByText('Their thresholds decide alike on').count()).toBe(1);
    expect(await faultsOf(page)).toEqual([]);
    expect(await page.getByRole('columnheader', { name: 'decision B' }).first().isVisible()).toBe(true);
    await page.setViewportSize({ width: 420, height: 900 });
    expect(await faultsOf(page)).toEqual([]);
    // Nothing is cut off: what has no column of its own stands in another one.
    const cut = await page
      .locator('main .scroll')
      .evaluateAll((all) => all.map((one) => one.scrollWidth - one.clientWidth));
    expect(
      cut.every((px) => px === 0),
      `${cut}`,
    ).toBe(true);
    expect(
      await page
        .getByText(/^B − A [+−]\d/)
        .first()
        .isVisible(),
    ).toBe(true);
    expect(await page.locator('main tbody td .narrow').first().textContent()).toMatch(/^(normal|anomalous|review)$/);
    await page.locator('main tbody th a').first().click();
    await page.getByRole('heading', { name: 'Inspect' }).waitFor();
    await page.getByText('Why it stands out').waitFor();
    expect(heard).toEqual([]);
    await page.close();
  }, 60_000);

  it('inspect walks by the arrow keys, shows map and truth, zooms, and takes a word on an item', async () => {
    const { page, heard } = await open('tiles/inspect?show=anomalous');
    const place = page.getByText(/^\d+ of 6$/);
    await place.waitFor();
    expect(await place.textContent()).toBe('1 of 6');
    await page.locator('.layers img').first().waitFor();
    await page.keyboard.press('ArrowRight');
    await page.getByText('2 of 6').waitFor();
    await page.keyboard.press('ArrowLeft');
    await page.getByText('1 of 6').waitFor();
    await page.getByText('held-out normals score at least as high').waitFor();

    const panes = page.locator('.panes');
    await panes.focus();
    await page.keyboard.press('+');
    await page.keyboard.press('ArrowRight');
    const zoomed = await page.locator('.layers').first().getAttribute('style');
    expect(zoomed).toContain('scale(1.5)');
    await page.locator('.tools select').selectOption('side');
    const styles = await page.locator('.layers').evaluateAll((all) => all.map((one) => one.getAttribute('style')));
    expect(styles).toEqual([zoomed, zoomed, zoomed]);
    await panes.focus();
    await page.keyboard.press('0');
    expect(await page.locator('.layers').first().getAttribute('style')).toContain('scale(1)');
    expect(await page.locator('path.truth').count()).toBeGreaterThan(0);
    await page.locator('.frame').first().hover();
    await page.getByText(/^Map at \d+, \d+: /).waitFor();
    for (const mode of ['slide', 'blink', 'overlay']) {
      await page.locator('.tools select').selectOption(mode);
      expect(await faultsOf(page)).toEqual([]);
    }

    await page.getByRole('heading', { name: 'Inspect' }).click();
    await page.keyboard.press('n');
    await page.getByText('You said: it is normal.').waitFor();
    const { normal, entries } = await feedback({ run: studio.at('tiles', 'runs', 'pca') });
    expect([normal, entries[0].item.path.includes('spot')]).toEqual([1, true]);
    const { json: scores } = await studio.ask<ScoresAnswer>('/tiles/runs/pca/scores');
    const index = Number(new URL(page.url()).searchParams.get('item'));
    const { json: own } = await studio.ask<{ path: string; label: string }>(`/tiles/items/${scores.items[index]}`);
    expect([own.path, own.label]).toEqual([entries[0].item.path, 'normal']);
    await page.getByRole('button', { name: 'Take it back' }).click();
    await page.getByText('You said: it is normal.').waitFor({ state: 'detached' });
    expect(heard).toEqual([]);
    await page.close();
  }, 90_000);

  it('the worst error comes first', async () => {
    const { page } = await open('rows/inspect?run=knn');
    const { json } = await studio.ask<ScoresAnswer>('/rows/runs/knn/scores');
    const { value } = json.threshold;
    const errors = [...json.ids.keys()].filter((i) => (json.scores[i]! >= value! ? 1 : 0) !== json.labels[i]);
    const worst = errors.sort((a, b) => Math.abs(json.scores[b]! - value!) - Math.abs(json.scores[a]! - value!))[0];
    await page.locator('.verdict').waitFor();
    expect(await page.locator('.verdict').textContent()).toContain(json.ids[worst]);
    expect(await faultsOf(page)).toEqual([]);
    await page.close();
  }, 60_000);

  it('takes a run of the same data to compare with, not the newest', async () => {
    const other = writeRows(studio.at('other.csv'), { normal: 200, anomalous: 40 });
    await train({ model: 'pca', data: other, out: studio.at('rows', 'runs', 'other'), threads: 1 });
    const { page, heard } = await open('rows/compare?a=pca');
    await page.getByRole('heading', { name: 'Metrics side by side' }).waitFor();
    expect(await page.getByLabel('Run B').inputValue()).toBe('knn');
    expect(heard).toEqual([]);
    await page.close();
  }, 60_000);
});
