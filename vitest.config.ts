import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Where the counts go for whoever sums them up (.ci/run). */
const report = process.env.TEST_REPORT;

export default defineConfig({
  // The library under its own name, as its users import it.
  resolve: { alias: { kubewire: fileURLToPath(new URL('src/index.ts', import.meta.url)) } },
  test: {
    pool: 'forks',
    reporters: report === undefined ? ['default'] : ['default', ['json', { outputFile: report }]],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/kernel/**'],
          // No test is about time: a busy machine is no failure.
          testTimeout: 120_000,
          benchmark: { include: ['bench/**/*.bench.ts'] },
          // Built modules are loaded as they are: bench/built.ts.
          server: { deps: { external: [/\/dist\//] } },
        },
      },
      // Needs root, namespaces, iptables and nftables; run by .ci/run only.
      {
        extends: true,
        test: {
          name: 'kernel',
          include: ['test/kernel/**/*.test.ts'],
          testTimeout: 600_000,
          fileParallelism: false,
          benchmark: { include: [] },
        },
      },
    ],
  },
});
