import { expect, test } from 'vitest'
import { Level } from '../../../src/backup/scan-level.ts'
import { ValueWriter } from '../../../src/encoding/index.ts'

function createLevel(batches: readonly (readonly string[])[]): Level {
  return new Level('/folder', batches.values(), undefined, undefined, new ValueWriter())
}

function keysOf(level: Level): string[] {
  return level.handBack(0n, false).map((part) => (part.kind === 'names' ? part.keys! : part.kind))
}

test('names come in order over all batches, empty ones among them', () => {
  const level = createLevel([[], ['a', 'b'], [], ['c'], []])
  expect([level.nextKey(), level.nextKey(), level.nextKey(), level.nextKey(), level.nextKey()]).toEqual([
    'a',
    'b',
    'c',
    undefined,
    undefined,
  ])
  expect(keysOf(level)).toEqual([])
})

test('what is handed back is all that was not given, each name once', () => {
  const batches = [['a', 'b', 'c'], ['d'], ['e', 'f']]
  for (let given = 0; given <= 6; given++) {
    const level = createLevel(batches)
    for (let at = 0; at < given; at++) level.nextKey()
    expect(keysOf(level).join('/')).toBe(batches.flat().slice(given).join('/'))
  }
})

test('what is left of a folder is shared out to several tasks, but not to tasks of a few names', () => {
  const names = (count: number): string[] => Array.from({ length: count }, (_, at) => `name-${at}`)
  const lengthsOf = (count: number): number[] =>
    keysOf(createLevel([names(count)])).map((keys) => keys.split('/').length)
  expect(lengthsOf(50)).toEqual([50])
  expect(lengthsOf(1000)).toEqual(Array.from({ length: 8 }, () => 125))
  expect(lengthsOf(20_000)).toEqual([...Array.from({ length: 19 }, () => 1024), 544])
})
