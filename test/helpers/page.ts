/**
 * A page in a real browser: a script that Vite bundles without a warning, served on this machine only, isolated so that it
 * has threads. The script imports this package by its name, or files of it by their paths.
 */
import {
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { build, createLogger } from 'vite';

export const browserPath = '/usr/bin/chromium';

const types: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
};

export interface Site {
  /** Evaluates a call of one of the script's globals on a fresh page; fails on what the page complains of. */
  call<T>(expression: string): Promise<T>;
  close(): Promise<void>;
}

/** Serves a page of the script, and the files by the names that they get there. */
export async function openSite(script: string, files: Readonly<Record<string, string>> = {}): Promise<Site> {
  const folder = mkdtempSync(join(tmpdir(), 'oddity-page-'));
  writeFileSync(
    join(folder, 'index.html'),
    '<!doctype html><title>oddity</title><script type="module" src="./main.js"></script>',
  );
  writeFileSync(join(folder, 'main.js'), script);
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(fileURLToPath(new URL('../..', import.meta.url)), join(folder, 'node_modules', 'oddity'));
  const warnings: string[] = [];
  const logger = createLogger('warn');
  logger.warn = (message) => void warnings.push(message);
  logger.warnOnce = logger.warn;
  await build({
    root: folder,
    base: './',
    customLogger: logger,
    // How long plugins took on a busy machine is no warning about the script.
    // Sizes are watched by scripts/size.mjs.
    build: {
      outDir: 'site',
      target: 'esnext',
      chunkSizeWarningLimit: 4000,
      rolldownOptions: { checks: { pluginTimings: false } },
    },
  });
  if (warnings.length > 0) throw new Error(`Vite warns:\n${warnings.join('\n')}`);
  const server = createServer((request, response) => {
    const name = new URL(request.url ?? '/', 'http://page').pathname;
    const path = files[name.slice(1)] ?? join(folder, 'site', name.replace(/\/$/, '/index.html'));
    if (!existsSync(path) || !statSync(path).isFile()) return void response.writeHead(404).end();
    response.writeHead(200, {
      'content-type': types[extname(path)] ?? 'application/octet-stream',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
    });
    createReadStream(path).pipe(response);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  // WebGPU in software, as there may be no graphics card.
  const browser = await chromium.launch({
    executablePath: browserPath,
    args: ['--no-sandbox', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--enable-features=Vulkan'],
  });
  return {
    async call<T>(expression: string): Promise<T> {
      const page = await browser.newPage();
      const complaints: string[] = [];
      page.on('pageerror', (error) => complaints.push(error.message));
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      const result = (await page.evaluate(expression)) as T;
      await page.close();
      if (complaints.length > 0) throw new Error(complaints.join('\n'));
      return result;
    },
    async close() {
      await browser.close();
      await new Promise((done) => server.close(done));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
