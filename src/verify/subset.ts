import type { FileId } from '../encoding/index.ts'
import { HoldfastError } from '../errors/index.ts'
import type { StoredPack } from '../repository/index.ts'
import type { Subset } from './options.ts'

/** Hex digits of a pack's name that choose its part. */
const PART_DIGITS = 12

/** @throws HoldfastError USAGE for a subset that cannot be */
export function checkSubset(subset: Subset): void {
  const isPossible =
    subset.kind === 'part'
      ? Number.isInteger(subset.number) && subset.number >= 1 && subset.number <= subset.total
      : subset.kind === 'percent'
        ? subset.percent > 0 && subset.percent <= 100
        : subset.bytes > 0
  if (isPossible && (subset.kind !== 'part' || Number.isInteger(subset.total))) return
  throw new HoldfastError('USAGE', 'this is no subset of the packs', {
    hint: 'give n/t with n from 1 to t, a percentage above 0 up to 100, or a size above 0',
  })
}

/** The packs of a subset. At least one, unless there are none or it is one of more parts. */
export function chooseSubset(
  packs: Iterable<StoredPack>,
  subset: Subset,
  random: () => number = Math.random,
): Set<FileId> {
  checkSubset(subset)
  if (subset.kind === 'part') {
    const isIn = (id: FileId): boolean =>
      Number.parseInt(id.slice(0, PART_DIGITS), 16) % subset.total === subset.number - 1
    return new Set([...packs].map((pack) => pack.id).filter(isIn))
  }
  const shuffled = shuffle([...packs], random)
  const chosen = new Set<FileId>()
  const wanted = subset.kind === 'percent' ? Math.ceil((shuffled.length * subset.percent) / 100) : Infinity
  let bytes = 0
  for (const pack of shuffled) {
    if (chosen.size >= wanted || (subset.kind === 'bytes' && bytes >= subset.bytes)) break
    chosen.add(pack.id)
    bytes += pack.sizeBytes
  }
  return chosen
}

/** Fisher–Yates, in place. */
function shuffle<Item>(items: Item[], random: () => number): Item[] {
  for (let last = items.length - 1; last > 0; last--) {
    const at = Math.floor(random() * (last + 1))
    ;[items[last], items[at]] = [items[at]!, items[last]!]
  }
  return items
}
