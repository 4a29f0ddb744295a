import { RANGE_BYTES } from './block-range.ts'

/**
 * Memory for ranges of packs that are read and looked at: shared, so that threads look at it without a copy, and used
 * again and again. As much is kept as was in use at once.
 */
export interface RangeMemory {
  take(lengthBytes: number): Buffer
  /** Give back what `take` gave: nobody looks at it any more. */
  give(bytes: Uint8Array): void
}

export function createRangeMemory(): RangeMemory {
  const free: SharedArrayBuffer[] = []
  return {
    take(lengthBytes) {
      // One block alone can be longer: rare, and not kept.
      const isLong = lengthBytes > RANGE_BYTES
      const memory = isLong
        ? new SharedArrayBuffer(lengthBytes)
        : (free.pop() ?? new SharedArrayBuffer(RANGE_BYTES))
      return Buffer.from(memory, 0, lengthBytes)
    },
    give({ buffer }) {
      if (buffer instanceof SharedArrayBuffer && buffer.byteLength === RANGE_BYTES) free.push(buffer)
    },
  }
}
