import { describe, expect, test } from 'vitest'
import { createSelection } from '../../../src/restore/selection.ts'

describe('createSelection()', () => {
  test('without patterns everything is wanted', () => {
    const select = createSelection({})
    expect(select('/a', true)).toBe('wanted')
    expect(select('/a/b', false)).toBe('wanted')
  })

  test('include: what matches, what is below it, and folders that may lead there', () => {
    const select = createSelection({ include: ['/home/*/notes', '*.txt'] })
    expect(select('/home', true)).toBe('leads')
    expect(select('/home/ann/notes', true)).toBe('wanted')
    expect(select('/home/ann/notes/deep/file', false)).toBe('wanted')
    expect(select('/etc/a.txt', false)).toBe('wanted')
    expect(select('/etc/a.conf', false)).toBe('left-out')
  })

  test('exclude is stronger, and a pattern may take back', () => {
    const select = createSelection({ include: ['/data'], exclude: ['*.log', '!keep.log'] })
    expect(select('/data/a.log', false)).toBe('left-out')
    expect(select('/data/keep.log', false)).toBe('wanted')
    expect(select('/data/a', false)).toBe('wanted')
    expect(select('/other', true)).toBe('leads')
    expect(createSelection({ exclude: ['tmp/'] })('/tmp', true)).toBe('left-out')
  })

  test('a pattern that can match nothing is refused', () => {
    expect(() => createSelection({ include: [' '] })).toThrow(expect.objectContaining({ code: 'USAGE' }))
  })
})
