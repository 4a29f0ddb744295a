import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compileGlob } from '../../../src/find/index.ts'

/** By one expression, which may take very long. */
function byExpression(pattern: string): RegExp {
  const source = pattern.replace(/\*+/g, '*').replace(/[*?]/g, (one) => (one === '*' ? '.*' : '.'))
  return new RegExp(`^${source}$`, 'su')
}

test('many stars match what one expression does', () => {
  const letters = fc.constantFrom('a', 'b', '😀', '*', '?', '*a*')
  const name = fc
    .array(fc.constantFrom('a', 'b', '😀', '\n'), { maxLength: 8 })
    .map((parts) => parts.join(''))
  fc.assert(
    fc.property(fc.array(letters, { maxLength: 8 }), fc.array(name, { maxLength: 8 }), (parts, names) => {
      const pattern = parts.join('')
      const [glob, expression] = [compileGlob(pattern), byExpression(pattern)]
      for (const one of names) expect([one, glob.test(one)]).toEqual([one, expression.test(one)])
    }),
    { numRuns: 2000 },
  )
})

test('takes no time that grows with powers of the length', { timeout: 5000 }, () => {
  const name = 'a'.repeat(255)
  expect(compileGlob(`${'*a'.repeat(60)}*b`).test(name)).toBe(false)
  expect(compileGlob(`${'*a'.repeat(60)}*`).test(name)).toBe(true)
  expect(compileGlob(`${'*'.repeat(200)}b`).test(name)).toBe(false)
})

test('sets, escapes and case count between many stars too', () => {
  const glob = compileGlob('*[a-c]*\\**[!x]*Z', true)
  expect(glob.test('1B2*3y4z')).toBe(true)
  expect(glob.test('1d2*3y4z')).toBe(false)
  expect(() => compileGlob('*[z-a]*b*c*')).toThrow(expect.objectContaining({ code: 'USAGE' }))
})
