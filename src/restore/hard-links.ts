import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nameBytes, nameFromBytes, type RawName } from '../encoding/index.ts'
import type { NodeFacts } from './entry.ts'

/** Where the first name of each file with several names was restored to. */
export interface LinkRegister {
  /** Path below the target. */
  find(key: string): RawName | undefined
  add(key: string, path: RawName): void
  close(): Promise<void>
}

interface SpilledPaths {
  get(key: string): Uint8Array | undefined
  putAll(entries: Iterable<readonly [string, RawName]>): void
  close(): Promise<void>
}

/**
 * What names of one file have in common; undefined for what has one name, and for folders. Size and time tell it
 * from another file that got the inode while the backup ran, and from itself before it was changed then.
 */
export function linkKey(node: NodeFacts): string | undefined {
  if (node.type === 'directory' || node.links < 2 || node.fileSystem === null) return undefined
  const sizeBytes = node.type === 'file' ? node.sizeBytes : 0n
  return `${node.type}:${node.fileSystem}:${node.inode}:${sizeBytes}:${node.mtimeNs}`
}

/** @param maximumEntries kept in memory; when there are as many they go to disk together */
export function createLinkRegister(maximumEntries: number): LinkRegister {
  const recent = new Map<string, RawName>()
  let spilled: SpilledPaths | undefined
  return {
    find(key) {
      const path = recent.get(key)
      if (path !== undefined || spilled === undefined) return path
      const bytes = spilled.get(key)
      return bytes === undefined ? undefined : nameFromBytes(bytes)
    },
    add(key, path) {
      recent.set(key, path)
      if (recent.size < maximumEntries) return
      spilled ??= openSpill()
      spilled.putAll(recent)
      recent.clear()
    },
    async close() {
      recent.clear()
      await spilled?.close()
      spilled = undefined
    },
  }
}

/** An LMDB that lasts no longer than the run: nothing is synced. */
function openSpill(): SpilledPaths {
  const lmdb = createRequire(import.meta.url)('lmdb') as typeof import('lmdb')
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-links-'))
  const database = lmdb.open<Buffer, string>({ path: directory, encoding: 'binary', noSync: true })
  return {
    get: (key) => database.get(key),
    putAll(entries) {
      database.transactionSync(() => {
        for (const [key, path] of entries) database.putSync(key, nameBytes(path))
      })
    },
    async close() {
      await database.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
