import { expect, test } from 'vitest'
import { createSandbox } from './harness.ts'

test('unlock has nothing to do, and needs no repository for it', async () => {
  const { code, stdout } = await createSandbox().run(['unlock', '--remove-all'])
  expect(code).toBe(0)
  expect(stdout).toContain('there are no locks')
})
