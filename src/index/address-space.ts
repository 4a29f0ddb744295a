import { readFileSync } from 'node:fs'
import { HoldfastError, systemCode } from '../errors/index.ts'
import { MAP_BYTES } from './environment.ts'

/**
 * LMDB maps its file in one piece, and ends the process by SIGSEGV where the system refuses (`ulimit -v`).
 *
 * @throws HoldfastError IO where this process may not have so much address space
 */
export function requireAddressSpace(directory: string): void {
  const limitBytes = addressSpaceBytes()
  if (limitBytes >= 2 * MAP_BYTES) return
  throw new HoldfastError(
    'IO',
    `the local index at ${directory} cannot be mapped: address space is limited`,
    {
      hint: 'raise ulimit -v',
    },
  )
}

/** Infinite where it is not limited, or the system does not say. */
function addressSpaceBytes(): number {
  try {
    const limit = /^Max address space +(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1]
    return limit === undefined ? Number.POSITIVE_INFINITY : Number(limit)
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    return Number.POSITIVE_INFINITY
  }
}
