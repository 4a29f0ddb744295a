import type { CutSizes, Cutter } from './cutter.ts'
import { type ChunkerParameters, checkParameters, doublingsAt } from './parameters.ts'
import { createPlainCutter } from './plain-cutter.ts'
import { deriveTable } from './table.ts'
import { createWebAssemblyCutter } from './webassembly-cutter.ts'

const SMALLEST_WINDOW_BYTES = 4 * 1024 * 1024

/**
 * Finds the ends of chunks in a window that the caller fills:
 *
 *     let filled = 0
 *     for (let last = false; !last; ) {
 *       filled += <read into chunker.window.subarray(filled), as much as there is of this segment>
 *       last = <the segment ends here>
 *       const count = chunker.cut(filled, last, segmentOffsetBytes)
 *       <take the chunks between chunker.ends[0..count)>
 *       filled = chunker.keep(count === 0 ? 0 : chunker.ends[count - 1], filled)
 *     }
 *
 * Cuts depend on the segment's content, its offset in the file, the parameters and the key; never on how the
 * window was filled. A window well filled is merely faster: the bytes kept are scanned again.
 * Holds no state between calls but its window, so it serves one file after another without a reset.
 */
export interface Chunker {
  /** `plain` where WebAssembly cannot be had; the cuts are the same. */
  readonly engine: 'webassembly' | 'plain'
  /** Where data are read to: 4 to 8 MiB, at least twice the longest chunk. Its memory never moves. */
  readonly window: Uint8Array
  /** Filled by `cut`: offsets in `window` just after each chunk, ascending. Valid until the next `cut`. */
  readonly ends: Uint32Array
  /**
   * Find the chunks in the first `filledBytes` of the window.
   *
   * @param last the segment ends with these bytes: the last end is then `filledBytes`. Otherwise the bytes
   *   after the last end are fewer than the longest chunk and belong at the front of the next window.
   * @param segmentOffsetBytes where the segment starts in its file or stream: a multiple of `segmentBytes`, the
   *   same in all calls for the segment.
   * @returns the number of ends; 0 when nothing is filled or no chunk ends yet.
   */
  cut(filledBytes: number, last: boolean, segmentOffsetBytes: number): number
  /** Move window[fromBytes, filledBytes) to the front; returns how many bytes that are. */
  keep(fromBytes: number, filledBytes: number): number
}

/**
 * Make a chunker. It takes 4 to 8 MiB of memory once and allocates nothing after: keep one for each worker.
 *
 * @param parameters checked here, as by `checkParameters`.
 * @param key 32 bytes, a subkey of the master key for this use alone. Borrowed.
 */
export function createChunker(parameters: ChunkerParameters, key: Uint8Array): Chunker {
  checkParameters(parameters)
  const longestBytes = parameters.maximumBytes * 2 ** parameters.growth.doublings
  const windowBytes = Math.max(SMALLEST_WINDOW_BYTES, 2 * longestBytes)
  const endCount = Math.floor(windowBytes / parameters.minimumBytes) + 1
  const options = { table: deriveTable(key), windowBytes, endCount }
  return chunkerOf(parameters, createWebAssemblyCutter(options) ?? createPlainCutter(options))
}

/** The chunker that works with this cutter. Parameters are checked already. */
export function chunkerOf(parameters: ChunkerParameters, cutter: Cutter): Chunker {
  const { growth } = parameters
  const { engine, window, ends } = cutter
  const classes = Array.from({ length: growth.doublings + 1 }, (_, doublings) =>
    cutSizes(parameters, doublings),
  )
  return {
    engine,
    window,
    ends,
    cut(filledBytes, last, segmentOffsetBytes) {
      if (filledBytes > window.length) throw new Error(`${filledBytes} bytes cannot be in the window`)
      return cutter.cut(filledBytes, last, classes[doublingsAt(growth, segmentOffsetBytes)]!)
    },
    keep(fromBytes, filledBytes) {
      window.copyWithin(0, fromBytes, filledBytes)
      return filledBytes - fromBytes
    },
  }
}

/**
 * The cutting rule after so many doublings. A limit of 2^32 / n is met by one position in n of random data;
 * strict and loose are four times rarer and more frequent than the average asks for. With these and a minimum of a
 * quarter, 13/16 is the turning point that gives random data the average asked for.
 */
function cutSizes(parameters: ChunkerParameters, doublings: number): CutSizes {
  const averageBytes = parameters.averageBytes * 2 ** doublings
  return {
    minimumBytes: parameters.minimumBytes * 2 ** doublings,
    normalBytes: (averageBytes * 13) / 16,
    maximumBytes: parameters.maximumBytes * 2 ** doublings,
    strictLimit: 2 ** 32 / (averageBytes * 4),
    looseLimit: 2 ** 32 / (averageBytes / 4),
  }
}
