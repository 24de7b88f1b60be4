/** Training and scoring in a real browser, on WebAssembly with threads and on WebGPU (in software), as Node does them. */
import { createReadStream, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRuntime } from '../../dist/runtime/index.js';
import { trainAndScore } from './step.ts';

const browserPath = '/usr/bin/chromium';
const here = fileURLToPath(new URL('.', import.meta.url));
const types: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
};

interface Result {
  losses: number[];
  scores: number[];
}

describe.skipIf(!existsSync(browserPath))('a page (skipped without /usr/bin/chromium)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'oddity-page-'));
  let server: Server;
  let browser: Browser;
  let expected: Result;

  beforeAll(async () => {
    const runtime = await openRuntime('reference');
    expected = await trainAndScore(runtime);
    await runtime.close();
    writeFileSync(
      join(folder, 'index.html'),
      '<!doctype html><title>oddity</title><script type="module" src="./main.js"></script>',
    );
    writeFileSync(
      join(folder, 'main.js'),
      `import { openBrowserRuntime } from ${JSON.stringify(join(here, '../../dist/runtime/browser.js'))};
       import { trainAndScore } from ${JSON.stringify(join(here, 'step.ts'))};
       globalThis.run = async (device) => {
         const runtime = await openBrowserRuntime(device);
         const result = await trainAndScore(runtime);
         await runtime.close();
         return { ...result, isIsolated: globalThis.crossOriginIsolated };
       };`,
    );
    await build({
      root: folder,
      base: './',
      logLevel: 'error',
      build: { outDir: 'site', target: 'esnext', minify: false },
    });
    server = createServer((request, response) => {
      const path = join(
        folder,
        'site',
        new URL(request.url ?? '/', 'http://page').pathname.replace(/\/$/, '/index.html'),
      );
      if (!existsSync(path) || !statSync(path).isFile()) return void response.writeHead(404).end();
      response.writeHead(200, {
        'content-type': types[extname(path)] ?? 'application/octet-stream',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-embedder-policy': 'require-corp',
      });
      createReadStream(path).pipe(response);
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    browser = await chromium.launch({
      executablePath: browserPath,
      args: ['--no-sandbox', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--enable-features=Vulkan'],
    });
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await new Promise((done) => (server ? server.close(done) : done(undefined)));
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(['wasm', 'webgpu'])('trains and scores on %s as the reference does', async (device) => {
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const call = `run(${JSON.stringify(device)})`;
    const result = (await page.evaluate(call)) as Result & { isIsolated: boolean };
    await page.close();
    expect(complaints).toEqual([]);
    expect(result.isIsolated).toBe(true);
    for (const kind of ['losses', 'scores'] as const) {
      expect(result[kind]).toHaveLength(expected[kind].length);
      for (const [i, v] of result[kind].entries()) expect(Math.abs(v - expected[kind][i])).toBeLessThan(1e-4);
    }
  });
});
