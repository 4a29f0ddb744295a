import { createHasher, HEADER_BYTES, saltOf } from '../crypto/index.ts'
import { toHex } from '../encoding/index.ts'
import { checkAborted, hasCode } from '../errors/index.ts'
import type { BlockPlace, PackFacts } from '../index/index.ts'
import { createPackOpener, MAXIMUM_PACK_BYTES, type PackFooter, readFooter } from '../pack/index.ts'
import { type BlockFindings, createBlockChecker } from './block-check.ts'
import { type BlockRange, blockRangeOf, RANGE_BYTES } from './block-range.ts'
import { type PackContent, packPlaces } from './block-reader.ts'
import { fileName } from './layout.ts'
import type { StoredPack } from './list.ts'
import { createRangeMemory, type RangeMemory } from './range-memory.ts'
import type { Repository } from './repository.ts'
import { problemOf } from './stored-problem.ts'

/** What reading a pack whole found. */
export interface PackFinding {
  /** What is wrong, a sentence each; empty for a sound pack. */
  readonly problems: readonly string[]
  /** Numbers of the blocks that do not give back every chunk; all, when nothing tells which blocks there are. */
  readonly badBlocks: ReadonlySet<number> | 'all'
  /** False when the storage did not give some of the bytes. */
  readonly isReadWhole: boolean
}

export interface PackCheckOptions {
  /** Checks blocks. Default: in the calling thread. */
  readonly checkBlocks?: ((range: BlockRange) => Promise<BlockFindings>) | undefined
  /** For the bytes of ranges, shared with other packs. Default: of its own. */
  readonly memory?: RangeMemory | undefined
  /** Told of stored bytes as they are read. */
  readonly onBytes?: ((bytes: number) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** Ranges of one pack whose blocks are being checked. */
const RANGES_UNDER_WAY = 2

/**
 * Read a pack whole and check everything: the hash that is its name, header, footer, the footer against what
 * the index lists, every block's tag and compression, every chunk against its id. Memory: four ranges.
 *
 * @param listed what an index file says of the pack; undefined when none lists it
 * @returns undefined when the pack is gone
 */
export async function checkPack(
  repository: Repository,
  pack: StoredPack,
  listed: PackFacts | undefined,
  options: PackCheckOptions = {},
): Promise<PackFinding | undefined> {
  const problems: string[] = []
  const badBlocks = new Set<number>()
  let content: PackContent | undefined
  let isReadWhole = true
  const checkHere = createBlockChecker(repository.subkeys)
  const { checkBlocks = async (range: BlockRange) => checkHere(range), memory = createRangeMemory() } =
    options
  const name = fileName(pack.kind, pack.id)
  const read = (offsetBytes: number, lengthBytes: number): Promise<Buffer> =>
    repository.backend.getRange(name, offsetBytes, lengthBytes, options.signal)
  /** One more problem of the file. */
  const note = (error: unknown): void => {
    if (hasCode(error, 'NO_SUCH_FILE')) throw error
    // What could not be read now may be whole.
    if (!hasCode(error, 'DAMAGED') && !hasCode(error, 'NEWER_FORMAT')) isReadWhole = false
    problems.push(problemOf(error))
  }
  const attempt = async <Result>(step: () => Promise<Result>): Promise<Result | undefined> => {
    try {
      return await step()
    } catch (error) {
      note(error)
      return undefined
    }
  }
  try {
    const own = await attempt(async () =>
      saltOf(pack.kind, await read(0, Math.min(HEADER_BYTES, pack.sizeBytes))),
    )
    if (own !== undefined && listed !== undefined && Buffer.compare(own, listed.salt) !== 0) {
      problems.push('its header has another salt than the index')
    }
    // With the salt of the index blocks open whatever the header says.
    const salt = listed?.salt ?? own
    const opener = salt && createPackOpener(pack.kind, repository.subkeys.files[pack.kind], salt)
    const footer = opener && (await attempt(async () => await readFooter(opener, pack.sizeBytes, read)))
    if (footer !== undefined && listed !== undefined && !sameContent(footer, listed)) {
      problems.push('its footer lists other blocks or chunks than the index')
    }
    content = listed ?? (footer && { salt: salt!, ...footer })
    const places = content === undefined ? [] : packPlaces(pack.kind, pack.id, content)
    const hasher = createHasher()
    // A file of another size cannot have the hash: then only its blocks are worth reading.
    const mayMatch = pack.sizeBytes === (listed?.sizeBytes ?? Math.min(pack.sizeBytes, MAXIMUM_PACK_BYTES))
    const ranges = planRanges(pack.sizeBytes, places).filter((range) => mayMatch || range.blocks.length > 0)
    const underWay: CheckedRange[] = []
    const settle = async ({ range, found }: CheckedRange): Promise<void> => {
      const findings = await found
      memory.give(range.bytes)
      for (const [at, place] of range.blocks.entries()) {
        const problem = findings[at]
        if (problem === undefined) continue
        problems.push(`block ${place.number}: ${problem}`)
        badBlocks.add(place.number)
      }
    }
    const fill = async (offsetBytes: number, lengthBytes: number): Promise<Buffer> => {
      const bytes = memory.take(lengthBytes)
      await repository.backend.fillRange(name, offsetBytes, bytes, options.signal)
      return bytes
    }
    for await (const range of readInOrder(ranges, fill)) {
      checkAborted(options.signal)
      if (range.bytes === undefined) {
        for (const one of underWay.splice(0)) await settle(one)
        note(range.error)
        isReadWhole = false
        for (const place of range.blocks) badBlocks.add(place.number)
        continue
      }
      hasher.update(range.bytes)
      options.onBytes?.(range.bytes.length)
      if (range.blocks.length === 0) {
        memory.give(range.bytes)
        continue
      }
      const found = checkBlocks(blockRangeOf(range.blocks, range, content!))
      // Whoever ends the loop early waits for none of them.
      found.catch(() => {})
      underWay.push({ range, found })
      if (underWay.length >= RANGES_UNDER_WAY) await settle(underWay.shift()!)
    }
    for (const one of underWay) await settle(one)
    for (const place of places) {
      if (place.offsetBytes + place.storedBytes <= pack.sizeBytes) continue
      badBlocks.add(place.number)
      problems.push(`block ${place.number}: the file ends before it does`)
    }
    if (isReadWhole && !(mayMatch && toHex(hasher.digest()) === pack.id)) {
      problems.unshift('its bytes do not have the hash that is its name')
    }
  } catch (error) {
    checkAborted(options.signal)
    if (hasCode(error, 'NO_SUCH_FILE')) return undefined
    throw error
  }
  return { problems, badBlocks: content === undefined ? 'all' : badBlocks, isReadWhole }
}

interface PlannedRange {
  readonly offsetBytes: number
  readonly lengthBytes: number
  /** Blocks that lie in it whole. */
  readonly blocks: readonly BlockPlace[]
}

/** Cut a pack, from its first byte to its last, where blocks end. */
function planRanges(sizeBytes: number, places: readonly BlockPlace[]): PlannedRange[] {
  const ranges: PlannedRange[] = []
  let offsetBytes = 0
  let end = 0
  let blocks: BlockPlace[] = []
  const close = () => {
    if (end > offsetBytes) ranges.push({ offsetBytes, lengthBytes: end - offsetBytes, blocks })
    offsetBytes = end
    blocks = []
  }
  for (const place of places) {
    const blockEnd = place.offsetBytes + place.storedBytes
    if (blockEnd > sizeBytes) break
    if (blocks.length > 0 && blockEnd - offsetBytes > RANGE_BYTES) close()
    blocks.push(place)
    end = blockEnd
  }
  close()
  while (end < sizeBytes) {
    end = Math.min(end + RANGE_BYTES, sizeBytes)
    close()
  }
  return ranges
}

type ReadRange =
  | (PlannedRange & { readonly bytes: Buffer })
  | (PlannedRange & { readonly bytes: undefined; readonly error: unknown })

/** Read ranges one after the other, the next one while the last one is looked at. */
async function* readInOrder(
  ranges: readonly PlannedRange[],
  read: (offsetBytes: number, lengthBytes: number) => Promise<Buffer>,
): AsyncGenerator<ReadRange> {
  const start = (range: PlannedRange | undefined): Promise<ReadRange> | undefined =>
    range &&
    read(range.offsetBytes, range.lengthBytes).then(
      (bytes) => ({ ...range, bytes }),
      (error: unknown) => ({ ...range, bytes: undefined, error }),
    )
  let next = start(ranges[0])
  for (let at = 1; next !== undefined; at++) {
    const current = await next
    next = start(ranges[at])
    yield current
  }
}

interface CheckedRange {
  readonly range: PlannedRange & { readonly bytes: Buffer }
  readonly found: Promise<BlockFindings>
}

function sameContent(left: PackFooter, right: PackFooter): boolean {
  if (left.session !== right.session || left.blocks.length !== right.blocks.length) return false
  return left.blocks.every((block, number) => {
    const other = right.blocks[number]!
    return (
      block.storedBytes === other.storedBytes &&
      block.payloadBytes === other.payloadBytes &&
      block.method === other.method &&
      Buffer.compare(block.chunks, other.chunks) === 0
    )
  })
}
