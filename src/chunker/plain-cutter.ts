import type { CutSizes, Cutter, CutterOptions } from './cutter.ts'

/** The cutter in plain TypeScript: the same cuts as assembly/gear.ts, slower. */
export function createPlainCutter({ table, windowBytes, endCount }: CutterOptions): Cutter {
  const window = new Uint8Array(windowBytes)
  const ends = new Uint32Array(endCount)
  return {
    engine: 'plain',
    window,
    ends,
    cut(filledBytes, last, sizes) {
      let count = 0
      let start = 0
      while (start < filledBytes) {
        const length = chunkLength(table, window, start, filledBytes - start, last, sizes)
        if (length === 0) break
        start += length
        ends[count++] = start
      }
      return count
    },
  }
}

/** Length of the chunk at `start`, or 0 when its end is not within the `left` bytes. */
function chunkLength(
  table: Uint32Array,
  window: Uint8Array,
  start: number,
  left: number,
  last: boolean,
  sizes: CutSizes,
): number {
  const { minimumBytes, normalBytes, maximumBytes } = sizes
  const reach = Math.min(left, maximumBytes)
  const turn = Math.min(reach, normalBytes)
  if (reach > minimumBytes) {
    const end =
      scan(table, window, start + minimumBytes - 1, start + turn, sizes.strictLimit) ||
      scan(table, window, start + turn, start + reach, sizes.looseLimit)
    if (end !== 0) return end - start
  }
  if (left >= maximumBytes) return maximumBytes
  return last ? left : 0
}

/** The first end in (from, to] with a hash under the limit, or 0. Looks at 31 bytes before `from`. */
function scan(table: Uint32Array, window: Uint8Array, from: number, to: number, limit: number): number {
  let hash = 0
  for (let at = from - 31; at < from; at++) hash = ((hash << 1) + table[window[at]!]!) | 0
  for (let at = from; at < to; at++) {
    hash = ((hash << 1) + table[window[at]!]!) | 0
    if (hash >>> 0 < limit) return at + 1
  }
  return 0
}
