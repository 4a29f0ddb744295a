import { open } from 'node:fs/promises'
import { expect, test } from 'vitest'
import {
  checkAborted,
  DamagedError,
  type ErrorCode,
  exitCodes,
  HoldfastError,
  hasCode,
  isLossOfData,
  systemCode,
} from '../../../src/errors/index.ts'

test('the exit codes are the documented ones', () => {
  expect(exitCodes).toEqual({
    FAILED: 1,
    USAGE: 2,
    SOURCE_INCOMPLETE: 3,
    NO_REPOSITORY: 10,
    WRONG_KEY: 12,
    DAMAGED: 20,
    INTERRUPTED: 130,
    IO: 1,
    NEWER_FORMAT: 1,
    ALREADY_EXISTS: 1,
    NO_SNAPSHOT: 1,
    NO_SUCH_PATH: 1,
    NO_SUCH_FILE: 1,
    UNSUPPORTED: 1,
  })
})

test.each(Object.keys(exitCodes) as ErrorCode[])('%s carries its exit code, hint and cause', (code) => {
  const cause = new Error('below')
  const error = new HoldfastError(code, 'what failed', { hint: 'what to do', cause })
  expect(error).toBeInstanceOf(Error)
  expect({ ...error, message: error.message, cause: error.cause, exitCode: error.exitCode }).toMatchObject({
    name: 'HoldfastError',
    code,
    hint: 'what to do',
    message: 'what failed',
    exitCode: exitCodes[code],
  })
  expect(error.cause).toBe(cause)
})

test('an error without a cause has no such property', () => {
  const error = new HoldfastError('FAILED', 'plain')
  expect('cause' in error).toBe(false)
  expect(error.hint).toBeUndefined()
})

test('damage names its file, says what to do, and lets a caller say something better', () => {
  const error = new DamagedError('data/ab/abcd', 'its name does not match')
  expect(error).toBeInstanceOf(HoldfastError)
  expect(error.message).toBe('data/ab/abcd is damaged: its name does not match')
  expect(error).toMatchObject({ name: 'DamagedError', code: 'DAMAGED', exitCode: 20, file: 'data/ab/abcd' })
  expect(error.hint).toContain('holdfast verify')
  expect(new DamagedError('config', 'short', { hint: 'other' }).hint).toBe('other')
})

test('hasCode() tells codes apart and takes anything that was thrown', () => {
  expect(hasCode(new HoldfastError('DAMAGED', 'x'), 'DAMAGED')).toBe(true)
  expect(hasCode(new DamagedError('f', 'x'), 'DAMAGED')).toBe(true)
  expect(hasCode(new HoldfastError('IO', 'x'), 'DAMAGED')).toBe(false)
  for (const thrown of [undefined, null, 'DAMAGED', { code: 'DAMAGED' }, new Error('DAMAGED')]) {
    expect(hasCode(thrown, 'DAMAGED')).toBe(false)
  }
  // A system error must not pass for one of ours.
  expect(hasCode(Object.assign(new Error('x'), { code: 'IO' }), 'IO')).toBe(false)
})

test('isLossOfData() is damage and what is gone, and nothing else', () => {
  expect(isLossOfData(new DamagedError('data/a', 'cut'))).toBe(true)
  expect(isLossOfData(new HoldfastError('NO_SUCH_FILE', 'x'))).toBe(true)
  for (const code of ['IO', 'NO_SUCH_PATH', 'NEWER_FORMAT', 'INTERRUPTED'] as const) {
    expect(isLossOfData(new HoldfastError(code, 'x'))).toBe(false)
  }
  expect(isLossOfData(Object.assign(new Error('x'), { code: 'DAMAGED' }))).toBe(false)
})

test('systemCode() is the code of a real system error, and nothing else', async () => {
  const error = await open('/no-such-directory/file').catch((thrown: unknown) => thrown)
  expect(systemCode(error)).toBe('ENOENT')
  for (const thrown of [undefined, null, 'ENOENT', { code: 'ENOENT' }, new Error('x')]) {
    expect(systemCode(thrown)).toBeUndefined()
  }
  for (const code of [5, 'ENOENT', 'IO', 'commander.help']) {
    expect(systemCode(Object.assign(new Error('x'), { code }))).toBeUndefined()
  }
  expect(systemCode(new HoldfastError('IO', 'x', { cause: error }))).toBeUndefined()
  expect(systemCode(new DamagedError('f', 'x'))).toBeUndefined()
})

test("systemCode() is Node's own code where it refuses before the system is asked", async () => {
  const error = await open('/a\0b').catch((thrown: unknown) => thrown)
  expect(systemCode(error)).toBe('ERR_INVALID_ARG_VALUE')
})

test('checkAborted() throws INTERRUPTED with the reason only once aborted', () => {
  const controller = new AbortController()
  checkAborted(undefined)
  checkAborted(controller.signal)
  const reason = new Error('ctrl-c')
  controller.abort(reason)
  expect(() => checkAborted(controller.signal)).toThrow(
    expect.objectContaining({ code: 'INTERRUPTED', exitCode: 130, cause: reason }),
  )
})
