/** Builds the page of Studio into `dist/studio-page`, which the package ships. Metrics are taken as the compiler made them. */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: here('.'),
  base: '/',
  resolve: { alias: { 'oddity/metrics': here('../../dist/metrics/index.js') } },
  worker: { format: 'es' },
  build: {
    outDir: here('../../dist/studio-page'),
    emptyOutDir: true,
    target: 'es2022',
    chunkSizeWarningLimit: 700,
    rolldownOptions: { checks: { pluginTimings: false } },
  },
});
