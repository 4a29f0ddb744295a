import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { capabilities } from '../../../src/filesystem/index.ts'

const root = new URL('../../../', import.meta.url)
const document = readFileSync(new URL('docs/metadata.md', root), 'utf8')

/** The cells of the lines of a table, by its first heading; without the heading and the rule below it. */
function rowsOf(heading: string): string[][] {
  const lines = document.split('\n')
  const start = lines.findIndex((line) => new RegExp(`^\\| ${heading} +\\|`).test(line))
  const end = lines.findIndex((line, index) => index > start && !line.startsWith('|'))
  return lines.slice(start + 2, end).map((line) =>
    line
      .replace(/^\| | \|$/g, '')
      .split(' | ')
      .map((cell) => cell.trim()),
  )
}

const kept = rowsOf('what').map(([what = '', , , , proof = '', ...more]) => ({ what, proof, more }))

describe('docs/metadata.md', () => {
  test('has a row for each kind of metadata, each with five cells and a test of its own', () => {
    expect(kept.length).toBeGreaterThanOrEqual(20)
    for (const { more } of kept) expect(more).toEqual([])
    expect(new Set(kept.map(({ what }) => what)).size).toBe(kept.length)
    expect(new Set(kept.map(({ proof }) => proof)).size).toBe(kept.length)
  })

  test.each(kept)('the test that proves "$what" exists', ({ proof }) => {
    const [, file = '', name = ''] = /^`(test\/[\w/.-]+\.test\.ts)`: (.+)$/.exec(proof) ?? []
    const url = new URL(file, root)
    expect(file !== '' && existsSync(url), proof).toBe(true)
    expect(readFileSync(url, 'utf8')).toMatch(
      new RegExp(`\\btest(\\.\\w+\\(.*\\))?\\('${escapePattern(name)}',`),
    )
  })

  test('says what is lost with each capability', () => {
    expect(rowsOf('missing').map(([name]) => name)).toEqual(
      Object.keys(capabilities()).map((name) => `\`${name}\``),
    )
  })
})

function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
