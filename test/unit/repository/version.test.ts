import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { PROGRAM_VERSION } from '../../../src/repository/index.ts'

test("the program's version is the package's", () => {
  const manifest = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')
  expect(PROGRAM_VERSION).toBe((JSON.parse(manifest) as { version: string }).version)
})
