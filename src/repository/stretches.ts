import type { BlockPlace } from '../index/index.ts'

/** Neighbouring blocks are read in one go up to this much, … */
const COALESCED_BYTES = 8 * 1024 * 1024
/** … over gaps up to that much, which are read and thrown away rather than asked around. */
const GAP_BYTES = 128 * 1024

/** Neighbouring blocks, and the range of their pack that holds them. */
export interface Stretch {
  readonly group: readonly BlockPlace[]
  readonly offsetBytes: number
  readonly lengthBytes: number
}

/**
 * @param places of one pack, in order of offset
 * @param mostBytes in a stretch of more than one block
 */
export function* stretchesOf(
  places: readonly BlockPlace[],
  mostBytes: number = COALESCED_BYTES,
): Generator<Stretch> {
  for (let from = 0; from < places.length; ) {
    const { offsetBytes, storedBytes } = places[from]!
    let to = from + 1
    let end = offsetBytes + storedBytes
    for (; to < places.length; to++) {
      const next = places[to]!
      const nextEnd = next.offsetBytes + next.storedBytes
      if (next.offsetBytes - end > GAP_BYTES || nextEnd - offsetBytes > mostBytes) break
      end = nextEnd
    }
    yield { group: places.slice(from, to), offsetBytes, lengthBytes: end - offsetBytes }
    from = to
  }
}

export function alone(place: BlockPlace): Stretch {
  return { group: [place], offsetBytes: place.offsetBytes, lengthBytes: place.storedBytes }
}
