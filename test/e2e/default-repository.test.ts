import { existsSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createSandbox, writeFiles } from './harness.ts'

const nothingNamed = {
  env: { HOLDFAST_REPOSITORY: undefined, HOLDFAST_KEY_FILE: undefined, HOLDFAST_CACHE_DIR: undefined },
}

test('backup alone makes a repository in the home, says where, and leaves it out of itself', async () => {
  const { home, ok, run } = createSandbox()
  writeFiles(home, { 'notes.txt': 'mine' })
  const repository = join(home, '.local/share/holdfast/repository')
  const keyFile = join(home, '.config/holdfast/default.key')

  const before = await run(['snapshots'], nothingNamed)
  expect(before.code).toBe(10)
  expect(before.stderr).toContain(`there is none at ${repository}`)
  expect(existsSync(repository)).toBe(false)

  const first = await ok(['backup', home], nothingNamed)
  expect(first.stderr).toContain(`made a repository at ${repository}`)
  expect(first.stderr).toContain(`its key is ${keyFile}: without the key nothing can be read back`)
  expect(first.stderr).toContain('holdfast key export prints a recovery sheet')
  expect(first.stderr).toMatch(/on the same disk as what it backs up.*holdfast init --repo/)
  expect(first.stdout).toContain(`left out ${repository}, which belongs to the repository`)
  expect(statSync(keyFile).mode & 0o777).toBe(0o600)

  const second = await ok(['backup', home], nothingNamed)
  expect(second.stderr).not.toContain('made a repository')

  rmSync(repository, { recursive: true })
  const anew = await ok(['backup', home], nothingNamed)
  expect(anew.stderr).toContain(`there was no repository at ${repository}, though its key is there`)
  expect(second.stderr.trim().split('\n')).toEqual([expect.stringContaining('on the same disk')])

  const listed = await ok(['ls', 'latest'], nothingNamed)
  expect(listed.stdout).toContain(`${home}/notes.txt\n`)
  expect(listed.stdout).not.toContain('holdfast/repository')
  expect(listed.stdout).not.toContain('.cache/holdfast/')

  rmSync(keyFile)
  const lost = await run(['snapshots'], nothingNamed)
  expect(lost.code).toBe(12)
  expect(lost.stderr).toContain(`the key file of the default repository is gone: ${keyFile}`)
})

test('a place that is named is never made by backup', async () => {
  const { home, repository, run } = createSandbox()
  writeFiles(home, { 'notes.txt': 'mine' })
  const ended = await run(['backup', join(home, 'notes.txt')])
  expect(ended.code).toBe(10)
  expect(ended.stderr).toContain(`holdfast init --repo ${repository}`)
  expect(existsSync(repository)).toBe(false)
})
