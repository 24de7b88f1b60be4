/**
 * Studio from an empty folder to a detector that programs ask, in a browser: open, import, findings, train the default, evaluate, move the
 * threshold, correct labels, learn from that, export, serve, score by HTTP. On the samples in seconds; `ODDITY_SOAK=1` takes real
 * images, 100,000 rows and a series of the Numenta benchmark, and says how long each step took.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rng } from '../../dist/core/random.js';
import type { RunReport } from '../../dist/index.js';
import { openStudio, type Studio } from '../../dist/studio/index.js';
import { browserPath } from '../helpers/page.ts';
import { enterStudio, faultsOf } from '../helpers/studio-page.ts';
import { makeImageProject } from '../helpers/studio-project.ts';

const isSoak = process.env.ODDITY_SOAK === '1';
const dataRoot = process.env.ODDITY_DATA ?? '';
const minutes = (n: number) => n * 60_000;
/** How long the longest step may take. */
const patient = { timeout: minutes(isSoak ? 9 : 3) };

describe.skipIf(!existsSync(browserPath))('journeys (skipped without /usr/bin/chromium)', () => {
  let root: string;
  let studio: Studio;
  let browser: Browser;

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'oddity-journey-'));
    studio = await openStudio({ folder: join(root, 'studio'), port: 0 });
    browser = await chromium.launch({ executablePath: browserPath, args: ['--no-sandbox'] });
  });
  afterAll(async () => {
    await browser?.close();
    await studio?.close();
    await rm(root, { recursive: true, force: true });
  });

  const click = (page: Page, name: string | RegExp) => page.getByRole('button', { name }).first().click();
  const section = (page: Page, name: string) =>
    page.getByRole('navigation', { name: 'Sections' }).getByRole('link', { name, exact: true }).click();
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(`${studio.url}${path}`, { ...init, headers: { Authorization: `Bearer ${studio.token}`, ...init.headers } });

  /** A file of a sample, by the end of its name. */
  const fileOf = async (project: string, end: RegExp) => {
    const folder = join(root, 'studio', project, 'imports');
    const names = await readdir(folder, { recursive: true });
    return join(folder, names.find((name) => end.test(name))!);
  };

  interface Journey {
    readonly project: string;
    /** A sample, or a path on this machine. */
    readonly sample?: string;
    readonly path?: string;
    /** What is sent to be scored in the end. */
    readonly probe: (
      project: string,
    ) => Promise<{ readonly body: Uint8Array<ArrayBuffer> | string; readonly type: string }>;
    /** Labels are corrected on the page Data by the keyboard; series are labelled by stretches. */
    readonly corrects: boolean;
    /** Default the recommended one, which for images tries several for up to three minutes. */
    readonly way?: 'Recommended' | 'Fast';
  }

  async function travel({ project, sample, path, probe, corrects, way = 'Recommended' }: Journey): Promise<void> {
    const { context, page, heard } = await enterStudio(browser, studio);
    const log: string[] = [];
    let last = performance.now();
    const step = async (name: string) => {
      const seconds = (performance.now() - last) / 1000;
      log.push(`${name} ${seconds.toFixed(1)} s`);
      expect(await faultsOf(page), `${project}, ${name}`).toEqual([]);
      last = performance.now();
    };

    await page.goto(studio.url);
    if (sample !== undefined) await click(page, `Open this sample ${sample}`);
    else {
      await page.getByLabel('Name of the project').fill(project);
      await page.getByLabel('Path on this machine').fill(path!);
      await click(page, 'Create project');
    }
    await page.getByRole('heading', { level: 1, name: 'Data' }).waitFor(patient);
    await page
      .getByText(/No problems were found|What was found \(/)
      .first()
      .waitFor(patient);
    await step('import and findings');

    await section(page, 'Train');
    await click(page, `Train: ${way}`);
    const evaluate = page.getByRole('link', { name: /^Evaluate / }).first();
    await evaluate.waitFor(patient);
    await step('train the default');

    await evaluate.click();
    const line = page.getByRole('slider', { name: 'Threshold' });
    await line.waitFor(patient);
    const before = await line.getAttribute('aria-valuetext');
    await line.focus();
    for (let i = 0; i < 3; i++) await page.keyboard.press('PageDown');
    await expect.poll(() => line.getAttribute('aria-valuetext')).not.toBe(before);
    await step('evaluate and move the threshold');

    if (corrects) {
      await section(page, 'Data');
      await page.getByRole('listbox').first().waitFor(patient);
      await page.getByRole('combobox', { name: 'Label' }).selectOption('normal');
      await page.getByRole('listbox').first().focus();
      for (let i = 0; i < 3; i++) {
        await page.keyboard.press('a');
        await page.waitForTimeout(400);
      }
      await step('correct three labels');
      await section(page, 'Train');
      await click(page, 'Train: Fast');
      await expect.poll(() => page.getByRole('link', { name: /^Evaluate / }).count(), patient).toBe(2);
      await step('train on the corrected version');
    }

    await section(page, 'Inspect');
    await page.getByText('This kind of detector cannot be updated').waitFor(patient);
    await page.getByRole('main').getByRole('link', { name: 'Train again' }).waitFor(patient);
    await step('learn again: by a new training');

    await section(page, 'Ship');
    await click(page, 'Export and verify');
    await page.getByText('The exported file gives the same scores as the reference.').waitFor(patient);
    await click(page, 'Start serving');
    await page.getByText(/This Studio answers at/).waitFor(patient);
    const text = (await page.getByText(/This Studio answers at/).textContent())!;
    await step('export, verify and serve');

    const { body, type } = await probe(decodeURIComponent(new URL(page.url()).pathname.split('/')[2]));
    const address = new URL(/http\S+(?=\.)/.exec(text)![0]).pathname;
    const answer = await ask(address, { method: 'POST', body, headers: { 'Content-Type': type } });
    expect(answer.status, await answer.clone().text()).toBe(200);
    const { items, steps } = (await answer.json()) as {
      items?: { score: number }[];
      steps?: { score: number | null }[];
    };
    expect(Number.isFinite(items?.[0].score ?? steps?.at(-1)?.score)).toBe(true);
    await step('score by HTTP');
    expect(heard).toEqual([]);
    if (isSoak) console.log(`${project}: ${log.join(', ')}`);
    await context.close();
  }

  it('from images', { timeout: minutes(isSoak ? 15 : 5) }, async () => {
    const folder = join(dataRoot, 'industrial', 'magnetic_tile');
    await travel({
      project: 'tiles',
      ...(isSoak ? { path: folder } : { sample: 'Tiles with cracks', way: 'Fast' }),
      async probe(project) {
        const find = async () => {
          const names = await readdir(folder, { recursive: true });
          return join(folder, names.find((name) => /test.*\.(png|jpe?g)$/.test(name))!);
        };
        const name = isSoak ? await find() : await fileOf(project, /test.*\.png$/);
        return { body: new Uint8Array(await readFile(name)), type: name.endsWith('png') ? 'image/png' : 'image/jpeg' };
      },
      corrects: true,
    });
  });

  it('from three corrected labels by an update', { timeout: minutes(5) }, async () => {
    const { context, page, heard } = await enterStudio(browser, studio);
    const path = '/api/projects/corrected';
    const post = async (to: string, body: object) => {
      const answer = await ask(to, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'Content-Type': 'application/json' },
      });
      expect(answer.status, await answer.clone().text()).toBeLessThan(300);
    };
    await makeImageProject(studio, join(root, 'corrected'), 'corrected');
    const options = { model: 'patchcore', size: [32, 32], threads: 1, config: { coreset: 0.5 } };
    await post(`${path}/jobs`, { kind: 'train', options, name: 'first' });
    await page.goto(`${studio.url}/p/corrected/evaluate?run=first`);
    await expect
      .poll(async () => JSON.stringify(await (await ask(`${path}/jobs`)).json()), patient)
      .toMatch(/"state":"(done|failed)"/);

    await section(page, 'Data');
    await page.getByRole('combobox', { name: 'Split' }).selectOption('train');
    await page.getByRole('combobox', { name: 'Label' }).selectOption('normal');
    await page.getByRole('listbox').first().waitFor(patient);
    await page.getByRole('listbox').first().focus();
    for (let i = 0; i < 3; i++) {
      await page.keyboard.press('a');
      await page.waitForTimeout(400);
    }
    await section(page, 'Inspect');
    await click(page, 'Update the detector');
    const evaluate = page.getByRole('link', { name: 'Evaluate first-update' });
    await evaluate.waitFor(patient);
    expect(await page.getByText(/remove: \[/).count()).toBe(1); // in the command that does the same
    expect(await faultsOf(page)).toEqual([]);
    await evaluate.click();
    await page.getByRole('slider', { name: 'Threshold' }).waitFor(patient);
    const report = async (run: string) =>
      ((await (await ask(`${path}/runs/${run}`)).json()) as { report: RunReport }).report;
    const [before, after] = [await report('first'), await report('first-update')];
    // One of the three may have been held out of the training.
    expect(before.counts.train - after.counts.train).toBeGreaterThanOrEqual(1);
    expect(before.counts.train - after.counts.train).toBeLessThanOrEqual(3);
    expect(after.counts.test).toBe(before.counts.test);
    await page.getByRole('link', { name: 'Compare with another run' }).click();
    await page.getByRole('heading', { name: 'Metrics side by side' }).waitFor(patient);
    expect(await faultsOf(page)).toEqual([]);
    expect(heard).toEqual([]);
    await context.close();
  });

  it('from rows', { timeout: minutes(isSoak ? 15 : 5) }, async () => {
    const path = join(root, 'machine.csv');
    if (isSoak) await writeFile(path, machineRows(100_000));
    await travel({
      project: isSoak ? 'machine' : 'pump',
      ...(isSoak ? { path } : { sample: 'Rows of a pump' }),
      async probe(project) {
        const name = isSoak ? path : await fileOf(project, /\.csv$/);
        const lines = (await readFile(name, 'utf8')).split('\n');
        return { body: lines.slice(0, 3).join('\n'), type: 'text/csv' };
      },
      corrects: true,
    });
  });

  it('from a series', { timeout: minutes(isSoak ? 15 : 5) }, async () => {
    const path = join(dataRoot, 'nab', 'data', 'realKnownCause', 'nyc_taxi.csv');
    await travel({
      project: isSoak ? 'taxi' : 'sensor',
      ...(isSoak ? { path } : { sample: 'Readings of a sensor' }),
      async probe(project) {
        const name = isSoak ? path : await fileOf(project, /\.csv$/);
        const lines = (await readFile(name, 'utf8')).split('\n');
        return { body: lines.slice(0, 1001).join('\n'), type: 'text/csv' };
      },
      corrects: false,
    });
  });
});

/** Rows of a machine with ten columns; one in a hundred is off, and labelled. */
function machineRows(count: number): string {
  const rng = new Rng(3);
  const head = ['load', 'speed', 'heat', 'flow', 'p1', 'p2', 'p3', 'p4', 'p5', 'p6', 'label'].join();
  const lines = Array.from({ length: count }, (_, i) => {
    const isOff = i % 100 === 99;
    const [load, ...noise] = rng.normals(10);
    const values = noise.map(
      (value, k) => load * (k < 3 ? 1 - 0.3 * k : 0.1) + 0.3 * value + (isOff && k === 2 ? 3 : 0),
    );
    return [load, ...values, isOff ? 1 : 0].map((value) => Number(value.toFixed(5))).join();
  });
  return `${head}\n${lines.join('\n')}\n`;
}
