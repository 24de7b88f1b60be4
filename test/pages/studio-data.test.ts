/**
 * The list of projects and the data page of Studio as a person uses them: samples, files that are chosen, labels by the keyboard, filters
 * in the address, findings, masks, stretches, rows; in both schemes, on a phone and a desk, and ten thousand pictures that scroll.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rng } from '../../dist/core/random.js';
import { encodePng } from '../../dist/data/index.js';
import type { Facets, VersionFacts } from '../../dist/studio/answers-data.js';
import { openStudio, type Studio } from '../../dist/studio/index.js';
import { browserPath } from '../helpers/page.ts';
import { faultsOf } from '../helpers/studio-page.ts';

/** Of a trace of Chromium; times in microseconds, `tdur` of the thread itself. */
interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

/** What a busy machine may take. */
const patient = { timeout: 10_000 };

describe.skipIf(!existsSync(browserPath))('the data page of Studio (skipped without /usr/bin/chromium)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'oddity-studio-data-page-'));
  let studio: Studio;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  const heard: string[] = [];

  beforeAll(async () => {
    studio = await openStudio({ folder: join(folder, 'projects'), port: 0 });
    browser = await chromium.launch({ executablePath: browserPath, args: ['--no-sandbox'] });
    context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    page = await context.newPage();
    page.on('console', (message) => heard.push(message.text()));
    page.on('pageerror', (error) => heard.push(error.message));
    await page.goto(studio.address);
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await studio?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function api<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${studio.url}/api/projects${path}`, {
      method,
      headers: { Authorization: `Bearer ${studio.token}` },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return (await response.json()) as T;
  }

  const facets = (project: string) => api<Facets>('GET', `/${encodeURIComponent(project)}/facets`);
  const click = (name: string | RegExp) => page.getByRole('button', { name }).first().click();

  it('begins with a sample; labels by the keyboard, and takes them back', async () => {
    await page.getByText('There is no project yet').waitFor();
    expect(await faultsOf(page)).toEqual([]);
    await click('Open this sample Tiles with cracks');
    await page.getByText('120 items').waitFor();
    await page.getByText('No problems were found.').waitFor();
    const list = page.getByRole('listbox', { name: 'Items' });
    expect(await list.getByRole('option').count()).toBeLessThan(80);
    await list.focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('n');
    await page.getByText('Normal: 1 item.').waitFor();
    expect((await facets('Tiles with cracks')).label).toEqual({ normal: 91, anomalous: 29 });
    // A click goes to an item, and the arrows go on from there: what is labelled is what is outlined.
    const labels = async () => [
      await list.locator('#item-3').textContent(),
      await list.locator('#item-4').textContent(),
    ];
    const isAnomalous = expect.stringMatching(/, anomalous/);
    expect(await labels()).toEqual([isAnomalous, isAnomalous]);
    await list.locator('#item-3').click();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('n');
    await expect.poll(labels, patient).toEqual([isAnomalous, expect.stringMatching(/, normal/)]);
    await page.keyboard.press('u');
    await expect.poll(labels, patient).toEqual([isAnomalous, isAnomalous]);
    await list.locator('#item-3').click({ modifiers: ['Control'] });
    await page.getByText('1 selected').waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('x');
    await page.keyboard.press('Shift+ArrowRight');
    await page.keyboard.press('Shift+ArrowDown');
    await page.getByText('10 selected').waitFor();
    await page.keyboard.press('v');
    await page.getByText(/^(test|validation): 10 items\.$/).waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+a');
    await page.getByText('120 selected').waitFor();
    await page.keyboard.press('t');
    await expect.poll(async () => (await facets('Tiles with cracks')).split, patient).toEqual({ train: 120 });
    for (const _ of [1, 2, 3]) {
      await page.keyboard.press('u');
      await page.waitForTimeout(150);
    }
    await expect
      .poll(async () => (await facets('Tiles with cracks')).label, patient)
      .toEqual({ normal: 90, anomalous: 30 });
    expect((await facets('Tiles with cracks')).split).toEqual({ train: 60, test: 60 });
    expect(await faultsOf(page)).toEqual([]);
  }, 60_000);

  it('filters stand in the address; tags are set on what is selected; strangers are looked for', async () => {
    await page.getByRole('combobox', { name: 'Label' }).selectOption('anomalous');
    await page.getByText('30 of 120 items').waitFor();
    expect(page.url()).toContain('label=anomalous');
    await page.getByRole('listbox').focus();
    await page.keyboard.press('Control+a');
    await page.getByText('30 selected').waitFor();
    await page.getByLabel('Tag, Type of defect').fill('to look at');
    await click('Add tag');
    await expect.poll(async () => (await facets('Tiles with cracks')).tag, patient).toEqual({ 'to look at': 30 });
    await page.reload();
    await page.getByText('30 of 120 items').waitFor();
    await page.getByRole('searchbox', { name: 'Search' }).fill('good');
    await page.getByText('No item passes these filters.').waitFor();
    await click('Clear filters');
    await page.getByText('120 items').waitFor();
    expect(page.url()).not.toContain('?');
    await page.getByText('Outliers among the normal items').click();
    await click('Look for outliers');
    await page.getByText(/(None of 60 stands|\d+ of 60 stand) out\./).waitFor({ timeout: 90_000 });
    expect(await faultsOf(page)).toEqual([]);
  }, 120_000);

  it('a mask is drawn by numbers and by hand, saved, and removed', async () => {
    await page.getByRole('combobox', { name: 'Label' }).selectOption('normal');
    await page.getByText('90 of 120 items').waitFor();
    await page.getByRole('listbox').focus();
    await page.keyboard.press('Enter');
    await page.getByText('Rectangle by numbers').click();
    for (const [name, value] of Object.entries({ Left: '10', Top: '20', Width: '30', Height: '12' }))
      await page.getByRole('spinbutton', { name, exact: true }).fill(value);
    await click('Mark rectangle');
    const stage = (await page.getByRole('img', { name: 'Drawing of the mask' }).boundingBox())!;
    await page.mouse.move(stage.x + 0.5 * stage.width, stage.y + 0.8 * stage.height);
    await page.mouse.down();
    await page.mouse.move(stage.x + 0.8 * stage.width, stage.y + 0.8 * stage.height, { steps: 5 });
    await page.mouse.up();
    await click('Undo stroke');
    expect(await faultsOf(page)).toEqual([]);
    await click('Save mask');
    await expect.poll(async () => (await facets('Tiles with cracks')).masks, patient).toBe(31);
    expect((await facets('Tiles with cracks')).label).toEqual({ normal: 89, anomalous: 31 });
    const { items } = await api<{ items: { id: number }[] }>(
      'GET',
      '/Tiles with cracks/items?search=good&mask=yes&count=1',
    );
    const share = await page.evaluate(async (id) => {
      const response = await fetch(`/api/projects/Tiles%20with%20cracks/items/${id}/mask`);
      const bitmap = await createImageBitmap(await response.blob());
      const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d')!;
      context.drawImage(bitmap, 0, 0);
      const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
      return data.filter((value, i) => i % 4 === 0 && value > 0).length;
    }, items[0].id);
    expect(share).toBe(30 * 12);
    await click('Close');
    await api('POST', '/Tiles with cracks/undo');
    await expect.poll(async () => (await facets('Tiles with cracks')).masks, patient).toBe(30);
  }, 60_000);

  it('files that are chosen come in with their folders; what is wrong with them is shown and mended by a click', async () => {
    const root = join(folder, 'screws');
    for (let i = 0; i < 12; i++) {
      mkdirSync(join(root, 'good'), { recursive: true });
      const rng = new Rng(i === 11 ? 10 : i); // two of one content
      const data = Uint8Array.from({ length: 24 * 24 }, () => 90 + rng.int(60));
      writeFileSync(join(root, 'good', `${i}.png`), encodePng({ height: 24, width: 24, channels: 1, data }));
    }
    await page.goto(studio.url);
    await page.getByLabel('A folder', { exact: true }).setInputFiles(root);
    await page.getByText('12 files chosen').waitFor();
    await click('Create project');
    await page.getByText('12 items').waitFor();
    expect(decodeURIComponent(page.url())).toContain('/p/screws/data');
    await page.getByText('What was found (').click();
    await page.getByText('is a copy of another').waitFor();
    expect(await faultsOf(page)).toEqual([]);
    await click('Leave out (1)');
    await page.getByText('Dealt with').waitFor();
    expect((await facets('screws')).tag).toEqual({ 'left out': 1 });
    await click('Save a version');
    await page.getByText(/Version [0-9a-f]{16}: 11 items/).waitFor();
    await page.goto(studio.url);
    await page.getByLabel('Path on this machine').fill('/nowhere/at/all');
    await click('Create project');
    await page.getByRole('alert').getByText('no file or folder').waitFor();
    expect((await api<{ projects: { name: string }[] }>('GET', '')).projects.map(({ name }) => name)).not.toContain(
      'all',
    );
    expect(heard.splice(0)).toEqual([expect.stringContaining('400')]);
  }, 60_000);

  it('rows and a series, on a phone, in the dark', async () => {
    await page.setViewportSize({ width: 420, height: 900 });
    await page.emulateMedia({ colorScheme: 'dark' });
    await api('POST', '', { name: 'pump', sample: 'pump' });
    await api('POST', '', { name: 'sensor', sample: 'sensor' });
    await page.goto(`${studio.url}/p/pump/data`);
    await page.getByText('2,000 items').waitFor();
    await page.getByRole('listbox').focus();
    await page.keyboard.press('End');
    await page.getByRole('option', { name: /line 2001/ }).waitFor();
    await page.keyboard.press('a');
    await page.getByText('Anomalous: 1 item.').waitFor();
    expect(await faultsOf(page)).toEqual([]);

    await page.goto(`${studio.url}/p/sensor/data`);
    await page.getByText('steps 900 to 902', { exact: false }).first().waitFor();
    await page.getByRole('spinbutton', { name: 'From step' }).fill('100');
    await page.getByRole('spinbutton', { name: 'to step' }).fill('119');
    await click('Mark as anomalous');
    await page.getByText('steps 100 to 119').first().waitFor();
    await page.getByRole('img', { name: 'Channel temperature' }).scrollIntoViewIfNeeded();
    const plot = (await page.getByRole('img', { name: 'Channel temperature' }).boundingBox())!;
    await page.mouse.move(plot.x + 0.25 * plot.width, plot.y + 20);
    await page.mouse.down();
    await page.mouse.move(plot.x + 0.3 * plot.width, plot.y + 20, { steps: 4 });
    await page.mouse.up();
    await expect.poll(() => page.getByRole('button', { name: /^Remove/ }).count(), patient).toBe(6);
    expect(await faultsOf(page)).toEqual([]);
    await click('Undo');
    await expect.poll(() => page.getByRole('button', { name: /^Remove/ }).count(), patient).toBe(5);
    await page.goto(studio.url);
    await page.getByText('Projects are folders in').waitFor();
    expect(await faultsOf(page)).toEqual([]);
    expect(heard).toEqual([]);
  }, 60_000);

  it('columns that nobody can guess are chosen while a file comes in, and later by a click', async () => {
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.emulateMedia({ colorScheme: 'light' });
    const cells = Array.from({ length: 60 }, (_, i) => [
      i % 9 === 4 ? -999 : 20 + (i % 5),
      3 + (i % 7),
      i % 10 === 0 ? 3 : 1,
    ]);
    const path = join(folder, 'plant.csv');
    writeFileSync(path, `temperature,load,class\n${cells.map((line) => line.join()).join('\n')}\n`);
    await page.goto(studio.url);
    await page.getByRole('textbox', { name: 'Path' }).fill(path);
    await page.getByRole('textbox', { name: 'Path' }).blur();
    await click('Create project');
    // The file cannot be read as it is: the sentence comes with what may be set.
    await page.getByText('looks like labels').waitFor();
    expect(await page.getByRole('button', { name: 'Create project' }).isDisabled()).toBe(true);
    expect(await faultsOf(page)).toEqual([]);
    await click('class holds the labels');
    await page.getByRole('checkbox', { name: '1 (54)' }).check();
    await page.getByRole('checkbox', { name: '3 (6)' }).uncheck();
    await expect
      .poll(() =>
        page
          .getByRole('cell', { name: 'anomalous' })
          .or(page.getByRole('cell', { name: '3', exact: true }))
          .count(),
      )
      .toBeGreaterThan(0);
    await click('Create project');
    await page.getByText('60 items').waitFor();
    // Rows lie one below the other, as wide as the list.
    const lefts = () =>
      page
        .locator('[role=option]')
        .evaluateAll((all) => [...new Set(all.map((one) => one.getBoundingClientRect().left))]);
    await expect.poll(lefts, patient).toHaveLength(1);
    expect(await facets('plant')).toMatchObject({ label: { normal: 54, anomalous: 6 } });
    await page.getByText('What was found', { exact: false }).click();
    await click('Take -999 as missing');
    await expect.poll(() => page.getByRole('button', { name: 'Take -999 as missing' }).count(), patient).toBe(0);
    await page.getByText('How the columns are read').click();
    await expect.poll(() => page.getByRole('textbox', { name: 'Missing' }).inputValue()).toBe('-999');
    await page.getByRole('cell', { name: 'missing', exact: true }).first().waitFor();
    await page.getByRole('combobox', { name: 'Use of load' }).selectOption('ignore');
    await click('Read it this way');
    await page.getByText('Done. New versions').waitFor();
    expect(await faultsOf(page)).toEqual([]);
    const { options } = await api<VersionFacts>('POST', '/plant/versions', {});
    expect(options).toMatchObject({ missing: ['-999'], columns: { load: 'ignore' } });
    expect(heard.splice(0)).toEqual([expect.stringContaining('400')]);
  }, 60_000);

  /**
   * Scrolls by so many pixels a frame. Tasks of the page's thread are told in milliseconds of its own time, which other work of the
   * machine does not change.
   */
  async function scrolled(step: number, frames: number) {
    await page.evaluate(() => document.querySelector('.scroller')!.scrollTo(0, 0));
    await page.waitForTimeout(1000);
    await browser.startTracing(page, { categories: ['toplevel', 'devtools.timeline'] });
    const facts = await page.evaluate(
      async ({ step, frames }) => {
        const list = document.querySelector('.scroller')!;
        for (let i = 1; i <= frames; i++) {
          list.scrollTop = i * step;
          await new Promise((next) => requestAnimationFrame(next));
        }
        await new Promise((next) => setTimeout(next, 500));
        const { usedJSHeapSize } = (performance as unknown as { memory: { usedJSHeapSize: number } }).memory;
        return { nodes: document.querySelectorAll('*').length, heap: Math.round(usedJSHeapSize / 2 ** 20) };
      },
      { step, frames },
    );
    const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };
    const threads = traceEvents.filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain');
    const tasks = traceEvents
      .filter(
        ({ name, pid, tid }) => /RunTask$/.test(name) && threads.some((one) => one.pid === pid && one.tid === tid),
      )
      .map(({ tdur = 0 }) => tdur / 1000)
      .sort((a, b) => a - b);
    const total = tasks.reduce((sum, ms) => sum + ms, 0);
    return { step, ...facts, tasks: tasks.length, longest: tasks.at(-1) ?? Number.NaN, perFrame: total / frames };
  }

  it('ten thousand pictures scroll without a pause that is felt', async () => {
    const root = join(folder, 'many/good');
    mkdirSync(root, { recursive: true });
    const rng = new Rng(5);
    for (let i = 0; i < 10_000; i++) {
      const data = Uint8Array.from({ length: 32 * 32 }, (_, p) => ((i * 37 + p) % 200) + rng.int(20));
      await writeFile(join(root, `${i}.png`), encodePng({ height: 32, width: 32, channels: 1, data }));
    }
    await api('POST', '', { name: 'many', path: join(folder, 'many') });
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.goto(`${studio.url}/p/many/data`);
    await page.getByText('10,000 items').waitFor({ timeout: 30_000 });
    await expect
      .poll(async () => page.getByRole('status').filter({ hasText: 'Looking at every file' }).count(), {
        timeout: 100_000,
      })
      .toBe(0);
    for (const step of [60, 767]) {
      const found = await scrolled(step, 300);
      console.log('scrolling 10,000 pictures', JSON.stringify(found));
      expect(found.longest).toBeLessThan(50);
      expect(found.nodes).toBeLessThan(2000);
      expect(found.heap).toBeLessThan(500);
    }
    await page.getByRole('listbox').focus();
    await page.keyboard.press('End');
    await page.getByRole('option', { name: /good\/9999\.png/ }).waitFor();
  }, 300_000);
});
