import { readdirSync } from 'node:fs'
import { systemCode } from '../errors/index.ts'
import { compareNames, compileGlob, joinName, nameBytes, nameFromBytes, type RawName } from '../index.ts'

const SPECIAL = /[*?[\\]/

/**
 * The paths that a shell pattern matches: `*`, `?` and `[…]` within one name, `\` takes a character as it is. A
 * name that starts with a dot is matched by a pattern that starts with one. Without special characters the pattern
 * is the path, there or not.
 *
 * @returns in order of names
 */
export function expandPattern(pattern: string): RawName[] {
  if (!SPECIAL.test(pattern)) return [pattern]
  let found: RawName[] = [pattern.startsWith('/') ? '/' : '']
  for (const part of pattern.split('/').filter((one) => one !== '')) {
    found = found.flatMap((folder) => (SPECIAL.test(part) ? match(folder, part) : [join(folder, part)]))
  }
  return found
}

function match(folder: RawName, part: string): RawName[] {
  const rule = compileGlob(part)
  let names: Buffer[]
  try {
    names = readdirSync(folder.length === 0 ? '.' : folder, { encoding: 'buffer' })
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    return []
  }
  return names
    .filter((name) => rule.test(name.toString('utf8')) && (name[0] !== 0x2e || part.startsWith('.')))
    .map((name) => nameFromBytes(name))
    .sort(compareNames)
    .map((name) => join(folder, name))
}

function join(folder: RawName, name: RawName): RawName {
  return nameBytes(folder).length === 0 ? name : joinName(folder, name)
}
