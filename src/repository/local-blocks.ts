import { closeSync, constants, openSync } from 'node:fs'
import { join } from 'node:path'
import type { FileId } from '../encoding/index.ts'
import { systemCode } from '../errors/index.ts'
import { fillFrom } from '../filesystem/index.ts'
import type { BlockPlace } from '../index/index.ts'
import { fileName, type PackKind } from './layout.ts'
import { type SealedBlock, type SealedBlocks, sealedBlock } from './sealed-blocks.ts'
import { alone, type Stretch, stretchesOf } from './stretches.ts'

/** Reads blocks in a thread, from a repository that is a folder on this machine. */
export interface LocalBlocks {
  /**
   * Read blocks of one pack, given in order of offset, neighbours in one call. A block that cannot be read has no
   * stretch. What was read is good until the next call.
   */
  read(places: readonly BlockPlace[]): SealedBlocks
}

/** More is given back when it is not needed any more. */
const KEPT_BYTES = 4 * 1024 * 1024

/** @param folder the repository's own */
export function createLocalBlocks(folder: string): LocalBlocks {
  let memory = Buffer.alloc(0)

  const roomFor = (neededBytes: number): Buffer => {
    if (memory.length < neededBytes || memory.length > Math.max(neededBytes, KEPT_BYTES)) {
      memory = Buffer.allocUnsafeSlow(Math.max(neededBytes, KEPT_BYTES))
    }
    return memory
  }

  return {
    read(places) {
      const { kind, pack, salt } = places[0]!
      const fd = tryToOpen(folder, kind, pack)
      if (fd === undefined) {
        const blocks = places.map((place) => sealedBlock(place, -1, 0))
        return { kind, pack, salt, blocks, stretches: [] }
      }
      const blocks: SealedBlock[] = []
      const stretches: Buffer[] = []
      const read = (stretch: Stretch, room: Buffer): void => {
        const { group, offsetBytes } = stretch
        const filledBytes = fillAsFarAsPossible(fd, room, offsetBytes)
        if (filledBytes < room.length && group.length > 1) {
          // One bad sector costs one block.
          for (const place of group) {
            const at = place.offsetBytes - offsetBytes
            read(alone(place), room.subarray(at, at + place.storedBytes))
          }
          return
        }
        const at = filledBytes < room.length ? -1 : stretches.push(room) - 1
        for (const place of group) blocks.push(sealedBlock(place, at, offsetBytes))
      }
      try {
        const wanted = [...stretchesOf(places)]
        const room = roomFor(wanted.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0))
        let at = 0
        for (const stretch of wanted) {
          read(stretch, room.subarray(at, at + stretch.lengthBytes))
          at += stretch.lengthBytes
        }
        return { kind, pack, salt, blocks, stretches }
      } finally {
        closeSync(fd)
      }
    },
  }
}

/** Open a pack of a repository in this folder; the caller closes it. Throws the system's errors. */
export function openLocalPack(folder: string, kind: PackKind, pack: FileId): number {
  // Without O_NONBLOCK a named pipe in the file's place would hold the thread for ever.
  return openSync(join(folder, fileName(kind, pack)), constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
}

/** Undefined where the system refuses. */
function tryToOpen(folder: string, kind: PackKind, pack: FileId): number | undefined {
  try {
    return openLocalPack(folder, kind, pack)
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    return undefined
  }
}

/** @returns bytes read; 0 where the system refuses */
function fillAsFarAsPossible(fd: number, room: Buffer, offsetBytes: number): number {
  try {
    return fillFrom(fd, room, offsetBytes)
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    return 0
  }
}
