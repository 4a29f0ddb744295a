import { HoldfastError } from '../errors/index.ts'

/** A compiled pattern. */
export interface Glob {
  /** Whether a whole name matches. */
  test(name: string): boolean
}

/** More would let an expression take time that grows with the length of a name to this power. */
const MOST_STARS_OF_AN_EXPRESSION = 2

/**
 * The rule of a shell pattern for one name: `*`, `?`, `[a-z]` and `[!a-z]`; `\` takes a character as it is. Takes time that
 * grows with the lengths of pattern and name, whatever they are.
 *
 * @throws HoldfastError USAGE for a set that is none, such as `[z-a]`
 */
export function compileGlob(pattern: string, ignoresCase: boolean = false): Glob {
  const flags = ignoresCase ? 'isu' : 'su'
  const parts = splitAtStars(pattern)
  try {
    if (parts.length - 1 <= MOST_STARS_OF_AN_EXPRESSION) return new RegExp(`^${parts.join('.*')}$`, flags)
    return createStarMatcher(parts.map((part) => new RegExp(part, `${flags}y`)))
  } catch (cause) {
    throw new HoldfastError('USAGE', `cannot read the pattern ${JSON.stringify(pattern)}`, {
      hint: 'write names with *, ? and [a-z]; \\ takes the next character as it is',
      cause,
    })
  }
}

/** Expressions of what stands between stars: each takes a fixed number of characters. */
function splitAtStars(pattern: string): string[] {
  const parts = ['']
  for (const [whole, escaped, not, set] of pattern.matchAll(
    /\\(.)|\[(!?)((?:\\.|[^\]\\])+)\]|\*+|[\s\S]/gu,
  )) {
    if (whole.startsWith('*')) parts.push('')
    else if (escaped !== undefined) parts[parts.length - 1] += quote(escaped)
    else if (set !== undefined)
      parts[parts.length - 1] += `[${not === '!' ? '^' : ''}${set.replace(/[[^]/g, '\\$&')}]`
    else parts[parts.length - 1] += whole === '?' ? '.' : quote(whole)
  }
  return parts
}

/**
 * The first part at the beginning, the last at the end, each other one at the first place after the one before: where it is
 * found earlier, those after it have more room.
 */
function createStarMatcher(parts: readonly RegExp[]): Glob {
  const [first, last] = [parts[0]!, parts.at(-1)!]
  const between = parts.slice(1, -1)
  /** @returns where the part ends that begins here; -1 where it does not */
  const endOf = (part: RegExp, name: string, at: number): number => {
    part.lastIndex = at
    return part.test(name) ? part.lastIndex : -1
  }
  return {
    test(name) {
      let at = endOf(first, name, 0)
      for (const part of between) {
        let end = -1
        for (; at >= 0 && at <= name.length && end < 0; at = after(name, at)) end = endOf(part, name, at)
        at = end
      }
      if (at < 0) return false
      for (let from = at; from <= name.length; from = after(name, from))
        if (endOf(last, name, from) === name.length) return true
      return false
    },
  }
}

/** The place after the character at this one. */
function after(name: string, at: number): number {
  const code = name.codePointAt(at)
  return at + (code !== undefined && code > 0xffff ? 2 : 1)
}

function quote(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}
