import { hashBytes } from '../../../src/crypto/index.ts'
import { type ChunkId, chunkId, decodeValue, toHex } from '../../../src/encoding/index.ts'
import {
  createDirectoryWriter,
  type Node,
  readDirectory,
  type TreeSink,
  type TreeSource,
} from '../../../src/tree/index.ts'

/** Tree chunks in memory, by the hash of their bytes. */
export interface MemoryTrees extends TreeSink, TreeSource {
  readonly chunks: Map<string, Uint8Array>
  /** How many chunks were read so far. */
  readonly reads: () => number
}

export function createMemoryTrees(): MemoryTrees {
  const chunks = new Map<string, Uint8Array>()
  let reads = 0
  return {
    chunks,
    reads: () => reads,
    saveTree(bytes) {
      const id = chunkId(hashBytes(bytes))
      chunks.set(toHex(id), Uint8Array.from(bytes))
      return id
    },
    async readTree(id) {
      reads++
      const bytes = chunks.get(toHex(id))
      if (bytes === undefined) throw new Error(`no tree chunk ${toHex(id)}`)
      return bytes
    },
  }
}

export function writeDirectory(trees: TreeSink, nodes: Iterable<Node>): ChunkId {
  const writer = createDirectoryWriter(trees)
  for (const node of nodes) writer.add(node)
  return writer.finish()
}

export async function readNodes(trees: TreeSource, tree: ChunkId): Promise<Node[]> {
  const nodes: Node[] = []
  for await (const page of readDirectory(trees, tree)) nodes.push(...page.nodes)
  return nodes
}

/** The level a stored page says it has, and how many entries are in it. */
export function pageShape(bytes: Uint8Array): { readonly level: number; readonly entries: number } {
  const [level, body] = decodeValue(bytes) as [number, readonly unknown[] | Uint8Array]
  return { level, entries: body instanceof Uint8Array ? body.length / 32 : body.length }
}
