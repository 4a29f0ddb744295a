import { HoldfastError } from '../errors/index.ts'
import { compileGlob, type Glob } from './glob.ts'

/**
 * How far patterns have come on the way to a folder. Two folders with the same state have the same matches below
 * them when their trees are the same.
 */
export interface PatternState {
  /** Its own number, from 0. */
  readonly number: number
  /** For each pattern a bit for each part that may match the next name. */
  readonly masks: readonly number[]
}

/** Several patterns, followed down a path name by name. */
export interface PatternMatcher {
  /** In the root folder. */
  readonly root: PatternState
  /** True when what has this name in a folder of this state matches one of the patterns. */
  matches(state: PatternState, name: string): boolean
  /** The state in the folder of this name; undefined when nothing below it can match. */
  enter(state: PatternState, name: string): PatternState | undefined
}

/** `**`: any folders, also none. */
const ANY = 'any'
type Part = Glob | typeof ANY

interface Pattern {
  readonly parts: readonly Part[]
  /** It starts at the root, not in any folder. */
  readonly isAnchored: boolean
}

/** Parts are bits of a number. */
const MAXIMUM_PARTS = 30

/**
 * A pattern without `/` is matched against names; one with `/` against the last parts of a path, or with `/` at its
 * start against the whole path. `*`, `?` and `[…]` stay within one name, `**` stands for any folders. A byte that is
 * not UTF-8 counts as one character, U+FFFD.
 *
 * @throws HoldfastError USAGE for a pattern that can match nothing
 */
export function compilePatterns(texts: readonly string[], ignoresCase: boolean): PatternMatcher {
  const patterns = texts.map((text) => parse(text, ignoresCase))
  const states = new Map<string, PatternState>()
  const intern = (masks: readonly number[]): PatternState => {
    const key = masks.join()
    const known = states.get(key)
    if (known !== undefined) return known
    const state = { number: states.size, masks }
    states.set(key, state)
    return state
  }
  const root = intern(patterns.map(({ parts }) => close(parts, 1)))
  // Names alone: every folder is like the root.
  const isSameEverywhere = patterns.every(({ parts, isAnchored }) => parts.length === 1 && !isAnchored)
  return {
    root,
    matches: (state, name) => patterns.some(({ parts }, at) => matchesLast(parts, state.masks[at]!, name)),
    enter(state, name) {
      if (isSameEverywhere) return root
      const masks = patterns.map((pattern, at) => step(pattern, state.masks[at]!, name))
      return masks.every((mask) => mask === 0) ? undefined : intern(masks)
    },
  }
}

function parse(text: string, ignoresCase: boolean): Pattern {
  // A byte that is no UTF-8 has come as half a surrogate pair, which becomes U+FFFD.
  const parts = Buffer.from(text)
    .toString()
    .split('/')
    .filter((part) => part !== '' && part !== '.')
  if (parts.length === 0 || parts.length > MAXIMUM_PARTS) {
    throw new HoldfastError('USAGE', `the pattern ${JSON.stringify(text)} can match nothing`, {
      hint: 'write a name or a path, such as *.txt, notes/*.md or /home/*/.profile',
    })
  }
  return {
    parts: parts.map((part) => (part === '**' ? ANY : compileGlob(part, ignoresCase))),
    isAnchored: text.startsWith('/'),
  }
}

function matchesLast(parts: readonly Part[], mask: number, name: string): boolean {
  const last = parts.length - 1
  if ((mask & (1 << last)) === 0) return false
  const part = parts[last]!
  return part === ANY || part.test(name)
}

/** What may match below a folder of this name. */
function step({ parts, isAnchored }: Pattern, mask: number, name: string): number {
  let next = isAnchored ? 0 : 1
  for (let at = 0; at < parts.length; at++) {
    if ((mask & (1 << at)) === 0) continue
    const part = parts[at]!
    if (part === ANY) next |= 1 << at
    else if (at + 1 < parts.length && part.test(name)) next |= 1 << (at + 1)
  }
  return close(parts, next)
}

/** `**` also stands for no folder. */
function close(parts: readonly Part[], mask: number): number {
  let closed = mask
  for (let at = 0; at + 1 < parts.length; at++) {
    if (parts[at] === ANY && (closed & (1 << at)) !== 0) closed |= 1 << (at + 1)
  }
  return closed
}
