import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createKeyFile, formatKeyText, readKeyFile } from '../../../src/library/index.ts'

function tempDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-library-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

const anyKey = fc.uint8Array({ minLength: 32, maxLength: 32 })
const wrongKey = expect.objectContaining({ code: 'WRONG_KEY' })

describe('createKeyFile()', () => {
  test('makes 32 random bytes that only the owner reads, and gives them back', () => {
    const path = join(tempDirectory(), 'new/folder/default.key')
    const made = createKeyFile(path)
    expect(readKeyFile(path)).toEqual(made)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700)
    expect(readFileSync(path)).toHaveLength(32)
    expect(createKeyFile(`${path}2`)).not.toEqual(made)
  })

  test('never overwrites, also not through a dangling link', () => {
    const folder = tempDirectory()
    const path = join(folder, 'key')
    const made = createKeyFile(path)
    expect(() => createKeyFile(path)).toThrow(expect.objectContaining({ code: 'ALREADY_EXISTS' }))
    expect(readKeyFile(path)).toEqual(made)
    symlinkSync('nowhere', join(folder, 'link'))
    expect(() => createKeyFile(join(folder, 'link'))).toThrow(
      expect.objectContaining({ code: 'ALREADY_EXISTS' }),
    )
  })

  test('says where it cannot write', () => {
    const path = join(tempDirectory(), 'file')
    writeFileSync(path, '')
    expect(() => createKeyFile(join(path, 'key'))).toThrow(expect.objectContaining({ code: 'IO' }))
  })
})

describe('readKeyFile()', () => {
  test('reads the text form, however it was typed', () => {
    const path = join(tempDirectory(), 'sheet')
    fc.assert(
      fc.property(anyKey, fc.boolean(), fc.constantFrom('\n', '\r\n', ' ', '\t '), (key, isUpper, space) => {
        const text = formatKeyText(key)
        const [title, ...lines] = text.trimEnd().split('\n')
        const digits = lines.join(' ').split(' ')
        const typed = `${title}${space}${digits.join(space)}${space}`
        const forms = [text, isUpper ? typed.toUpperCase() : typed, digits.join(''), `\n${text}\n\n`]
        for (const form of forms) {
          writeFileSync(path, form)
          expect(Buffer.from((readKeyFile(path) as { bytes: Uint8Array }).bytes)).toEqual(Buffer.from(key))
        }
      }),
      { numRuns: 20 },
    )
  })

  test('refuses any one wrong, missing, doubled or swapped digit', () => {
    const path = join(tempDirectory(), 'sheet')
    const refuse = (text: string): void => {
      writeFileSync(path, text)
      expect(() => readKeyFile(path)).toThrow(wrongKey)
    }
    fc.assert(
      fc.property(anyKey, fc.nat(71), fc.integer({ min: 1, max: 15 }), (key, at, change) => {
        const digits = formatKeyText(key).replace('HOLDFAST KEY', '').replace(/\s/g, '')
        expect(digits).toHaveLength(72)
        const other = ((Number.parseInt(digits[at]!, 16) + change) % 16).toString(16)
        refuse(digits.slice(0, at) + other + digits.slice(at + 1))
        refuse(digits.slice(0, at) + digits.slice(at + 1))
        refuse(digits.slice(0, at) + digits[at]! + digits.slice(at))
        const next = at + 1
        if (next < 72 && digits[at] !== digits[next])
          refuse(digits.slice(0, at) + digits[next]! + digits[at]! + digits.slice(next + 1))
      }),
      { numRuns: 30 },
    )
  })

  test.each([
    '',
    'HOLDFAST KEY',
    'x'.repeat(72),
    'x'.repeat(31),
    'x'.repeat(33),
    `${'0'.repeat(64)}zzzzzzzz`,
  ])('refuses %j', (text) => {
    const path = join(tempDirectory(), 'key')
    writeFileSync(path, text)
    expect(() => readKeyFile(path)).toThrow(wrongKey)
  })

  test('says when there is nothing to read', () => {
    expect(() => readKeyFile(join(tempDirectory(), 'none'))).toThrow(
      expect.objectContaining({ code: 'IO', message: expect.stringContaining('ENOENT') }),
    )
  })
})
