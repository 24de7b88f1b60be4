/** `openWorker` in a real page: the same bytes and scores as without a worker, and a page that goes on meanwhile. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { browserPath, openSite, type Site } from '../helpers/page.ts';
import type * as page from './worker-page.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
type Result<F extends keyof typeof page> = Awaited<ReturnType<(typeof page)[F]>>;

describe.skipIf(!existsSync(browserPath))('openWorker (skipped without /usr/bin/chromium)', () => {
  let site: Site;
  beforeAll(async () => {
    const script = JSON.stringify(join(here, 'worker-page.ts'));
    site = await openSite(`import * as page from ${script}; Object.assign(globalThis, page);`, {
      'oddity.safetensors': join(here, '../../weights/oddity.safetensors'),
    });
  }, 120_000);
  afterAll(() => site?.close());

  it('fits, scores, saves and opens as the page does, which goes on meanwhile', async () => {
    const found = await site.call<Result<'fitInWorker'>>('fitInWorker()');
    expect(found.isSame).toBe(true);
    expect(found.scores).toEqual(Array(3).fill(found.scores[0]));
    expect(found.mapLength).toBe(32 * 32);
    expect(found.threshold).toBeGreaterThan(0);
    expect(found.events).toContain('progress');
    // What the page did itself took milliseconds; the rest is a busy machine.
    expect(found.longest).toBeLessThan(2000);
  }, 120_000);

  it('takes canvases, bitmaps, frames of videos and images, in the page and in the worker', async () => {
    const { scores, kind, shape } = await site.call<Result<'scorePictures'>>('scorePictures()');
    const [wanted] = scores.pixels;
    for (const [name, both] of Object.entries(scores)) {
      // The colours of a video frame may pass through another format.
      for (const score of both)
        expect(Math.abs(score - wanted) / wanted, name).toBeLessThan(name === 'frame' ? 0.05 : 1e-6);
    }
    expect([kind, ...shape]).toEqual(['image', 3, 32, 32]);
  }, 120_000);

  it('scores with threads where the page is isolated, and on WebGPU', async () => {
    const { scores, isIsolated } = await site.call<Result<'scoreOnDevices'>>('scoreOnDevices()');
    expect(isIsolated).toBe(true);
    for (const score of scores) expect(Math.abs(score - scores[0]) / scores[0]).toBeLessThan(1e-3);
  }, 120_000);

  it('reads CSV files, and scores rows and series', async () => {
    const found = await site.call<Result<'scoreRowsAndSeries'>>('scoreRowsAndSeries()');
    expect(found.columns).toEqual(['w', 'x', 'y', 'z', 'side']);
    expect(found.rows[1]).toBeGreaterThan(found.rows[0]);
    expect(found.channels).toEqual(['a', 'b']);
    expect(found.peak).toBeGreaterThan(140);
    expect(found.peak).toBeLessThan(190);
    expect(found.alarms).toBeGreaterThan(0);
  }, 120_000);

  it('cancels at once, closes what is under way and says what is wrong', async () => {
    const { wait, ...codes } = await site.call<Result<'refusals'>>('refusals()');
    expect(codes).toEqual({
      cancelled: 'Cancelled cancelled',
      after: 'undefined undefined',
      unknown: 'ConfigError unknown-model',
      value: 'ConfigError model-name',
      unsendable: 'ConfigError not-sendable',
      closed: 'ConfigError detector-closed',
      ended: 'RuntimeUnavailable runtime-closed',
      late: 'RuntimeUnavailable runtime-closed',
      missing: 'RuntimeUnavailable worker-missing',
    });
    expect(wait).toBeLessThan(30_000); // the cancelled training did not go on to its end
  }, 120_000);
});
