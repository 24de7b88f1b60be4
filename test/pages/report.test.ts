/** The report as a person meets it in a browser: readable for everybody, in light and dark, on a phone and on a desk. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reportPage } from '../../src/report/page.ts';
import { madeUpReport } from '../helpers/report-data.ts';

const executablePath = process.env.ODDITY_CHROMIUM ?? '/usr/bin/chromium';
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const missing = existsSync(executablePath) ? '' : ` (skipped: there is no ${executablePath}; set ODDITY_CHROMIUM)`;

describe.skipIf(missing)(`the report in Chromium${missing}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'oddity-page-'));
  const file = join(folder, 'report.html');
  let browser: Browser;
  beforeAll(async () => {
    const { threshold } = madeUpReport();
    writeFileSync(file, reportPage(madeUpReport({ threshold: { ...threshold, sawTest: true } })));
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function open(width: number, colorScheme: 'light' | 'dark', bypassCSP = false) {
    const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme, bypassCSP });
    const heard: string[] = [];
    page.on('request', (request) => /^(file|data):/.test(request.url()) || heard.push(request.url()));
    page.on('console', (message) => heard.push(message.text()));
    page.on('pageerror', (error) => heard.push(error.message));
    await page.goto(pathToFileURL(file).href);
    return { page, heard };
  }

  it.each([
    [400, 'light'],
    [400, 'dark'],
    [1280, 'light'],
    [1280, 'dark'],
  ] as const)('axe finds nothing at %i pixels, %s', async (width, scheme) => {
    const { page, heard } = await open(width, scheme, true); // axe is put into the page, which allows no scripts
    await page.addScriptTag({ content: axe });
    const violations = await page.evaluate(async () => {
      // biome-ignore lint/suspicious/noExplicitAny: axe puts itself into the page.
      const found = await (window as any).axe.run();
      return found.violations.map((v: { id: string; nodes: { html: string; failureSummary: string }[] }) => [
        v.id,
        ...v.nodes.slice(0, 3).map((n) => `${n.html.slice(0, 160)} ${n.failureSummary}`),
      ]);
    });
    expect(violations).toEqual([]);
    expect(await overflow(page)).toBe(0);
    expect(heard).toEqual([]);
    await page.close();
  });

  it('asks the network for nothing, runs no script and shows every picture', async () => {
    const { page, heard } = await open(1280, 'light');
    const sizes = await page.locator('svg image').evaluateAll((images) =>
      Promise.all(
        images.map(async (image) => {
          const picture = new Image();
          picture.src = image.getAttribute('href') ?? '';
          await picture.decode();
          return picture.naturalWidth;
        }),
      ),
    );
    expect(sizes.length).toBe(1 + 3 * 15);
    expect(sizes.every((width) => width > 0)).toBe(true);
    expect(heard).toEqual([]);
    await page.close();
  });

  it('is walked by keyboard: the skip link first, then the sections, with a visible focus', async () => {
    const { page } = await open(1280, 'light');
    await page.keyboard.press('Tab');
    const skip = page.getByRole('link', { name: 'Skip to the report' });
    expect(await skip.evaluate((a) => a === document.activeElement && a.getBoundingClientRect().top >= 0)).toBe(true);
    expect(await skip.evaluate((a) => getComputedStyle(a).outlineStyle)).toBe('solid');
    await page.keyboard.press('Enter');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('main');
    const headings = await page.getByRole('heading', { level: 2 }).allTextContents();
    expect(headings).toEqual(['Metrics', 'Threshold', 'Curves', 'By type', 'Pictures', 'Training', 'Facts']);
    await page.close();
  });
});

/** By how many pixels the page is wider than its window. */
function overflow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}
