import { readFileSync } from 'node:fs'
import { systemCode } from '../errors/index.ts'

/** What every system gives a process at least. */
const LEAST = 1024

let known: number | undefined

/** How many descriptors this process may have open; a low guess where the system does not say. */
export function descriptorLimit(): number {
  known ??= readLimit()
  return known
}

function readLimit(): number {
  if (process.platform !== 'linux') return LEAST
  try {
    const line = /^Max open files +(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'latin1'))
    if (line === null) return LEAST
    return line[1] === 'unlimited' ? Number.POSITIVE_INFINITY : Number(line[1])
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    return LEAST
  }
}
