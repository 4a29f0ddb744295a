import { closeSync, ftruncateSync, openSync, readFileSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import type { TestContext } from 'vitest'
import { expect, test } from 'vitest'
import { findHoles, statusOf } from '../../../src/filesystem/index.ts'
import { needsNativeCalls, tempDirectory } from './scene.ts'

const STEP = 65_536

/** Open a new file that has data in these steps of 64 KiB, and holes elsewhere. */
function openSparse(context: TestContext, path: string, filled: readonly boolean[]): number {
  const fd = openSync(path, 'w+')
  ftruncateSync(fd, filled.length * STEP)
  for (const [index, full] of filled.entries())
    if (full) writeSync(fd, Buffer.alloc(STEP, 0xaa), 0, STEP, index * STEP)
  if (filled.includes(false)) {
    context.skip(
      statusOf(fd).storedBytes >= statusOf(fd).sizeBytes,
      'no holes on the file system of the test',
    )
  }
  return fd
}

/** The runs of steps without data, in bytes. */
function expectedHoles(filled: readonly boolean[]): [bigint, bigint][] {
  const holes: [bigint, bigint][] = []
  for (const [index, full] of filled.entries()) {
    if (full) continue
    if (index > 0 && !filled[index - 1]) holes.at(-1)![1] += BigInt(STEP)
    else holes.push([BigInt(index * STEP), BigInt(STEP)])
  }
  return holes
}

test('every hole is found where it is, and no data is taken for one', (context) => {
  needsNativeCalls(context)
  const path = join(tempDirectory(), 'file')
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 24 }), (filled) => {
      const fd = openSparse(context, path, filled)
      try {
        expect(findHoles(fd, statusOf(fd))).toEqual(expectedHoles(filled))
      } finally {
        closeSync(fd)
      }
    }),
  )
})

test('a hole at the end stops at the size of the file', (context) => {
  needsNativeCalls(context)
  const fd = openSparse(context, join(tempDirectory(), 'file'), [true, false])
  ftruncateSync(fd, 2 * STEP + 123)
  expect(findHoles(fd, statusOf(fd))).toEqual([[BigInt(STEP), BigInt(STEP) + 123n]])
  closeSync(fd)
})

test('a file that grows meanwhile has holes within the size it had', (context) => {
  needsNativeCalls(context)
  const fd = openSparse(context, join(tempDirectory(), 'file'), [true, false])
  const status = statusOf(fd)
  ftruncateSync(fd, 9 * STEP)
  expect(findHoles(fd, status)).toEqual([[BigInt(STEP), BigInt(STEP)]])
  closeSync(fd)
})

test('the descriptor is at its start afterwards', (context) => {
  needsNativeCalls(context)
  const path = join(tempDirectory(), 'file')
  const fd = openSparse(context, path, [false, true, false])
  expect(findHoles(fd, statusOf(fd))).toHaveLength(2)
  const content = Buffer.alloc(3 * STEP)
  expect(readSync(fd, content)).toBe(content.length)
  expect(content.equals(readFileSync(path))).toBe(true)
  closeSync(fd)
})

test('past the most that are listed, the largest holes stay', (context) => {
  needsNativeCalls(context)
  const filled = [false, true, false, false, false, true, false, true, false, false, true]
  const fd = openSparse(context, join(tempDirectory(), 'file'), filled)
  const most = findHoles(fd, statusOf(fd), 2)
  expect(most).toEqual(expectedHoles(filled).filter(([, length]) => length >= BigInt(2 * STEP)))
  closeSync(fd)
})
