/**
 * What a page loads for `oddity/browser`: minified bytes, and gzipped ones in brackets, of what some pages use of it, built
 * by Vite; what the playground loads before it works offline; and what the first view of Studio loads. Fails above a budget, and on any warning of the bundler.
 * Builds nothing of ours: run `npm run build` before.
 * Usage: node scripts/size.mjs
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build, createLogger } from 'vite';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const entry = join(root, 'dist', 'browser', 'index.js');

/** Megabytes that the playground may load at first, with the plain build of WebAssembly and the weights of a network. */
const PLAYGROUND = 20;

/** Gzipped kilobytes that the first view of Studio may load. */
const STUDIO = 300;

/** What pages use, and the gzipped kilobytes that they may load: at once, and with what they load when it is needed. */
const pages = [
  { name: 'opens a detector', uses: ['loadDetector'], budget: { first: 66, all: 76 } },
  { name: 'fits a model by its value', uses: ['fit', 'pca'], budget: { first: 148, all: 253 } },
  { name: 'fits a model by its name', uses: ['fit'], budget: { first: 126, all: 256 } },
  // The page's side: the worker loads the rest.
  { name: 'opens a worker', uses: ['openWorker'], budget: { first: 8, all: 8 } },
  { name: 'uses everything', uses: undefined, budget: { first: 272, all: 283 } },
];

/** Builds a page that uses some names, all unless given. Returns its chunks and what the bundler complained of. */
async function bundle(uses) {
  const warnings = [];
  const logger = createLogger('warn');
  logger.warn = (message) => warnings.push(message);
  logger.warnOnce = logger.warn;
  const from = JSON.stringify(entry);
  const code = uses
    ? `import { ${uses.join(', ')} } from ${from}; globalThis.used = [${uses.join(', ')}];`
    : `import * as all from ${from}; globalThis.used = { ...all };`;
  const page = {
    name: 'page',
    resolveId: (id) => (id === 'virtual:page' ? '\0page' : undefined),
    load: (id) => (id === '\0page' ? code : undefined),
  };
  const { output } = await build({
    configFile: false,
    customLogger: logger,
    plugins: [page],
    build: {
      write: false,
      target: 'esnext',
      reportCompressedSize: false,
      rolldownOptions: { input: 'virtual:page', external: /^onnxruntime-web/, checks: { pluginTimings: false } },
    },
  });
  return { chunks: output.filter((file) => file.type === 'chunk'), warnings };
}

/** Bytes of some pieces of code, and gzipped. */
const sizeOf = (codes) => ({
  raw: codes.reduce((n, code) => n + Buffer.byteLength(code), 0),
  gzipped: codes.reduce((n, code) => n + gzipSync(code).length, 0),
});

/** Those chunks that a page loads before it runs. */
function loadedFirst(chunks) {
  const byName = new Map(chunks.map((chunk) => [chunk.fileName, chunk]));
  const found = new Set(chunks.filter((chunk) => chunk.isEntry));
  for (const chunk of found) for (const name of chunk.imports) if (byName.has(name)) found.add(byName.get(name));
  return [...found];
}

const kilo = (bytes) => (bytes / 1000).toFixed(0);
const show = ({ raw, gzipped }) => `${kilo(raw)} (${kilo(gzipped)})`;

const ortFile = join(dirname(createRequire(import.meta.url).resolve('onnxruntime-web')), 'ort.wasm.bundle.min.mjs');
const ort = sizeOf([readFileSync(ortFile)]);
const plus = (size) => ({ raw: size.raw + ort.raw, gzipped: size.gzipped + ort.gzipped });

const rows = [['A page that …', 'at once', 'in all', 'with onnxruntime-web', 'budget']];
const failures = [];
for (const { name, uses, budget } of pages) {
  const { chunks, warnings } = await bundle(uses);
  const sizes = {
    first: sizeOf(loadedFirst(chunks).map((c) => c.code)),
    all: sizeOf(chunks.map((c) => c.code)),
  };
  rows.push([name, show(sizes.first), show(sizes.all), show(plus(sizes.all)), `(${budget.first}), (${budget.all})`]);
  for (const [when, size] of Object.entries(sizes)) {
    if (size.gzipped <= 1000 * budget[when]) continue;
    const label = when === 'first' ? 'at once' : 'in all';
    failures.push(`A page that ${name} loads ${kilo(size.gzipped)} kB ${label}, and may load ${budget[when]} kB.`);
  }
  failures.push(...warnings.map((warning) => `A page that ${name}: the bundler warns: ${warning.trim()}`));
}

console.log('oddity/browser in kB minified (gzipped), without the .wasm file of onnxruntime-web:\n');
const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
for (const row of rows)
  console.log(row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  '));

/** The files that the playground's service worker keeps; those of WebGPU are loaded when somebody asks for it. */
async function playground() {
  const configFile = join(root, 'web', 'playground', 'vite.config.mjs');
  const { output } = await build({
    configFile,
    logLevel: 'error',
    build: { write: false, reportCompressedSize: false },
  });
  const files = output.map((file) => [file.fileName, Buffer.byteLength(file.code ?? file.source)]);
  const [later, first] = [true, false].map((isLater) =>
    files.filter(([name]) => /asyncify|webgpu/.test(name) === isLater),
  );
  const sum = (list) => list.reduce((n, [, bytes]) => n + bytes, 0) / 1e6;
  return { first: sum(first), later: sum(later) };
}
const sizes = await playground();
const mega = (value) => value.toFixed(1);
console.log(
  `\nThe playground: ${mega(sizes.first)} MB at first (budget ${PLAYGROUND}), ${mega(sizes.later)} MB more for WebGPU, uncompressed.`,
);
if (sizes.first > PLAYGROUND)
  failures.push(`The playground loads ${mega(sizes.first)} MB at first, and may load ${PLAYGROUND} MB.`);

/** Gzipped bytes of Studio's page with the scripts and styles that it loads before anything is clicked. */
async function studio() {
  const configFile = join(root, 'web', 'studio', 'vite.config.mjs');
  const { output } = await build({
    configFile,
    logLevel: 'error',
    build: { write: false, reportCompressedSize: false },
  });
  const scripts = loadedFirst(output.filter((file) => file.type === 'chunk')).map((chunk) => chunk.code);
  const page = output.find((file) => file.fileName === 'index.html').source;
  const styles = output.filter((file) => page.includes(file.fileName) && file.fileName.endsWith('.css'));
  return sizeOf([page, ...scripts, ...styles.map((file) => String(file.source))]).gzipped;
}
const first = await studio();
console.log(`\nStudio: ${kilo(first)} kB gzipped in its first view (budget ${STUDIO}).`);
if (first > 1000 * STUDIO) failures.push(`Studio loads ${kilo(first)} kB at first, and may load ${STUDIO} kB.`);
for (const failure of failures) console.error(`\n${failure}`);
process.exitCode = failures.length > 0 ? 1 : 0;
