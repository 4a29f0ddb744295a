import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    root: new URL('../..', import.meta.url).pathname,
    pool: 'forks',
    // The default leaves one core idle.
    maxWorkers: Math.max(availableParallelism(), 2),
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
