import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { descriptorLimit } from '../../../src/filesystem/index.ts'

test('is what the system says', () => {
  const { stdout } = spawnSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' })
  expect(String(descriptorLimit())).toBe(stdout.trim().replace('unlimited', 'Infinity'))
})
