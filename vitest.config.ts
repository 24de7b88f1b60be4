import { defineConfig } from 'vitest/config';

/** Tests by what they need; `npm test` runs the first four, `npm run check` all. */
const projects: Record<string, string[]> = {
  architecture: ['test/architecture.test.ts', 'test/words.test.ts', 'test/rows.test.ts', 'test/distil-data.test.ts'],
  unit: ['src/**/*.test.ts', 'web/**/*.test.ts'],
  contract: ['test/contract/**/*.test.ts'],
  integration: ['test/integration/**/*.test.ts', 'test/golden/**/*.test.ts'],
  pages: ['test/pages/**/*.test.ts'],
  docs: ['test/docs.test.ts'],
  cases: ['test/cases.test.ts'],
  package: ['test/package.test.ts'],
};

export default defineConfig({
  test: {
    projects: Object.entries(projects).map(([name, include]) => ({
      test: {
        name,
        include,
        testTimeout: 60_000,
        hookTimeout: 60_000,
        pool: 'forks' as const,
        env: { ONNXRUNTIME_NODE_INSTALL: 'skip' },
      },
    })),
    maxWorkers: 2,
  },
});
