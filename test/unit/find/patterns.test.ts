import { expect, test } from 'vitest'
import { compilePatterns } from '../../../src/find/patterns.ts'

/** Whether one of the patterns matches a path, followed name by name. */
function isMatch(patterns: readonly string[], path: string, ignoresCase = false): boolean {
  const matcher = compilePatterns(patterns, ignoresCase)
  const names = path.split('/').slice(1)
  let state: typeof matcher.root | undefined = matcher.root
  for (const name of names.slice(0, -1)) {
    state = matcher.enter(state, name)
    if (state === undefined) return false
  }
  return matcher.matches(state, names.at(-1)!)
}

test.each([
  ['a.txt', '/a.txt', true],
  ['a.txt', '/x/y/a.txt', true],
  ['*.txt', '/x/a.txt', true],
  ['*.txt', '/x/a.txt.gz', false],
  ['?.txt', '/ä.txt', true],
  ['[a-c].txt', '/b.txt', true],
  ['[!a-c].txt', '/b.txt', false],
  ['a\\*', '/a*', true],
  ['a\\*', '/ab', false],
  ['x/*.txt', '/x/a.txt', true],
  ['x/*.txt', '/y/x/a.txt', true],
  ['x/*.txt', '/x/y/a.txt', false],
  ['x/x/a', '/x/x/x/a', true],
  ['/x/a', '/x/a', true],
  ['/x/a', '/y/x/a', false],
  ['/a', '/x/a', false],
  ['/x/**/a', '/x/a', true],
  ['/x/**/a', '/x/1/2/a', true],
  ['/x/**/a', '/y/a', false],
  ['x/**', '/x/1/2', true],
  ['x/**', '/x', false],
  ['**/a', '/a', true],
  ['x/', '/x', true],
  ['\udc80*', '/\ufffdb', true],
])('%s of %s: %s', (pattern, path, expected) => {
  expect(isMatch([pattern], path)).toBe(expected)
  expect(isMatch(['nothing/of/this', pattern], path)).toBe(expected)
})

test('case counts unless told otherwise', () => {
  expect(isMatch(['*.TXT'], '/a.txt')).toBe(false)
  expect(isMatch(['*.TXT'], '/a.txt', true)).toBe(true)
})

test('nothing below a folder can match that leads away from a pattern of the root', () => {
  const { root, enter } = compilePatterns(['/home/*/x'], false)
  expect(enter(root, 'usr')).toBeUndefined()
  const home = enter(root, 'home')!
  expect(enter(home, 'me')).toBe(enter(home, 'you'))
})

test.each(['', '/', './', 'a/'.repeat(40), '[z-a]'])('%j can match nothing', (pattern) => {
  expect(() => compilePatterns([pattern], false)).toThrow(expect.objectContaining({ code: 'USAGE' }))
})
