import type { RawName } from '../encoding/index.ts'
import {
  cacheDirectoryMarker,
  createExcluder,
  type FileStatus,
  hasMarker,
  type Marker,
} from '../filesystem/index.ts'
import { costsOneFile } from './failure.ts'
import type { ScanRules } from './scan-task.ts'

/** Hears of what is left out. */
interface LeftOutListener {
  ownPlace(path: RawName): void
  excluded(path: RawName, sizeBytes: number): void
}

/** Decides what of the sources is left out, and tells of it. */
export interface LeftOut {
  /** By device and inode. */
  isOwnPlace(path: RawName, status: FileStatus): boolean
  /** By a rule, for being too large, or as an own place. */
  isLeftOut(path: RawName, status: FileStatus): boolean
  /** True for a folder whose content is left out because of a file in it. */
  isMarked(folder: RawName): boolean
}

export function createLeftOut(
  { excludes, ownPlaces, sources }: Pick<ScanRules, 'excludes' | 'ownPlaces' | 'sources'>,
  listener: LeftOutListener,
): LeftOut {
  const excluder = createExcluder(excludes, sources)
  const markers = [...(excludes.ifPresent ?? []), ...(excludes.caches ? [cacheDirectoryMarker] : [])]
  const { largerThanBytes } = excludes
  const isOwnPlace = (path: RawName, status: FileStatus): boolean => {
    for (const { device, inode } of ownPlaces) {
      if (inode !== status.inode || device !== status.device) continue
      listener.ownPlace(path)
      return true
    }
    return false
  }
  return {
    isOwnPlace,
    isLeftOut(path, status) {
      if (isOwnPlace(path, status)) return true
      const isTooLarge =
        status.type === 'file' && largerThanBytes !== undefined && status.sizeBytes > largerThanBytes
      if (!isTooLarge && !excluder(path, status.type === 'directory')) return false
      listener.excluded(path, Number(status.sizeBytes))
      return true
    },
    isMarked(folder) {
      const isExcluded = markers.some((marker) => isThere(folder, marker))
      if (isExcluded) listener.excluded(folder, 0)
      return isExcluded
    },
  }
}

/** A marker that cannot be looked for, say because its path is too long, counts as absent: the folder is kept. */
function isThere(folder: RawName, marker: Marker): boolean {
  try {
    return hasMarker(folder, marker)
  } catch (error) {
    if (!costsOneFile(error)) throw error
    return false
  }
}
