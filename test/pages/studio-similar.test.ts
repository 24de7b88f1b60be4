/**
 * The map of similar items as a person uses it: made by a job, laid out beside the page, drawn around by the mouse, asked for the most
 * similar by the keyboard, and linked to the list; in both schemes, on a phone and a desk.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStudio, type Studio } from '../../dist/studio/index.js';
import { browserPath } from '../helpers/page.ts';
import { enterStudio, faultsOf } from '../helpers/studio-page.ts';

/** Where pictures of the page go, for whoever wants to look at them. */
const pictures = process.env.ODDITY_SCREENSHOTS;

describe.skipIf(!existsSync(browserPath))('the map of similar items (skipped without /usr/bin/chromium)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'oddity-studio-similar-page-'));
  let studio: Studio;
  let browser: Browser;
  let page: Page;
  let heard: readonly string[];

  beforeAll(async () => {
    const configFile = fileURLToPath(new URL('../../web/studio/vite.config.mjs', import.meta.url));
    await build({ configFile, logLevel: 'warn' });
    studio = await openStudio({ folder: join(folder, 'projects'), port: 0 });
    for (const name of ['tiles', 'pump'])
      await fetch(`${studio.url}/api/projects`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${studio.token}` },
        body: JSON.stringify({ name, sample: name }),
      });
    browser = await chromium.launch({ executablePath: browserPath, args: ['--no-sandbox'] });
    ({ page, heard } = await enterStudio(browser, studio));
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await studio?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const click = (name: string) => page.getByRole('button', { name, exact: true }).click();
  const map = () => page.getByRole('img', { name: /^Map of similar items/ });
  /** How many the map says are selected; the list says the same. */
  async function selected(): Promise<number> {
    const text = await page.locator('.similar strong').textContent();
    const count = Number(text!.split(' ')[0]);
    const told = count === 0 ? 'the outlined item' : `${count} selected`;
    expect(await page.locator('.bulk .group').last().textContent()).toContain(told);
    return count;
  }

  async function makeMap(project: string): Promise<void> {
    await page.goto(`${studio.url}/p/${project}/data`);
    await page.getByText('Map of similar items').click();
    await page.getByRole('button', { name: /^(Make|Show) the map$/ }).click();
    await map().waitFor({ timeout: 90_000 });
  }

  /** What the map looks like. */
  const drawing = () => map().evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());

  /** Draws a rectangle over a part of the map, in shares of its sides. */
  async function lasso([left, top, right, bottom]: readonly number[], isMore = false): Promise<void> {
    await map().scrollIntoViewIfNeeded();
    const box = (await map().boundingBox())!;
    const move = (x: number, y: number) => page.mouse.move(box.x + x * box.width, box.y + y * box.height, { steps: 4 });
    if (isMore) await page.keyboard.down('Shift');
    await move(left, top);
    const before = await drawing();
    await page.mouse.down();
    await move(right, top);
    await move(right, bottom);
    await move(left, bottom);
    await expect.poll(drawing).not.toBe(before); // the line is seen
    await page.mouse.up();
    if (isMore) await page.keyboard.up('Shift');
  }

  async function picture(name: string): Promise<void> {
    if (pictures) await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
  }

  it('a lasso selects in the list, more with Shift, and shows only what it holds', async () => {
    await makeMap('tiles');
    await expect(map().getAttribute('aria-label')).resolves.toContain('90 normal, 30 anomalous, 0 without a label; 0');
    await page.getByText(/\d+ of the 30 anomalous items on the map are most like another anomalous item/).waitFor();
    expect(await selected()).toBe(0);
    await lasso([0.01, 0.01, 0.5, 0.99]);
    const half = await selected();
    expect(half).toBeGreaterThan(0);
    expect(half).toBeLessThan(120);
    await picture('tiles-1280');
    expect(await faultsOf(page)).toEqual([]);
    await lasso([0.5, 0.01, 0.99, 0.99], true);
    expect(await selected()).toBe(120);
    await lasso([0.01, 0.01, 0.5, 0.99]);
    expect(await selected()).toBe(half);
    await click('Show only these in the list');
    await page.getByText(`${half} of 120 items`).waitFor();
    expect(page.url()).toMatch(/group=[0-9a-f]{16}/);
    expect(await selected()).toBe(half);
    await page.getByText(`${120 - half} items faded`).waitFor();
    // What the filters hide cannot be selected.
    await lasso([0.5, 0.01, 0.99, 0.99]);
    expect(await selected()).toBe(0);
    await page.reload();
    await page.getByText(`${half} of 120 items`).waitFor();
    await page.getByRole('checkbox', { name: 'Selection from the map' }).click();
    await page.getByText('120 items', { exact: true }).waitFor();
    expect(page.url()).not.toContain('group');
    expect(heard).toEqual([]);
  }, 120_000);

  it('a click goes to the item in the list; the most similar are selected by the keyboard and labelled', async () => {
    await makeMap('tiles');
    const box = (await map().boundingBox())!;
    const told = () => page.locator('.focuspart .place').textContent();
    const first = await told();
    for (let i = 0; i < 400 && (await told()) === first; i++)
      await page.mouse.click(
        box.x + (0.04 + 0.046 * (i % 20)) * box.width,
        box.y + (0.95 - 0.046 * Math.floor(i / 20)) * box.height,
      );
    const name = (await told())!.replace('In focus: ', '');
    expect(name).not.toBe(first!.replace('In focus: ', ''));
    const list = page.getByRole('listbox', { name: 'Items' });
    const option = page.locator(`#${await list.getAttribute('aria-activedescendant')}`);
    expect(await option.textContent()).toContain(name);
    const [inner, outer] = [(await option.boundingBox())!, (await list.boundingBox())!];
    expect(inner.y).toBeGreaterThanOrEqual(outer.y - 1);
    expect(inner.y + inner.height).toBeLessThanOrEqual(outer.y + outer.height + 1);
    await page.getByRole('spinbutton', { name: 'Number of items' }).focus();
    await page.keyboard.press('Control+a');
    await page.keyboard.type('7');
    await page.keyboard.press('Enter');
    await expect.poll(selected).toBe(7);
    await page.getByRole('button', { name: 'No label' }).click();
    await expect.poll(() => map().getAttribute('aria-label')).toContain('7 without a label; 7 selected');
    await click('Clear selection');
    expect(await selected()).toBe(0);
    expect(heard).toEqual([]);
  }, 120_000);

  it('rows, on a phone, in the dark, one part after the other', async () => {
    await page.setViewportSize({ width: 420, height: 900 });
    await page.emulateMedia({ colorScheme: 'dark' });
    await makeMap('pump');
    await page.getByRole('checkbox', { name: 'Add to the selection' }).check();
    await lasso([0.01, 0.01, 0.99, 0.5]);
    const upper = await selected();
    await lasso([0.01, 0.5, 0.99, 0.99]);
    expect(upper).toBeGreaterThan(0);
    expect(upper).toBeLessThan(2000);
    await page.getByText('2,000 selected').first().waitFor();
    await picture('pump-420');
    expect(await faultsOf(page)).toEqual([]);
    expect(heard).toEqual([]);
  }, 120_000);
});
