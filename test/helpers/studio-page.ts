/** Studio in a real browser: a page that has entered by the key, and what it complained of. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import type { Studio } from '../../dist/studio/index.js';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export interface StudioPage {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Messages of the console, errors, and requests to elsewhere. */
  readonly heard: readonly string[];
}

/** The first page of a Studio; further ones come from the context that this gives. */
export async function enterStudio(
  browser: Browser,
  studio: Pick<Studio, 'address' | 'url' | 'token'>,
  { width = 1280, colorScheme = 'light' }: { width?: number; colorScheme?: 'light' | 'dark' } = {},
): Promise<StudioPage> {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme, reducedMotion: 'reduce' });
  // What the key gives, for contexts after the first one.
  const { hostname, port } = new URL(studio.url);
  await context.addCookies([{ name: `oddity-studio-${port}`, value: studio.token, domain: hostname, path: '/' }]);
  const page = await context.newPage();
  const heard: string[] = [];
  page.on('console', (message) => heard.push(message.text()));
  page.on('pageerror', (error) => heard.push(error.message));
  page.on('request', (request) => {
    if (!request.url().startsWith(studio.url) && !/^(blob|data):/.test(request.url())) heard.push(request.url());
  });
  return { context, page, heard };
}

/** What axe finds wrong, and whether the page is wider than its window. */
export async function faultsOf(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const found = await page.evaluate(async () => {
    const { violations } = await (globalThis as unknown as { axe: typeof import('axe-core') }).axe.run();
    const wide = document.documentElement.scrollWidth > innerWidth ? [`wider than ${innerWidth} px`] : [];
    return [
      ...violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`),
      ...wide,
    ];
  });
  return found;
}
