import { closeSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type ChunkId, type RawName, toHex } from '../encoding/index.ts'
import { checkAborted, HoldfastError } from '../errors/index.ts'
import { fillFrom, openForReading } from '../filesystem/index.ts'
import type { Repository } from '../repository/index.ts'
import { type FileNode, readContent } from '../tree/index.ts'

const READ_BYTES = 1024 * 1024

/** Compares files with their nodes, chunk by chunk, without reading data from the repository. */
export interface LiveComparer {
  /** Throws the system's errors for the file. @throws HoldfastError DAMAGED when a chunk is not in the index */
  isSame(path: RawName, node: FileNode): Promise<boolean>
}

export function createLiveComparer(repository: Repository, signal: AbortSignal | undefined): LiveComparer {
  let buffer = Buffer.alloc(0)
  const compare = async (fd: number, node: FileNode): Promise<boolean> => {
    if (buffer.length === 0) buffer = Buffer.allocUnsafe(READ_BYTES)
    let [start, end, offset] = [0, 0, 0]
    for await (const { ids } of readContent(repository, node.content)) {
      for (const id of ids) {
        const lengthBytes = lengthOf(repository, id)
        if (offset + lengthBytes > end) {
          await nextTurn()
          checkAborted(signal)
          if (lengthBytes > buffer.length) buffer = Buffer.allocUnsafe(lengthBytes)
          start = offset
          end = offset + fillFrom(fd, buffer, offset)
          if (offset + lengthBytes > end) return false
        }
        const bytes = buffer.subarray(offset - start, offset - start + lengthBytes)
        if (Buffer.compare(repository.chunkIdOf('data', bytes), id) !== 0) return false
        offset += lengthBytes
      }
    }
    return BigInt(offset) === node.sizeBytes
  }
  return {
    async isSame(path, node) {
      const fd = openForReading(path)
      try {
        return await compare(fd, node)
      } finally {
        closeSync(fd)
      }
    },
  }
}

function lengthOf(repository: Repository, id: ChunkId): number {
  const measured = repository.index.look(id)
  if (measured !== undefined) return measured.lengthBytes
  throw new HoldfastError('DAMAGED', `chunk ${toHex(id)} is in no pack that the index knows`, {
    hint: 'run holdfast repair index, then holdfast verify',
  })
}
