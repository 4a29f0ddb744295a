import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { type ChunkId, displayName, nameFromBytes, type RawName } from '../../src/encoding/index.ts'
import type { Repository } from '../../src/repository/index.ts'
import { contentOf, nodesOf } from '../unit/backup/scene.ts'
import { describeFile } from './source-trees.ts'

/** What a snapshot holds below a folder, every chunk read, as `describeFolder` says it. */
export async function describeSnapshot(
  repository: Repository,
  tree: ChunkId,
  folder: RawName,
): Promise<string[]> {
  const lines: string[] = []
  for (const [path, node] of await nodesOf(repository, tree, folder)) {
    const at = path.slice(1)
    if (node.type === 'file') lines.push(describeFile(at, await contentOf(repository, node)))
    else if (node.type === 'symlink') lines.push(`${at} -> ${Buffer.from(node.target)}`)
    else lines.push(`${at}/`)
  }
  return lines.sort()
}

/** What a directory holds, as `describeFolder` says it. */
export function describeDirectory(directory: string): string[] {
  const lines: string[] = []
  const visit = (folder: Buffer, path: string): void => {
    for (const name of readdirSync(folder, { encoding: 'buffer' })) {
      const full = Buffer.concat([folder, Buffer.from('/'), name])
      const at = join(path, displayName(nameFromBytes(name)))
      const status = lstatSync(full)
      if (status.isSymbolicLink()) lines.push(`${at} -> ${readlinkSync(full)}`)
      else if (status.isDirectory()) {
        lines.push(`${at}/`)
        visit(full, at)
      } else lines.push(describeFile(at, readFileSync(full)))
    }
  }
  visit(Buffer.from(directory), '')
  return lines.sort()
}
