/** How zstd searches for matches, where that differs from what a level means to the library. */
export interface SearchParameters {
  readonly windowLog: number
  readonly hashLog: number
  readonly chainLog: number
  readonly minMatch: number
  /** 1 is `fast`, 2 is `dfast`. */
  readonly strategy: number
}

/** Up to here the library's own tables for small inputs are better. */
const SMALL_BYTES = 256 * 1024

/**
 * Tables that stay in a core's second-level cache, with a window over a whole block of 2 MiB: docs/adr/0005 has
 * what each costs and saves. Any zstd reads the frames; these parameters are no part of the format.
 */
const tuned: Readonly<Record<number, SearchParameters>> = {
  2: { windowLog: 21, hashLog: 16, chainLog: 14, minMatch: 6, strategy: 1 },
  3: { windowLog: 21, hashLog: 16, chainLog: 14, minMatch: 5, strategy: 2 },
}

/** Undefined where the library's own choice for the level stands. */
export function searchParameters(level: number, lengthBytes: number): SearchParameters | undefined {
  return lengthBytes > SMALL_BYTES ? tuned[level] : undefined
}
