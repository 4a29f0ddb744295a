import { spawnSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'vitest'
import { onTestFinished } from 'vitest'
import { capabilities } from '../../../src/filesystem/index.ts'

/** A new directory that goes when the test is over, whatever is in it, also below paths longer than PATH_MAX. */
export function tempDirectory(parent: string = tmpdir()): string {
  const path = mkdtempSync(join(parent, 'holdfast-'))
  onTestFinished(() => {
    spawnSync('rm', ['-rf', '--', path])
  })
  return path
}

export function needsRoot({ skip }: TestContext): void {
  skip(process.geteuid?.() !== 0, 'needs root')
}

export function needsNativeCalls({ skip }: TestContext): void {
  const { xattrs } = capabilities()
  skip(!xattrs.available, xattrs.available ? '' : xattrs.reason)
}

/** Run something as a user without rights. Needs root. */
export function asNobody<T>(use: () => T): T {
  process.setegid!(65_534)
  process.seteuid!(65_534)
  try {
    return use()
  } finally {
    process.seteuid!(0)
    process.setegid!(0)
  }
}
