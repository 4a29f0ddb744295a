import { createHash, randomBytes } from 'node:crypto'
import { opendirSync, unlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { systemCode } from '../errors/index.ts'
import type { HeldDirectory } from '../filesystem/index.ts'
import { isProcessGone } from '../repository/index.ts'

/** Machine, process and run of what is not whole. */
const TEMPORARY = /^\.holdfast-([0-9a-f]{8})-(\d{1,9})-[0-9a-f]{12}-[0-9a-z-]+$/

/** What the temporary names of a run of this process begin with: they say whose they are, and no two runs share any. */
export function temporaryPrefix(): string {
  return `.holdfast-${machineTag()}-${process.pid}-${randomBytes(6).toString('hex')}-`
}

/**
 * Remove what runs that were killed left in a folder: a run that is ended in any other way sees to that itself. Those of
 * living processes and of other machines stay, and so does, without a word, what cannot be listed or removed.
 */
export function removeLeftovers(folder: HeldDirectory): void {
  try {
    const entries = opendirSync(folder.path(), { bufferSize: 1024 })
    try {
      for (let entry = entries.readSync(); entry !== null; entry = entries.readSync())
        if (isLeftover(entry.name)) unlinkSync(folder.pathOf(entry.name))
    } finally {
      entries.closeSync()
    }
  } catch (error) {
    if (systemCode(error) === undefined) throw error
  }
}

function isLeftover(name: string): boolean {
  const [, machine, pid] = TEMPORARY.exec(name) ?? []
  return machine !== undefined && machine === machineTag() && isProcessGone(Number(pid))
}

function machineTag(): string {
  return createHash('sha256').update(hostname()).digest('hex').slice(0, 8)
}
