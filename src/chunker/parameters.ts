import { HoldfastError } from '../errors/index.ts'

/** The chunker's part of a repository's config. Fixed for its life: other values cut, and so store, anew. */
export interface ChunkerParameters {
  /** Keyed Gear hash of 32 bytes, normalised chunking; the cutting rule is in `CutSizes`. */
  readonly algorithm: 'gear-nc-1'
  /** Shortest chunk but for the last of a segment: 64 to half the average. */
  readonly minimumBytes: number
  /** A power of two, 4 KiB to 1 MiB: the mean length of chunks of random data with bounds in the default's proportion. */
  readonly averageBytes: number
  /** Longest chunk: from twice the average to 4 MiB. */
  readonly maximumBytes: number
  /** The three lengths are those at the start of a file; they double further on. */
  readonly growth: ChunkerGrowth
}

/**
 * A step function of where a segment starts in its file. Lengths are as given up to `fromBytes`; they double in
 * segments that start at or after `fromBytes`, again from `fromBytes * ratio`, from `fromBytes * ratio²` …, at most
 * `doublings` times. By offset and not by the file's size, so that a file that grows keeps the chunks it has.
 */
export interface ChunkerGrowth {
  /** 64 MiB to 1 TiB. */
  readonly fromBytes: number
  /** 2 to 64. */
  readonly ratio: number
  /** 0 to 8, and the doubled maximum stays within 4 MiB. */
  readonly doublings: number
}

/**
 * A file longer than this is cut as segments of exactly this length, the last one shorter, each with no regard
 * to the others: segments can go to different workers.
 */
export const segmentBytes: number = 64 * 1024 * 1024

/** The longest chunk any parameters may allow. */
const LARGEST_CHUNK_BYTES = 4 * 1024 * 1024

const SMALLEST_AVERAGE_BYTES = 4 * 1024
const LARGEST_AVERAGE_BYTES = 1024 * 1024

/** What a new repository gets; measured in docs/adr/0001-chunk-and-block-size.md. */
export const defaultParameters: ChunkerParameters = {
  algorithm: 'gear-nc-1',
  minimumBytes: 4 * 1024,
  averageBytes: 16 * 1024,
  maximumBytes: 64 * 1024,
  growth: { fromBytes: segmentBytes, ratio: 64, doublings: 2 },
}

/**
 * The default's proportions around another average: a quarter as minimum, four times as maximum, and as many
 * of its doublings as fit.
 *
 * @throws HoldfastError USAGE when the average is not a power of two within 4 KiB and 1 MiB.
 */
export function parametersForAverage(averageBytes: number): ChunkerParameters {
  if (!isAverage(averageBytes)) {
    throw new HoldfastError('USAGE', `the average chunk size cannot be ${averageBytes} bytes`, {
      hint: 'give a power of two from 4 KiB to 1 MiB',
    })
  }
  const { growth } = defaultParameters
  const maximumBytes = averageBytes * 4
  const doublings = Math.min(growth.doublings, Math.log2(LARGEST_CHUNK_BYTES / maximumBytes))
  return {
    algorithm: 'gear-nc-1',
    minimumBytes: averageBytes / 4,
    averageBytes,
    maximumBytes,
    growth: { ...growth, doublings },
  }
}

/**
 * Check parameters that come from outside, so that no value can make the chunker loop, overrun or take memory
 * without bound.
 *
 * @throws HoldfastError NEWER_FORMAT for an algorithm not known here, UNSUPPORTED for a number out of range.
 */
export function checkParameters(
  parameters: Omit<ChunkerParameters, 'algorithm'> & { readonly algorithm: string },
): asserts parameters is ChunkerParameters {
  const { algorithm, minimumBytes, averageBytes, maximumBytes, growth } = parameters
  if (algorithm !== 'gear-nc-1') {
    throw new HoldfastError('NEWER_FORMAT', `the chunker ${JSON.stringify(algorithm)} is not known`, {
      hint: 'use a newer version of holdfast with this repository',
    })
  }
  if (!isAverage(averageBytes)) refuse('average length', averageBytes)
  if (!isWithin(minimumBytes, 64, averageBytes / 2)) refuse('minimum length', minimumBytes)
  if (!isWithin(maximumBytes, averageBytes * 2, LARGEST_CHUNK_BYTES)) refuse('maximum length', maximumBytes)
  if (!isWithin(growth.fromBytes, segmentBytes, 2 ** 40)) refuse('growth threshold', growth.fromBytes)
  if (!isWithin(growth.ratio, 2, 64)) refuse('growth ratio', growth.ratio)
  if (!isWithin(growth.doublings, 0, 8)) refuse('number of doublings', growth.doublings)
  if (maximumBytes * 2 ** growth.doublings > LARGEST_CHUNK_BYTES)
    refuse('number of doublings', growth.doublings)
}

/** How often the lengths double for a segment that starts at this offset of its file. */
export function doublingsAt(growth: ChunkerGrowth, segmentOffsetBytes: number): number {
  let doublings = 0
  for (let stepBytes = growth.fromBytes; doublings < growth.doublings; doublings++) {
    if (segmentOffsetBytes < stepBytes) break
    stepBytes *= growth.ratio
  }
  return doublings
}

function isAverage(value: number): boolean {
  return isWithin(value, SMALLEST_AVERAGE_BYTES, LARGEST_AVERAGE_BYTES) && Number.isInteger(Math.log2(value))
}

function isWithin(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most
}

function refuse(name: string, value: number): never {
  throw new HoldfastError('UNSUPPORTED', `a chunker with a ${name} of ${value} is not supported`)
}
