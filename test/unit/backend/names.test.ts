import { posix } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { temporaryOwner } from '../../../src/backend/index.ts'
import { checkRange, directoryOf, isDirectory, isName, temporaryName } from '../../../src/backend/names.ts'

describe('isName', () => {
  it.each([
    'config',
    'keys/ab',
    `data/ab/${'0'.repeat(64)}`,
    'sessions/ab.over',
    'tmp/a-0',
    'a/b/c/d',
    'index/x:y',
  ])('takes %s', (name) => {
    expect(isName(name)).toBe(true)
  })

  it('no name leaves its directory, whatever it is made of', () => {
    const part = fc.oneof(fc.constantFrom('.', '..', '', 'a', '\\', '/', 'data', '\0'), fc.string())
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
        const name = parts.join('/')
        fc.pre(isName(name))
        expect(posix.resolve('/base', name).startsWith('/base/')).toBe(true)
        expect(name.split('/').some((step) => step === '' || step === '.' || step === '..')).toBe(false)
        expect(isDirectory(directoryOf(name))).toBe(true)
      }),
    )
  })
})

describe('temporaryOwner', () => {
  it('gives back the owner of a temporary name', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[a-z0-9]{1,64}$/),
        fc.stringMatching(/^[0-9a-f]{16}$/),
        (owner, random) => {
          const name = temporaryName(owner, random)
          expect(isName(name)).toBe(true)
          expect(temporaryOwner(name)).toBe(owner)
        },
      ),
    )
  })

  it.each([
    'tmp/x',
    'tmp/a-',
    'tmp/a-0',
    'data/a-0123456789abcdef',
    'tmp/a-0123456789abcdef0',
    'tmp/A-0123456789abcdef',
  ])('is undefined for %s', (name) => {
    expect(temporaryOwner(name)).toBe(undefined)
  })
})

describe('checkRange', () => {
  it('takes ranges of whole numbers up to the bound', () => {
    expect(() => checkRange(0, 0, 10)).not.toThrow()
    expect(() => checkRange(Number.MAX_SAFE_INTEGER, 10, 10)).not.toThrow()
    expect(() => checkRange(0, 11, 10)).toThrow(/range/)
  })
})
