import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatTimeNs, nodeJson, nodeJsonText, permissionsOf } from '../../../src/cli/node-display.ts'
import { joinName } from '../../../src/index.ts'
import { anyNode, anyNodeName } from '../tree/nodes.ts'

test('permissionsOf() shows modes as ls does', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-modes-'))
  try {
    const path = join(folder, 'file')
    writeFileSync(path, '')
    for (const mode of [0o000, 0o644, 0o755, 0o4755, 0o4644, 0o2755, 0o2644, 0o1777, 0o1666, 0o7777]) {
      chmodSync(path, mode)
      const shown = execFileSync('stat', ['-c', '%A', path]).toString('utf8').trim()
      expect(permissionsOf({ type: 'file', mode })).toBe(shown)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  expect(permissionsOf({ type: 'directory', mode: 0o755 })).toBe('drwxr-xr-x')
  expect(permissionsOf({ type: 'symlink', mode: 0o777 })).toBe('lrwxrwxrwx')
})

test('formatTimeNs() keeps every nanosecond, before 1970 too', () => {
  expect(formatTimeNs(0n)).toBe('1970-01-01T00:00:00.000000000Z')
  expect(formatTimeNs(-1n)).toBe('1969-12-31T23:59:59.999999999Z')
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (timeNs) => {
      const text = formatTimeNs(timeNs)
      const seconds = BigInt(Date.parse(`${text.slice(0, -11)}Z`)) / 1000n
      expect(seconds * 1_000_000_000n + BigInt(text.slice(-10, -1))).toBe(timeNs)
    }),
  )
})

test('nodeJsonText() is the text of nodeJson()', () => {
  fc.assert(
    fc.property(anyNode, anyNodeName, (node, folder) => {
      const entry = { path: joinName(joinName('/', folder), node.name), node }
      expect(nodeJsonText(entry)).toBe(JSON.stringify(nodeJson(entry)))
    }),
    { numRuns: 1000 },
  )
})
