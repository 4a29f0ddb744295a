import {
  formatTimeWithOffset,
  type NamedFile,
  packPlaces,
  type Repository,
  toHex,
  type WalkEntry,
} from '../../index.ts'
import { nodeJson } from '../node-display.ts'

type Footer = Awaited<ReturnType<Repository['readPack']>>
type Block = Footer['blocks'][number]

const ID_BYTES = 32
/** An id, then the chunk's length. */
const CHUNK_ROW_BYTES = 36

export function configJson({ config }: Repository): object {
  return {
    id: toHex(config.id),
    created: formatTimeWithOffset(config.createdMs, 0),
    read_version: config.readVersion,
    write_version: config.writeVersion,
    required_features: config.requiredFeatures,
    optional_features: config.optionalFeatures,
    chunker: config.chunker,
  }
}

export function settingsJson({ settings }: Repository): object {
  return {
    counter: settings.counter,
    previous: settings.previous,
    compression_level: settings.compressionLevel,
    pack_target: settings.packTargetBytes,
  }
}

/** A pack by its own footer: where its blocks lie, and which chunks are in each. */
export function packJson(file: NamedFile & { readonly kind: 'data' | 'tree' }, footer: Footer): object {
  const places = packPlaces(file.kind, file.id, footer)
  return {
    id: file.id,
    type: file.kind,
    size: file.sizeBytes,
    session: footer.session,
    blocks: footer.blocks.map((block, at) => ({ offset: places[at]!.offsetBytes, ...blockJson(block) })),
  }
}

export interface IndexFile {
  readonly packs: readonly {
    readonly id: string
    readonly kind: string
    readonly sizeBytes: number
    readonly session: string
    readonly blocks: readonly Block[]
  }[]
  readonly condemned: readonly string[]
  readonly replaces: readonly string[]
}

export function indexFileJson({ packs, condemned, replaces }: IndexFile): object {
  return {
    supersedes: replaces,
    condemned,
    packs: packs.map(({ id, kind, sizeBytes, session, blocks }) => ({
      id,
      type: kind,
      size: sizeBytes,
      session,
      blocks: blocks.map(blockJson),
    })),
  }
}

function blockJson(block: Block): object {
  return {
    length: block.storedBytes,
    payload_length: block.payloadBytes,
    uncompressed_length: block.plainBytes,
    method: block.method,
    blobs: chunksOf(block),
  }
}

function chunksOf({ chunks }: Block): { id: string; length: number }[] {
  const view = new DataView(chunks.buffer, chunks.byteOffset, chunks.length)
  return Array.from({ length: chunks.length / CHUNK_ROW_BYTES }, (_, row) => {
    const at = row * CHUNK_ROW_BYTES
    return { id: toHex(chunks.subarray(at, at + ID_BYTES)), length: view.getUint32(at + ID_BYTES, true) }
  })
}

/** A node as `ls` shows it, with the ids of what is below or in it. */
export function treeNodeJson(entry: WalkEntry): object {
  const { node } = entry
  const { message_type: _, struct_type: __, ...fields } = nodeJson(entry)
  if (node.type === 'directory') return { ...fields, subtree: toHex(node.tree) }
  if (node.type !== 'file') return fields
  const { depth, ids } = node.content
  const count = ids.length / ID_BYTES
  const content = Array.from({ length: count }, (___, at) =>
    toHex(ids.subarray(at * ID_BYTES, (at + 1) * ID_BYTES)),
  )
  return { ...fields, content_depth: depth, content }
}
