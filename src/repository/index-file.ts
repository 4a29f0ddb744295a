import { KEY_BYTES } from '../crypto/index.ts'
import { Fields, type FileId, fromHex, parseSessionId, toHex, type Value } from '../encoding/index.ts'
import { HoldfastError } from '../errors/index.ts'
import type { IndexFacts, PackFacts } from '../index/index.ts'
import { blockValue, MAXIMUM_PACK_BLOCKS, MAXIMUM_PACK_BYTES, parseBlock } from '../pack/index.ts'

const MAXIMUM_PACKS = 1 << 20
const MAXIMUM_IDS = 1 << 22

/** The stored form of facts: packs, condemned packs, index files this one takes the place of. */
export function indexFileValue(facts: IndexFacts): Value {
  return [facts.packs.map(packValue), joinIds(facts.condemned), joinIds(facts.replaces)]
}

/** @throws HoldfastError DAMAGED */
export function parseIndexFile(value: Value): IndexFacts {
  const fields = new Fields(value, 'index file', 3)
  return {
    packs: fields.array(0, MAXIMUM_PACKS).map(parsePack),
    condemned: splitFileIds(fields.bytes(1, MAXIMUM_IDS * 32)),
    replaces: splitFileIds(fields.bytes(2, MAXIMUM_IDS * 32)),
  }
}

function packValue(pack: PackFacts): Value {
  return [
    fromHex(pack.id),
    pack.kind === 'tree',
    pack.sizeBytes,
    fromHex(pack.session),
    pack.salt,
    pack.blocks.map(blockValue),
  ]
}

function parsePack(value: Value): PackFacts {
  const fields = new Fields(value, 'pack in an index file', 6)
  const session = parseSessionId(toHex(fields.exactBytes(3, 16)))
  if (session === undefined) throw new HoldfastError('DAMAGED', 'a pack names no session')
  return {
    id: toHex(fields.exactBytes(0, 32)) as FileId,
    kind: fields.boolean(1) ? 'tree' : 'data',
    sizeBytes: fields.uint(2, MAXIMUM_PACK_BYTES),
    session,
    salt: new Uint8Array(fields.exactBytes(4, KEY_BYTES)),
    blocks: fields.array(5, MAXIMUM_PACK_BLOCKS).map(parseBlock),
  }
}

/** File ids end to end, 32 bytes each. */
export function joinIds(ids: readonly FileId[]): Buffer {
  return Buffer.concat(ids.map(fromHex))
}

/** @throws HoldfastError DAMAGED when the length is no multiple of 32 */
export function splitFileIds(bytes: Uint8Array): FileId[] {
  if (bytes.length % 32 !== 0) throw new HoldfastError('DAMAGED', 'a list of file ids is cut')
  const ids: FileId[] = []
  for (let at = 0; at < bytes.length; at += 32) ids.push(toHex(bytes.subarray(at, at + 32)) as FileId)
  return ids
}
