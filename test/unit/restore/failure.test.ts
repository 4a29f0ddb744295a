import { openSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { DamagedError, HoldfastError } from '../../../src/errors/index.ts'
import { costsOneFile, describeFailure, endOfRun } from '../../../src/restore/failure.ts'

const systemError = (code: string): Error => Object.assign(new Error(`${code}: no`), { code, errno: -1 })

describe('what a failure means', () => {
  test.each(['ENOSPC', 'EDQUOT', 'EROFS'])('%s ends the run and names the target', (code) => {
    const end = endOfRun(systemError(code), '/target')!
    expect(end.code).toBe('IO')
    expect(end.message).toContain('/target')
    expect(end.message).toContain(code)
    expect(end.hint).toBeDefined()
  })

  test.each(['EACCES', 'EPERM', 'EIO', 'ENAMETOOLONG'])('%s costs one file', (code) => {
    expect(endOfRun(systemError(code), '/target')).toBeUndefined()
    expect(costsOneFile(systemError(code))).toBe(true)
  })

  test('damage costs one file, an interrupt and a programmer error do not', () => {
    expect(costsOneFile(new DamagedError('data/a', 'cut'))).toBe(true)
    expect(costsOneFile(new HoldfastError('INTERRUPTED', 'interrupted'))).toBe(false)
    expect(costsOneFile(new TypeError('oops'))).toBe(false)
  })

  test('a message says what was refused and why, without the path that the system was given', () => {
    let error: unknown
    try {
      openSync('/proc/self/fd/99999/name', 'r')
    } catch (caught) {
      error = caught
    }
    expect(describeFailure(error)).toBe('open: no such file or directory (ENOENT)')
    expect(describeFailure(new DamagedError('data/a', 'cut'))).toBe('data/a is damaged: cut')
  })
})
