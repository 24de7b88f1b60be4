/** Builds the playground into `dist`: plain files for any host. The library is taken as `npm run build` made it. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** Writes the service worker with the list of files that it keeps: all but those of WebGPU, which few ask for. */
function serviceWorker() {
  return {
    name: 'service-worker',
    apply: 'build',
    generateBundle(_, bundle) {
      const files = Object.keys(bundle).filter((name) => !/asyncify|webgpu|\.map$/.test(name));
      const content = createHash('sha256');
      for (const name of files.sort()) content.update(name).update(bundle[name].code ?? bundle[name].source);
      const source = readFileSync(here('sw.js'), 'utf8')
        .replace('self.FILES', JSON.stringify(['./', ...files.map((name) => `./${name}`)]))
        .replace('self.VERSION', JSON.stringify(`oddity-${content.digest('hex').slice(0, 12)}`));
      this.emitFile({ type: 'asset', fileName: 'sw.js', source });
    },
  };
}

export default defineConfig(({ command }) => ({
  root: here('.'),
  base: './',
  resolve: { alias: { 'oddity/browser': here('../../dist/browser/index.js') } },
  define: { IS_BUILT: JSON.stringify(command === 'build') },
  plugins: [serviceWorker()],
  worker: { format: 'es' },
  build: {
    outDir: here('dist'),
    emptyOutDir: true,
    target: 'es2022',
    chunkSizeWarningLimit: 4000,
    rolldownOptions: { checks: { pluginTimings: false } },
  },
}));
