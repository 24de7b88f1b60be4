/** The package as a user gets it: packed, installed in an empty folder, used as a library and as a command. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fit, oddityVersion } from '../dist/index.js';
import { browserPath } from './helpers/page.ts';
import { serveFolder } from './helpers/static-site.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

const script = `
import { findModel, loadDetector, train } from 'oddity';
import { synthetic } from 'oddity/data';
const report = await train({
  model: 'autoencoder', data: 'synthetic', class: 'texture', seed: 1, out: 'run', overwrite: true,
  config: { width: 4, code: 4, epochs: 3 },
  onEvent: (event) => event.type === 'warning' && console.error(event.message),
});
const detector = await loadDetector('run');
const source = await synthetic();
const images = new Float32Array(2 * 256);
await source.read([0, 1], images);
const { scores } = await detector.score(images, 2);
await detector.close();
console.log(JSON.stringify({ device: report.device, auroc: report.metrics.item.auroc, scores: scores.length, model: findModel('autoencoder').name }));
`;

/** A page of ten lines that scores: with a bundler, and as it is. */
const pageOf = (head: string, options: string) => `<!doctype html>
<title>A page that scores</title>
${head}
<output>waiting</output>
<script type="module">
  import { openWorker } from 'oddity/browser';
  const detector = await openWorker(${options}).loadDetector('./detector/');
  const canvas = new OffscreenCanvas(16, 16);
  canvas.getContext('2d').fillRect(0, 0, 16, 16);
  const { decision, map } = await detector.scoreImage(canvas);
  document.querySelector('output').value = \`\${decision}, \${map.length} values\`;
</script>
`;

let folder: string;
let tarball: string;
let listing: string[];

function run(command: string, args: readonly string[], cwd: string) {
  const env = {
    ...process.env,
    ONNXRUNTIME_NODE_INSTALL: 'skip',
    npm_config_update_notifier: 'false',
    npm_config_loglevel: 'error',
  };
  return spawnSync(command, args, { cwd, env, encoding: 'utf8', maxBuffer: 1 << 28 });
}

/** A user's empty project with the package installed. */
function install(name: string, ...flags: string[]): string {
  const project = join(folder, name);
  mkdirSync(project, { recursive: true });
  writeFileSync(join(project, 'package.json'), '{ "name": "somebody", "private": true, "type": "module" }\n');
  const args = ['install', tarball, '--no-audit', '--no-fund', '--prefer-offline', ...flags];
  const { status, stdout, stderr } = run('npm', args, project);
  expect(status, `${stdout}\n${stderr}`).toBe(0);
  writeFileSync(join(project, 'use.js'), script);
  return project;
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'oddity-package-'));
  const { status, stdout, stderr } = run(
    'npm',
    ['pack', '--json', '--ignore-scripts', '--pack-destination', folder],
    root,
  );
  expect(status, stderr).toBe(0);
  const packed = JSON.parse(stdout)[0] as { filename: string; files: { path: string }[] };
  tarball = join(folder, packed.filename);
  listing = packed.files.map((f) => f.path);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the packed package', () => {
  it('holds what it needs and nothing else', () => {
    const { bin, exports, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    expect(oddityVersion()).toBe(version);
    const needed = [
      ...Object.values(bin as Record<string, string>),
      ...Object.values(exports as Record<string, string | Record<string, string>>).flatMap((e) =>
        typeof e === 'string' ? [e] : Object.values(e),
      ),
    ].map((path) => path.replace('./', ''));
    const isThere = (path: string) =>
      path.endsWith('/*') ? listing.some((file) => file.startsWith(path.slice(0, -1))) : listing.includes(path);
    expect(needed.filter((path) => !isThere(path))).toEqual([]);
    expect(listing).toContain('LICENSE');
    expect(listing.filter((path) => /\.test\.|^(src|test|bench(?!\/results\/.*\.csv$)|runs)\//.test(path))).toEqual([]);
  });

  it('holds every file and folder that its documents link to', () => {
    const documents = listing.filter((path) => path.endsWith('.md'));
    expect(documents).toContain('README.md');
    const dead = documents.flatMap((document) =>
      [...readFileSync(join(root, document), 'utf8').matchAll(/\]\(([^)#\s]+)/g)]
        .map(([, target]) => target)
        .filter((target) => !/^[a-z]+:/.test(target))
        .filter((target) => {
          const path = posix.join(posix.dirname(document), target).replace(/\/$/, '');
          return !listing.some((file) => file === path || file.startsWith(`${path}/`));
        })
        .map((target) => `${document}: ${target}`),
    );
    expect(dead).toEqual([]);
  });

  it('works as installed', () => {
    const project = install('with');
    const { status, stdout, stderr } = run(process.execPath, ['use.js'], project);
    expect(status, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ device: 'cpu', scores: 2, model: 'autoencoder' });
    const models = run('npx', ['oddity', 'models'], project);
    expect(models.stderr).toBe('');
    expect(models.stdout).toContain('mean-image');
  }, 300_000);

  it('works without its native packages, and says how to get the fast one', () => {
    const project = install('without', '--omit=optional');
    expect(existsSync(join(project, 'node_modules', 'onnxruntime-node'))).toBe(false);
    expect(readdirSync(join(project, 'node_modules'))).toContain('onnxruntime-web');
    const { status, stdout, stderr } = run(process.execPath, ['use.js'], project);
    expect(status, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ device: 'wasm', scores: 2 });
    expect(stderr).toContain('ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node');
    expect(run('npx', ['oddity', 'models'], project).stdout).toContain('autoencoder');
  }, 300_000);

  it.skipIf(!existsSync(browserPath))(
    'scores in a page: in a fresh Vite project, and by a script tag with an import map',
    async () => {
      const project = install('page', '--omit=optional');
      const grey = Array.from({ length: 8 }, (_, i) => ({
        data: new Uint8Array(256).fill(120 + i),
        width: 16,
        height: 16,
      }));
      await using detector = await fit('mean-image', grey, { validationFraction: 0.5 });
      await detector.save(join(project, 'public', 'detector'));

      writeFileSync(join(project, 'index.html'), pageOf('', ''));
      await build({ root: project, base: './', logLevel: 'error' });
      expect(await outputOf(join(project, 'dist'), '')).toBe('anomalous, 256 values');

      const map =
        '<script type="importmap">{"imports":{"oddity/browser":"../node_modules/oddity/dist/page/index.js"}}</script>';
      const paths = "{ wasmPaths: '../node_modules/onnxruntime-web/dist/' }";
      writeFileSync(join(project, 'public', 'index.html'), pageOf(map, paths));
      expect(await outputOf(project, 'public/')).toBe('anomalous, 256 values');
    },
    300_000,
  );
});

/** What the page of a folder says in its output, and that its console stays silent. */
async function outputOf(root: string, path: string): Promise<string> {
  const site = await serveFolder(root);
  const browser = await chromium.launch({ executablePath: browserPath, args: ['--no-sandbox'] });
  try {
    const page = await browser.newPage();
    const heard: string[] = [];
    page.on('console', (message) => heard.push(`${message.text()} ${message.location().url}`));
    page.on('pageerror', (error) => heard.push(error.message));
    await page.goto(site.address + path);
    await page
      .waitForFunction(() => document.querySelector('output')?.value !== 'waiting', undefined, { timeout: 60_000 })
      .catch(() => {});
    expect(heard.filter((text) => !text.includes('favicon'))).toEqual([]);
    return await page.locator('output').evaluate((output) => (output as HTMLOutputElement).value);
  } finally {
    await browser.close();
    await site.close();
  }
}
