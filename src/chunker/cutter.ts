/**
 * The rule that ends a chunk, for segments with the same number of doublings.
 *
 * With hash(e) the Gear hash of the 32 bytes before offset e (the sum of table[byte] << distance from e less
 * one, modulo 2^32), a chunk that starts at s ends at the first e that has hash(e) < strictLimit and
 * s + minimumBytes <= e <= s + normalBytes; else the first that has hash(e) < looseLimit and
 * s + normalBytes < e < s + maximumBytes; else s + maximumBytes; in any case no later than the end of input.
 */
export interface CutSizes {
  /** At least 32, so that the hash never looks behind its chunk. */
  readonly minimumBytes: number
  /** Where the limit changes. */
  readonly normalBytes: number
  readonly maximumBytes: number
  readonly strictLimit: number
  readonly looseLimit: number
}

/** One implementation of the rule with the memory it works in. */
export interface Cutter {
  readonly engine: 'webassembly' | 'plain'
  readonly window: Uint8Array
  readonly ends: Uint32Array
  /** As `Chunker.cut`, with the sizes given. */
  cut(filledBytes: number, last: boolean, sizes: CutSizes): number
}

/** What a cutter is made of: 256 numbers, copied or kept but never written to, and the sizes of its arrays. */
export interface CutterOptions {
  readonly table: Uint32Array
  readonly windowBytes: number
  readonly endCount: number
}
