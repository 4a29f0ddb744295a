import { compareNames, joinName, nameBytes, type RawName } from '../encoding/index.ts'
import { splitPath } from '../tree/index.ts'

/** The folders that lead to what is backed up: a place is wanted whole, or only for what is below it. */
export interface SourcePlace {
  readonly path: RawName
  /** The last component; the root has none. */
  readonly name: RawName | undefined
  /** True for a path that was asked for. */
  readonly isWanted: boolean
  /** In byte order; empty when wanted. */
  readonly below: readonly SourcePlace[]
}

interface GrowingPlace {
  readonly path: RawName
  readonly name: RawName | undefined
  isWanted: boolean
  /** By the bytes of the name, as text of one unit each. */
  readonly below: Map<string, GrowingPlace>
}

/**
 * Arrange absolute paths as the tree they form. A path below another one that is wanted adds nothing.
 *
 * @param paths absolute and without `.` and `..`
 */
export function arrangeSources(paths: readonly RawName[]): SourcePlace {
  const root: GrowingPlace = { path: '/', name: undefined, isWanted: false, below: new Map() }
  for (const path of paths) {
    let at = root
    for (const part of splitPath(path)) {
      if (at.isWanted) break
      const key = nameBytes(part).toString('latin1')
      const next = at.below.get(key) ?? {
        path: joinName(at.path, part),
        name: part,
        isWanted: false,
        below: new Map(),
      }
      at.below.set(key, next)
      at = next
    }
    at.isWanted = true
    at.below.clear()
  }
  return inOrder(root)
}

function inOrder(place: GrowingPlace): SourcePlace {
  const below = [...place.below.values()].map(inOrder)
  return { ...place, below: below.sort((left, right) => compareNames(left.name!, right.name!)) }
}

/** Make a path absolute, `.` and `..` resolved by name alone. */
export function absolutePath(path: RawName, workingDirectory: string): RawName {
  const isAbsolute = nameBytes(path)[0] === 0x2f
  const parts: RawName[] = isAbsolute ? [] : splitPath(workingDirectory)
  for (const part of splitPath(path)) {
    if (part === '..') parts.pop()
    else parts.push(part)
  }
  return parts.reduce((base: RawName, part) => joinName(base, part), '/')
}
