import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const root = new URL('../../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')
const rows = [...read('docs/glossary.md').matchAll(/^\| ([^|]+?) +\| ([^|]+?) +\|$/gm)]
  .map(([, word, meaning]) => ({ word: word!, meaning: meaning! }))
  .slice(2)

test('words are in order, each once, each with its meaning', () => {
  const words = rows.map((row) => row.word)
  expect(words.length).toBeGreaterThan(60)
  expect(words).toEqual(
    [...new Set(words)].sort((left, right) => (left.toLowerCase() < right.toLowerCase() ? -1 : 1)),
  )
  for (const { word, meaning } of rows) expect(meaning, word).toMatch(/^[A-Z0-9].*\.$/)
})

test('the rooms that have a name of their own have a word', () => {
  const words = new Set(rows.flatMap((row) => row.word.split(', ')))
  const plain = [
    'bench',
    'chunker',
    'cli',
    'compression',
    'crypto',
    'encoding',
    'errors',
    'filesystem',
    'library',
    'stats',
    'threads',
  ]
  const rooms = readdirSync(new URL('src/', root), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  )
  for (const { name } of rooms) expect(words.has(name) || plain.includes(name), name).toBe(true)
})

test.each(['docs/security.md', 'docs/format.md'])('links inside %s lead somewhere', (path) => {
  const text = read(path)
  const anchors = new Set(
    [...text.matchAll(/^#+ (.*)$/gm)].map((match) =>
      match[1]!
        .toLowerCase()
        .replace(/[^a-z0-9 -]/g, '')
        .replaceAll(' ', '-'),
    ),
  )
  const links = [...text.matchAll(/\]\(([^)]+)\)/g)].map((match) => match[1]!)
  expect(links.length).toBeGreaterThan(3)
  for (const link of links) {
    const [file, anchor] = link.split('#')
    if (file === '') expect(anchors).toContain(anchor)
    else expect(() => read(`docs/${file}`), link).not.toThrow()
  }
})
