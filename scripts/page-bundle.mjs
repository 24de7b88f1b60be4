/**
 * `oddity/browser` for a plain `<script type="module">`: dist/page with everything in it but the .wasm files of onnxruntime-web, and
 * its worker beside it. Bundlers use dist/browser. `build` runs it after the compiler.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const dist = (...parts) => fileURLToPath(new URL(['../dist', ...parts].join('/'), import.meta.url));

rmSync(dist('page'), { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: { index: dist('browser', 'index.js'), worker: dist('browser', 'worker.js') },
  outdir: dist('page'),
  bundle: true,
  splitting: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  platform: 'browser',
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
});

// The licences of the packages inside ask to be handed on.
const folders = new Set(
  Object.keys(metafile.inputs).flatMap((file) => /.*node_modules\/(@[^/]+\/)?[^/]+/.exec(file)?.slice(0, 1) ?? []),
);
const licences = [...folders].sort().map((folder) => {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one));
  return `${name} ${version}, ${license}\n\n${file ? readFileSync(join(folder, file), 'utf8').trim() : ''}\n`;
});
writeFileSync(join(dist('page'), 'LICENSES.txt'), licences.join(`\n${'-'.repeat(80)}\n\n`));
