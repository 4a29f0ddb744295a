import type { RawName } from '../encoding/index.ts'
import { joinName } from '../encoding/index.ts'
import { makePrivateDirectory } from './create.ts'
import type { HeldDirectory } from './held-directory.ts'
import { checkName } from './names.ts'
import { systemError } from './native.ts'
import { readStatus } from './status.ts'

/** Hold a folder by its path: the way of platforms where a folder cannot be addressed by descriptor. */
export function holdByPath(path: RawName): HeldDirectory {
  return pathDirectory(path, joinName(path, '.'))
}

/** `checked`: the path whose node, symbolic links not followed, has to be a folder. */
function pathDirectory(path: RawName, checked: RawName): HeldDirectory {
  if (readStatus(checked).type !== 'directory') throw systemError('ENOTDIR', 'open', path)
  const pathOf = (name: RawName): RawName => {
    checkName(name)
    return joinName(path, name)
  }
  const enter = (name: RawName): HeldDirectory => pathDirectory(pathOf(name), pathOf(name))
  return {
    displayPath: path,
    path: () => path,
    pathOf,
    enter,
    makeDirectory: (name) => {
      makePrivateDirectory(pathOf(name))
      return enter(name)
    },
    pin: () => ({ fd: undefined, path }),
    unpin: () => {},
    close: () => {},
  }
}
