import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { FileId, SessionId } from '../../../src/encoding/index.ts'
import {
  directories,
  fileName,
  type NamedKind,
  overName,
  parseName,
  sessionName,
} from '../../../src/repository/index.ts'

const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length })
const anyKind = fc.constantFrom(...(Object.keys(directories) as NamedKind[]))

describe('parseName()', () => {
  test('reads back the name of every kind of file', () => {
    fc.assert(
      fc.property(anyKind, hex(64), (kind, id) => {
        expect(parseName(fileName(kind, id as FileId))).toEqual({ what: 'file', kind, id })
      }),
    )
  })

  test('reads back sessions and their marks', () => {
    fc.assert(
      fc.property(hex(32), (session) => {
        expect(parseName(sessionName(session as SessionId))).toEqual({ what: 'session', session })
        expect(parseName(overName(session as SessionId))).toEqual({ what: 'over', session })
      }),
    )
  })

  test('packs are spread over directories by the first two digits', () => {
    const id = `ab${'0'.repeat(62)}` as FileId
    expect(fileName('data', id)).toBe(`data/ab/${id}`)
    expect(fileName('tree', id)).toBe(`trees/ab/${id}`)
    expect(fileName('snapshot', id)).toBe(`snapshots/${id}`)
  })

  test.each([
    ['config', 'config'],
    ['tmp/0011-2233', 'temporary'],
    ['tmp/anything', 'temporary'],
  ])('%s is %s', (name, what) => {
    expect(parseName(name).what).toBe(what)
  })

  const id = 'c'.repeat(64)
  test.each([
    '',
    'Config',
    'config/x',
    `data/${id}`,
    `data/ab/${id}`,
    `data/cc/x/${id}`,
    `snapshots/cc/${id}`,
    `snapshots/${id.toUpperCase()}`,
    `snapshots/${id}0`,
    `snapshots/${id}.tmp`,
    `sessions/${id}`,
    `sessions/${'c'.repeat(32)}.OVER`,
    `sessions/${'c'.repeat(32)}.over.over`,
    `sessions/x/${'c'.repeat(32)}`,
    `parity/${id}`,
    'lost+found/x',
    'constructor/x',
    '__proto__',
  ])('%j is foreign', (name) => {
    expect(parseName(name)).toEqual({ what: 'foreign' })
  })

  test('no text makes it throw, and what it knows it would write again', () => {
    const anyName = fc.oneof(
      fc.string(),
      fc
        .tuple(fc.constantFrom('data', 'trees', 'index', 'sessions', 'keys', 'x'), fc.array(hex(2)), hex(64))
        .map(([first, middle, last]) => [first, ...middle, last].join('/')),
    )
    fc.assert(
      fc.property(anyName, (name) => {
        const parsed = parseName(name)
        if (parsed.what === 'file') expect(fileName(parsed.kind, parsed.id)).toBe(name)
        if (parsed.what === 'session') expect(sessionName(parsed.session)).toBe(name)
        if (parsed.what === 'over') expect(overName(parsed.session)).toBe(name)
      }),
    )
  })
})
