import { HoldfastError } from '../errors/index.ts'

/**
 * The rule of a shell pattern for one name: `*`, `?`, `[a-z]` and `[!a-z]`; `\` takes a character as it is.
 *
 * @throws HoldfastError USAGE for a set that is none, such as `[z-a]`
 */
export function compileGlob(pattern: string, ignoresCase: boolean = false): RegExp {
  const source = pattern.replace(/\\(.)|\[(!?)((?:\\.|[^\]\\])+)\]|[\s\S]/gu, (whole, escaped, not, set) => {
    if (escaped !== undefined) return quote(escaped)
    if (set !== undefined) return `[${not === '!' ? '^' : ''}${set.replace(/[[^]/g, '\\$&')}]`
    if (whole === '*') return '.*'
    return whole === '?' ? '.' : quote(whole)
  })
  try {
    return new RegExp(`^${source}$`, ignoresCase ? 'isu' : 'su')
  } catch (cause) {
    throw new HoldfastError('USAGE', `cannot read the pattern ${JSON.stringify(pattern)}`, {
      hint: 'write names with *, ? and [a-z]; \\ takes the next character as it is',
      cause,
    })
  }
}

function quote(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}
