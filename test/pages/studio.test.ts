/** Live and Ship of Studio as people use them: what comes in becomes an alarm that is answered, and a run is handed on; the way in. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rng } from '../../dist/core/random.js';
import { encodePng } from '../../dist/data/index.js';
import { train } from '../../dist/index.js';
import { openStudio, type Studio } from '../../dist/studio/index.js';
import { browserPath } from '../helpers/page.ts';
import { enterStudio, faultsOf } from '../helpers/studio-page.ts';

const SIDE = 24;

function png(seed: number, spot = false): Uint8Array {
  const rng = new Rng(seed);
  const data = Uint8Array.from({ length: SIDE * SIDE }, () => 100 + rng.int(20));
  if (spot) for (let y = 8; y < 14; y++) data.fill(255, y * SIDE + 8, y * SIDE + 14);
  return encodePng({ height: SIDE, width: SIDE, channels: 1, data });
}

describe.skipIf(!existsSync(browserPath))('Studio (skipped without /usr/bin/chromium)', () => {
  let root: string;
  let studio: Studio;
  let browser: Browser;

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'oddity-studio-page-'));
    for (const [part, count, spot] of [
      ['train/good', 24, false],
      ['test/good', 6, false],
      ['test/spot', 6, true],
    ] as const) {
      await mkdir(join(root, 'parts', part), { recursive: true });
      for (let i = 0; i < count; i++)
        await writeFile(join(root, 'parts', part, `${i}.png`), png(100 * part.length + i, spot));
    }
    studio = await openStudio({ folder: join(root, 'studio'), port: 0 });
    const made = await fetch(`${studio.url}/api/projects`, {
      method: 'POST',
      body: JSON.stringify({ name: 'Parts' }),
      headers: { Authorization: `Bearer ${studio.token}`, 'Content-Type': 'application/json' },
    });
    expect(made.status).toBe(201);
    const out = join(root, 'studio', 'Parts', 'runs', 'first');
    const data = join(root, 'parts');
    await train({ model: 'pca', data, out, size: [SIDE, SIDE], seed: 1, device: 'cpu', falseAlarmRate: 0.1 });
    browser = await chromium.launch({
      executablePath: browserPath,
      args: ['--no-sandbox', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'],
    });
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await studio?.close();
    await rm(root, { recursive: true, force: true });
  });

  it('lets a browser in by its address, once', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(studio.address);
    await page.getByRole('heading', { level: 1 }).waitFor();
    expect(new URL(page.url()).search).toBe('');
    const stranger = await browser.newContext();
    const refused = await (await stranger.newPage()).goto(studio.address);
    expect(refused!.status()).toBe(403);
    expect(await refused!.text()).toContain('This address was used before');
    expect(refused!.headers()['content-type']).toContain('text/html');
    const bookmark = await (await stranger.newPage()).goto(`${studio.url}/p/Parts/data`);
    expect([bookmark!.status(), await bookmark!.text()]).toEqual([
      401,
      expect.stringContaining('Open the address that'),
    ]);
    await context.close();
    await stranger.close();
  });

  it('says what there is where an address names a project or a run that is not there', async () => {
    const { context, page, heard } = await enterStudio(browser, studio);
    for (const section of ['evaluate', 'inspect', 'live', 'ship', 'data']) {
      await page.goto(`${studio.url}/p/Parts/${section}?run=nope`);
      await page.getByText('There is no run named "nope" in this project.').waitFor();
      expect(await page.getByRole('combobox').count(), section).toBe(0);
      expect(await page.getByRole('link', { name: 'first' }).getAttribute('href')).toBe(
        `/p/Parts/${section}?run=first`,
      );
    }
    expect(await faultsOf(page)).toEqual([]);
    await page.goto(`${studio.url}/p/Parts/compare?a=first&b=nope`);
    await page.getByText('There is no run named "nope" in this project.').waitFor();
    await page.goto(`${studio.url}/p/Parts/evaluate?run=nope`);
    await page.getByRole('link', { name: 'first' }).click();
    await page.getByRole('combobox', { name: 'Run' }).waitFor();
    expect(heard).toEqual([]);
    await page.goto(`${studio.url}/p/Nope/train`);
    await page.getByText('There is no project named "Nope".').waitFor();
    await page.getByRole('link', { name: 'Parts' }).click();
    await page.getByRole('heading', { name: 'Train', level: 1 }).waitFor();
    expect(new URL(page.url()).pathname).toBe('/p/Parts/train');
    await context.close();
  });

  it('removes a project once it was asked, and keeps its folder aside', async () => {
    const { context, page, heard } = await enterStudio(browser, studio);
    const made = await fetch(`${studio.url}/api/projects`, {
      method: 'POST',
      body: JSON.stringify({ name: 'mistake' }),
      headers: { Authorization: `Bearer ${studio.token}`, 'Content-Type': 'application/json' },
    });
    expect(made.status).toBe(201);
    await page.goto(studio.url);
    page.once('dialog', (dialog) => void dialog.dismiss());
    const remove = page.getByRole('button', { name: 'Remove mistake' });
    await remove.click();
    expect(existsSync(join(root, 'studio', 'mistake', 'project.sqlite'))).toBe(true);
    page.once('dialog', (dialog) => void dialog.accept());
    await remove.click();
    await remove.waitFor({ state: 'detached' });
    const [kept] = await readdir(join(root, 'studio', '.removed'));
    expect(kept).toMatch(/^mistake-\d+$/);
    expect(heard).toEqual([]);
    await context.close();
  });

  it('watches a folder, shows alarms as they come and takes what people say', async () => {
    const { context, page, heard } = await enterStudio(browser, studio);
    const incoming = join(root, 'incoming');
    await mkdir(incoming);
    await page.goto(`${studio.url}/p/Parts/live`);
    await page.getByLabel('Path of the folder').fill(incoming);
    await page.getByRole('button', { name: 'Send a test' }).click();
    await page.getByText('Fill in one of them first.').waitFor();
    await page.getByRole('button', { name: 'Start watching' }).click();
    await page.getByText('watching', { exact: true }).waitFor();
    await writeFile(join(incoming, 'good.png'), png(7));
    await writeFile(join(incoming, 'bad.png'), png(8, true));
    await page.getByText('2 scored, 1 anomalous').waitFor();
    await page.getByRole('img', { name: 'bad.png with its map' }).waitFor();
    expect(await faultsOf(page)).toEqual([]);

    // Another tab sees the same.
    const other = await context.newPage();
    await other.goto(`${studio.url}/p/Parts/live`);
    const isNormal = other.getByRole('button', { name: 'It is normal' });
    await isNormal.waitFor();
    await page.getByRole('button', { name: 'It is normal' }).click();
    await expect.poll(() => isNormal.getAttribute('aria-pressed')).toBe('true');
    await page.getByText('1 in all, 0 not seen yet, 1 called normal by people.').waitFor();
    expect(await readFile(join(root, 'studio', 'Parts', 'runs', 'first', 'feedback.jsonl'), 'utf8')).toMatch(
      /bad\.png/,
    );

    await page.getByLabel('Path of the folder').fill(join(root, 'parts', 'train', 'good', '0.png'));
    await page.getByRole('button', { name: 'Start watching' }).click();
    await page.getByText(/so a folder is watched, but .* is a file/).waitFor();
    expect(heard).toEqual([]);
    await context.close();
  });

  it('films, and fits a phone in the dark', async () => {
    const { context, page, heard } = await enterStudio(browser, studio, { width: 420, colorScheme: 'dark' });
    await context.grantPermissions(['camera']);
    await page.goto(`${studio.url}/p/Parts/live`);
    await page.getByRole('button', { name: 'Start the camera' }).click();
    await page.getByText(/pictures a second/).waitFor();
    expect(await faultsOf(page)).toEqual([]);
    await page.getByRole('button', { name: 'Stop the camera' }).click();
    await page.getByText('The camera is off.').waitFor();
    expect(heard).toEqual([]);
    await context.close();
  });

  it('hands a run on: verified, served, with its card', async () => {
    const { context, page, heard } = await enterStudio(browser, studio);
    await page.goto(`${studio.url}/p/Parts/ship`);
    await page.getByRole('button', { name: 'Export and verify' }).click();
    await page.getByText('The exported file gives the same scores as the reference.').waitFor();
    await page.getByRole('button', { name: 'Start serving' }).click();
    await page.getByText(/This Studio answers at/).waitFor();
    const address = `${studio.url}/detectors/Parts-first/score`;
    expect(await page.getByText(/This Studio answers at/).textContent()).toContain(address);
    const answer = await fetch(address, {
      method: 'POST',
      body: png(9, true) as Uint8Array<ArrayBuffer>,
      headers: { Authorization: `Bearer ${studio.token}`, 'Content-Type': 'image/png' },
    });
    expect(await answer.json()).toMatchObject({ items: [{ isAnomalous: true }] });
    await page.getByText('Python, without oddity').click();
    await page.getByText(/import onnxruntime as ort/).waitFor();
    expect(await page.locator('pre.card').textContent()).toMatch(/## Limits/);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download model.onnx' }).click(),
    ]);
    const onnx = await readFile(join(root, 'studio', 'Parts', 'runs', 'first', 'model.onnx'));
    expect((await readFile(await download.path())).equals(onnx)).toBe(true);
    expect(await faultsOf(page)).toEqual([]);
    expect(heard).toEqual([]);
    await context.close();
  });
});
