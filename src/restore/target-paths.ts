import { joinName, type RawName } from '../encoding/index.ts'
import type { HeldDirectory } from '../filesystem/index.ts'
import { splitPath } from '../tree/index.ts'
import type { Entry } from './entry.ts'
import type { TargetDirectory } from './target-directory.ts'

/** Where an entry goes, from the target on. */
export function pathBelowTarget({ directory, node }: Entry): RawName {
  const names: RawName[] = [node.name]
  for (let at: TargetDirectory = directory; at.parent !== undefined; at = at.parent) names.push(at.node!.name)
  return names.reduceRight((path: RawName, name) => joinName(path, name), '/')
}

/**
 * Call `use` with a function that gives the system's path of a node below a folder. The folders that lead there are
 * entered one by one, no link is followed; they are let go afterwards. Throws the system's errors.
 */
export function withNodeBelow<Result>(
  top: HeldDirectory,
  path: RawName,
  use: (systemPath: () => RawName) => Result,
): Result {
  const names = splitPath(path)
  const name = names.pop()!
  const entered: HeldDirectory[] = []
  let folder = top
  try {
    for (const part of names) {
      folder = folder.enter(part)
      entered.push(folder)
    }
    return use(() => folder.pathOf(name))
  } finally {
    for (const one of entered) one.close()
  }
}
