import { createRequire } from 'node:module'
import type { RawName } from '../encoding/index.ts'
import { HoldfastError } from '../errors/index.ts'

/** True when the node at this absolute path is left out. */
export type Excluder = (absolutePath: RawName, isDirectory: boolean) => boolean

export interface ExcludePatterns {
  /** Patterns in their order: a later one overrules an earlier one. */
  readonly patterns?: readonly string[]
  /** The same, without regard to upper and lower case. */
  readonly insensitivePatterns?: readonly string[]
}

/** The library keeps each answer; past this many its memory is dropped, so that a long walk stays flat. */
const MAX_KEPT = 10_000

/**
 * The rules are those of gitignore: `*`, `?`, `[a-z]` within a name, `**` across folders, `/` at the end for
 * folders only, `!` to take back, and nothing below a folder left out can be taken back. They differ from git's
 * in this:
 *
 * - `/` at the start means the root of the file system, not the folder of a .gitignore.
 * - A pattern with `/` in the middle and none at the start matches at any depth, as in restic.
 * - A pattern is one pattern: `#` at its start is no comment.
 * - Case counts, also where git is told otherwise; characters count where git counts bytes.
 * - A byte that is not UTF-8 counts as one character, which `?` and `*` match.
 *
 * The two lists stand alone: a node is left out when either says so. Throws USAGE for a pattern that can match
 * nothing.
 *
 * @param sources absolute: a pattern that matches a folder on the way to one of them, and not the one itself, does not mean it
 */
export function createExcluder(excludes: ExcludePatterns, sources: readonly RawName[] = []): Excluder {
  const above = sources.flatMap(foldersAbove)
  const sensitive = createMatcher(excludes.patterns ?? [], above, false)
  const insensitive = createMatcher(excludes.insensitivePatterns ?? [], above, true)
  if (sensitive === undefined && insensitive === undefined) return () => false
  return (absolutePath, isDirectory) => {
    const text = typeof absolutePath === 'string' ? absolutePath : absolutePath.toString('utf8')
    if (text.length <= 1) return false
    const path = isDirectory ? `${text.slice(1)}/` : text.slice(1)
    return (sensitive?.(path) ?? false) || (insensitive?.(path) ?? false)
  }
}

function createMatcher(
  patterns: readonly string[],
  above: readonly string[],
  ignorecase: boolean,
): ((path: string) => boolean) | undefined {
  if (patterns.length === 0) return undefined
  // Here and not above: loading it takes 10 ms, which most commands can do without.
  const ignore: typeof import('ignore') = createRequire(import.meta.url)('ignore')
  const options = { ignorecase, allowRelativePaths: true }
  const kept = above.map((path) => ({ pattern: `!${path.replace(/[\\*?[\]! ]/g, '\\$&')}/` }))
  const rules = ignore(options).add([...patterns.map((pattern) => ({ pattern: toRule(pattern) })), ...kept])
  let matcher = ignore(options).add(rules)
  let asked = 0
  return (path) => {
    if (++asked % MAX_KEPT === 0) matcher = ignore(options).add(rules)
    return matcher.ignores(path)
  }
}

/** `/a` and `/a/b` for `/a/b/c`. */
function foldersAbove(path: RawName): string[] {
  const parts = path.toString().split('/').slice(1, -1)
  return parts.map((_, at) => `/${parts.slice(0, at + 1).join('/')}`)
}

function toRule(pattern: string): string {
  const negation = pattern.startsWith('!') ? '!' : ''
  const body = pattern.slice(negation.length)
  if (/^\s*$/.test(body) || /(^|[^\\])(\\\\)*\\$/.test(body)) {
    throw new HoldfastError('USAGE', `the exclude pattern "${pattern}" can match nothing`, {
      hint: 'write a pattern such as *.tmp, node_modules/ or /home/*/.cache',
    })
  }
  if (/^[^/].*\/[^/]/.test(body)) return `${negation}**/${body}`
  return body.startsWith('#') && negation === '' ? `\\${body}` : pattern
}

/** The patterns in the text of an exclude file: a line each, without blank lines and those that start with `#`. */
export function parseExcludeFile(text: string): string[] {
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/)
  return lines.filter((line) => line.trim() !== '' && !line.startsWith('#'))
}
