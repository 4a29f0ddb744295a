import { existsSync } from 'node:fs'

/** Linux: a descriptor that names a node of any type without opening it for anything. Not in Node's constants. */
export const O_PATH = 0x200000

let present: boolean | undefined

/** Whether `/proc/self/fd/N` leads to what descriptor N holds: on Linux where /proc is mounted. */
export function hasDescriptorPaths(): boolean {
  present ??= process.platform === 'linux' && existsSync('/proc/self/fd')
  return present
}
