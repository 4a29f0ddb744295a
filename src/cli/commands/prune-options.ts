import type { Command } from 'commander'
import { HoldfastError } from '../../errors/index.ts'
import { type PruneOptions, parseDuration } from '../../index.ts'
import { parseSize } from '../values.ts'

type MaxUnused = NonNullable<PruneOptions['maxUnused']>

/** Options of prune as the parser gives them. */
export interface PruneChoice {
  readonly maxUnused?: MaxUnused
  readonly maxRepackSize?: number
  /** ms. */
  readonly sessionAge?: number
}

const HOUR_MS = 3_600_000

export function addPruneOptions(command: Command): void {
  command
    .option(
      '--max-unused <limit>',
      'what may stay unused: a percentage, a size, or unlimited (default: 2%)',
      parseMaxUnused,
    )
    .option('--max-repack-size <size>', 'rewrite packs of no more than this in one run', parseSize)
    .option(
      '--session-age <duration>',
      'give up on commands at work for longer than this, such as 12h or 7d (default: 14d)',
      parseAge,
    )
}

/** Read `5%`, `512M` or `unlimited`. @throws HoldfastError USAGE */
export function parseMaxUnused(text: string): MaxUnused {
  if (text === 'unlimited') return 1
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(text)?.[1]
  if (percent === undefined) return { bytes: parseSize(text) }
  if (Number(percent) <= 100) return Number(percent) / 100
  throw new HoldfastError('USAGE', `${text} is no part of a repository`, {
    hint: 'write a percentage up to 100%, a size such as 512M, or unlimited',
  })
}

/** Read a duration in days and hours. @returns ms @throws HoldfastError USAGE */
export function parseAge(text: string): number {
  const { years, months, days, hours } = parseDuration(text)
  if (years === 0 && months === 0) return (days * 24 + hours) * HOUR_MS
  throw new HoldfastError('USAGE', `the age ${JSON.stringify(text)} has years or months`, {
    hint: 'write days and hours, such as 14d or 36h',
  })
}

export function readPruneOptions(
  { maxUnused, maxRepackSize, sessionAge }: PruneChoice,
  signal: AbortSignal,
): PruneOptions {
  return {
    ...(maxUnused === undefined ? {} : { maxUnused }),
    ...(maxRepackSize === undefined ? {} : { maxRepackBytes: maxRepackSize }),
    ...(sessionAge === undefined ? {} : { sessionAgeMs: sessionAge }),
    signal,
  }
}
