import { copyBytes, type EntryCursor } from './entries.ts'
import { type Environment, headForWriting, putHead } from './environment.ts'
import { CHECK_BYTES, CHUNK_NUMBER_BYTES, HOME_BYTES, isSound, isWellFormed, seal } from './rows.ts'

const MAXIMUM_CHUNK_NUMBERS = 0xffff_ffff

/**
 * Write the rows of entries that come by id, those of one id together: homes are added to a row that is there,
 * a chunk without a row gets the next number. Inside `write` only.
 *
 * Homes of packs that are not listed stay: a load of another process may be about to list them.
 *
 * @param limit entries taken at most
 * @returns true when there may be more
 */
export function writeChunks(environment: Environment, entries: EntryCursor, limit: number): boolean {
  const head = headForWriting(environment)
  const rows = createRowWriter(environment, head.chunkNumbers)
  let more = true
  for (let taken = 0; taken < limit; taken++) {
    more = entries.next()
    if (!more) break
    rows.add(entries.bytes, entries.at)
  }
  rows.flush()
  if (rows.nextNumber !== head.chunkNumbers) putHead(environment, { ...head, chunkNumbers: rows.nextNumber })
  return more
}

interface RowWriter {
  readonly nextNumber: number
  /** Add the entry at `at`. */
  add(bytes: Uint8Array, at: number): void
  /** Write the row that is being put together. */
  flush(): void
}

function createRowWriter(environment: Environment, firstNumber: number): RowWriter {
  const table = environment.tables.chunks
  const id = Buffer.alloc(32)
  let nextNumber = firstNumber
  let value = Buffer.allocUnsafeSlow(4096)
  /** Bytes of `value` in use, without the check; 0 when no row is being put together. */
  let used = 0
  /** The part of `value` that was written last: most rows have one length. */
  let row: Buffer | undefined
  let changed = false
  let append: boolean | undefined

  const start = (bytes: Uint8Array, from: number) => {
    copyBytes(bytes, from, id, 0, 32)
    append ??= isAboveAll(environment, id)
    const found = append ? undefined : table.getBinaryFast(id)
    if (found && isSound(environment.check, 'chunks', id, found) && isWellFormed('chunks', id, found)) {
      used = found.length - CHECK_BYTES
      reserve(used)
      value.set(found.subarray(0, used), 0)
      return
    }
    if (nextNumber > MAXIMUM_CHUNK_NUMBERS) throw new Error('the local index has no chunk numbers left')
    value.writeUInt32LE(nextNumber++, 0)
    used = CHUNK_NUMBER_BYTES
  }
  const reserve = (bytes: number) => {
    if (bytes + HOME_BYTES + CHECK_BYTES <= value.length) return
    const larger = Buffer.allocUnsafeSlow(2 * (bytes + HOME_BYTES + CHECK_BYTES))
    larger.set(value, 0)
    value = larger
    row = undefined
  }
  const addHome = (bytes: Uint8Array, from: number) => {
    for (let at = CHUNK_NUMBER_BYTES; at < used; at += HOME_BYTES) {
      if (value.compare(bytes, from, from + HOME_BYTES, at, at + HOME_BYTES) === 0) return
    }
    reserve(used)
    copyBytes(bytes, from, value, used, HOME_BYTES)
    used += HOME_BYTES
    changed = true
  }
  const flush = () => {
    if (changed) {
      const rowBytes = used + CHECK_BYTES
      if (row?.length !== rowBytes) row = value.subarray(0, rowBytes)
      table.putSync(id, seal(environment.check, 'chunks', id, row), { append: append === true })
    }
    used = 0
    changed = false
  }
  return {
    get nextNumber() {
      return nextNumber
    },
    add(bytes, at) {
      if (used === 0 || !hasIdAt(id, bytes, at)) {
        flush()
        start(bytes, at)
      }
      addHome(bytes, at + 32)
    },
    flush,
  }
}

/** Appending fills pages to the brim and needs no look-ups: a rebuild is one long append. */
function isAboveAll(environment: Environment, id: Buffer): boolean {
  for (const last of environment.tables.chunks.getKeys({ reverse: true, limit: 1 })) {
    return Buffer.compare(last, id) < 0
  }
  return true
}

/** Neighbours in order of id differ in their last bytes, so these tell most of them apart. */
function hasIdAt(id: Buffer, bytes: Uint8Array, at: number): boolean {
  if (id[31] !== bytes[at + 31] || id[30] !== bytes[at + 30]) return false
  return id.compare(bytes, at, at + 32) === 0
}
