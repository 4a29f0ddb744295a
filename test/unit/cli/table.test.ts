import { expect, test } from 'vitest'
import { formatTable } from '../../../src/cli/table.ts'

test('formatTable() aligns columns, splits cells with several lines, and leaves no space at line ends', () => {
  const lines = formatTable(
    [{ title: 'Name' }, { title: 'Size', align: 'right' }, { title: '' }],
    [
      ['a', '1 B', ''],
      ['long name\nsecond', '1.5 KiB', 'é note'],
    ],
  )
  expect(lines).toEqual([
    'Name          Size',
    '--------------------------',
    'a              1 B',
    'long name  1.5 KiB  é note',
    'second',
  ])
})

test('formatTable() without rows has titles only', () => {
  expect(formatTable([{ title: 'A' }, { title: 'B' }], [])).toEqual(['A  B', '----'])
})
