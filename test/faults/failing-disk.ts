import fs from 'node:fs/promises'
import { constants } from 'node:os'
import { vi } from 'vitest'

/** What a disk says when it fails. */
export type DiskError = 'EIO' | 'ENOSPC' | 'EACCES' | 'EMFILE' | 'EROFS' | 'EDQUOT'

/** Which call fails, counted from 0, and whether all that change something fail from then on. */
export interface Failure {
  readonly at: number
  readonly code: DiskError
  readonly isLasting: boolean
}

const changing = ['open', 'rename', 'link', 'unlink', 'mkdir'] as const
const reading = ['readdir', 'stat'] as const
const ofHandles = ['write', 'sync', 'read', 'stat'] as const

/**
 * Let one call on the disk fail, of those a local backend makes in this process.
 *
 * @param failure undefined lets all succeed, and counts
 */
export function failDisk(failure: Failure | undefined): {
  readonly calls: () => number
  readonly end: () => void
} {
  let calls = 0
  const check = (syscall: string, path: unknown, isChange: boolean): void => {
    const number = calls++
    if (failure === undefined) return
    const isHere = number === failure.at || (failure.isLasting && isChange && number > failure.at)
    if (!isHere) return
    const { code } = failure
    throw Object.assign(new Error(`${code}: made to fail, ${syscall} '${String(path)}'`), {
      code,
      errno: -(constants.errno as Readonly<Record<string, number>>)[code]!,
      syscall,
      path,
    })
  }
  const spies = [...changing, ...reading].map((name) => {
    const real = fs[name] as (...values: unknown[]) => Promise<unknown>
    const spy = vi.spyOn(fs, name) as unknown as {
      mockImplementation(call: (...values: unknown[]) => Promise<unknown>): void
      mockRestore(): void
    }
    spy.mockImplementation(async (...values) => {
      const isRead = name === 'open' && values[1] !== 'wx'
      check(name, values[0], !isRead && (changing as readonly string[]).includes(name))
      const result = await real(...values)
      if (name === 'open') watch(result as fs.FileHandle, values[0])
      return result
    })
    return spy
  })
  const watch = (handle: fs.FileHandle, path: unknown): void => {
    for (const name of ofHandles) {
      const real = handle[name].bind(handle) as (...values: unknown[]) => Promise<unknown>
      Object.assign(handle, {
        [name]: async (...values: unknown[]) => {
          check(name, path, name === 'write' || name === 'sync')
          return await real(...values)
        },
      })
    }
  }
  return {
    calls: () => calls,
    end: () => {
      for (const spy of spies) spy.mockRestore()
    },
  }
}
