import { createHash, randomBytes } from 'node:crypto'
import { opendirSync, unlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { systemCode } from '../errors/index.ts'
import type { HeldDirectory } from '../filesystem/index.ts'
import { isProcessGone } from '../repository/index.ts'

/** Machine, process and run of what is not whole. */
const TEMPORARY = /^\.holdfast-([0-9a-f]{8})-(\d{1,9})-([0-9a-f]{12})-[0-9a-z-]+$/

/** What the temporary names of a run of this process begin with: they say whose they are, and no two runs share any. */
export function temporaryPrefix(): string {
  const run = randomBytes(6).toString('hex')
  ownRuns.add(run)
  return `.holdfast-${machineTag()}-${process.pid}-${run}-`
}

/** Of this process. In a container the number of a process that was killed is often that of the next one. */
const ownRuns = new Set<string>()

/**
 * Remove what runs that were killed left in a folder: a run that is ended in any other way sees to that itself. Those of
 * living processes and of other machines stay, and so does, without a word, what cannot be listed or removed.
 */
export function removeLeftovers(folder: HeldDirectory): void {
  quietly(() => {
    const entries = opendirSync(folder.path(), { bufferSize: 1024 })
    try {
      for (let entry = entries.readSync(); entry !== null; entry = entries.readSync())
        if (isLeftover(entry.name)) quietly(() => unlinkSync(folder.pathOf(entry!.name)))
    } finally {
      entries.closeSync()
    }
  })
}

function quietly(action: () => void): void {
  try {
    action()
  } catch (error) {
    if (systemCode(error) === undefined) throw error
  }
}

function isLeftover(name: string): boolean {
  const [, machine, pid, run] = TEMPORARY.exec(name) ?? []
  if (run === undefined || machine !== machineTag()) return false
  return Number(pid) === process.pid ? !ownRuns.has(run) : isProcessGone(Number(pid))
}

function machineTag(): string {
  return createHash('sha256').update(hostname()).digest('hex').slice(0, 8)
}
