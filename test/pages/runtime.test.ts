/** Training and scoring in a real browser, on WebAssembly with threads and on WebGPU (in software), as Node does them. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRuntime } from '../../dist/runtime/index.js';
import { browserPath, openSite, type Site } from '../helpers/page.ts';
import { trainAndScore } from './step.ts';

const here = fileURLToPath(new URL('.', import.meta.url));

interface Result {
  losses: number[];
  scores: number[];
}

describe.skipIf(!existsSync(browserPath))('a page (skipped without /usr/bin/chromium)', () => {
  let site: Site;
  let expected: Result;

  beforeAll(async () => {
    const runtime = await openRuntime('reference');
    expected = await trainAndScore(runtime);
    await runtime.close();
    site = await openSite(
      `import { openBrowserRuntime } from ${JSON.stringify(join(here, '../../dist/runtime/browser.js'))};
       import { runThrice, trainAndScore } from ${JSON.stringify(join(here, 'step.ts'))};
       globalThis.run = async (device) => {
         const runtime = await openBrowserRuntime(device);
         const result = await trainAndScore(runtime);
         const thrice = await runThrice(runtime);
         await runtime.close();
         return { ...result, thrice, isIsolated: globalThis.crossOriginIsolated };
       };`,
    );
  }, 120_000);

  afterAll(() => site?.close());

  it.each(['wasm', 'webgpu'])('trains and scores on %s as the reference does', async (device) => {
    const result = await site.call<Result & { thrice: number[]; isIsolated: boolean }>(
      `run(${JSON.stringify(device)})`,
    );
    expect(result.isIsolated).toBe(true);
    expect(result.thrice).toEqual([2, 3, 4, 6, 6, 9, 2, 3, 12, 18]);
    for (const kind of ['losses', 'scores'] as const) {
      expect(result[kind]).toHaveLength(expected[kind].length);
      for (const [i, v] of result[kind].entries()) expect(Math.abs(v - expected[kind][i])).toBeLessThan(1e-4);
    }
  });
});
