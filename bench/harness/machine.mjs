import { spawnSync } from 'node:child_process'
import { statfsSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const TMPFS_MAGIC = 0x01021994

/** What figures depend on, and nothing that names the machine. */
export function describeMachine() {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    kernel: release(),
    node: process.version,
  }
}

/** The commit that is checked out; with `+` when files differ from it. */
export function describeCommit() {
  const git = (...args) => spawnSync('git', args, { cwd: root, encoding: 'utf8' }).stdout.trim()
  const isChanged = git('status', '--porcelain', '--', 'src', 'bin', 'package.json') !== ''
  return `${git('rev-parse', '--short=12', 'HEAD')}${isChanged ? '+' : ''}`
}

/** @returns `tmpfs` or `disk` */
export function storageOf(folder) {
  return statfsSync(folder).type === TMPFS_MAGIC ? 'tmpfs' : 'disk'
}
