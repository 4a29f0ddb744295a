import { Fields, texts, type Value } from '../encoding/index.ts'
import { HoldfastError } from '../errors/index.ts'

/** How files are cut: the algorithm's name and its numbers, which the chunker gives meaning to. */
export interface ChunkerConfig {
  readonly algorithm: string
  readonly numbers: readonly number[]
}

/** What a repository is; put once and never changed. */
export interface RepositoryConfig {
  /** 16 random bytes. */
  readonly id: Uint8Array
  /** Format version a program must know to read, and to write. */
  readonly readVersion: number
  readonly writeVersion: number
  /** Features a program must know to use the repository, and those it may ignore. */
  readonly requiredFeatures: readonly string[]
  readonly optionalFeatures: readonly string[]
  readonly chunker: ChunkerConfig
  readonly createdMs: number
}

export const REPOSITORY_ID_BYTES = 16
const KNOWN_VERSION = 1
const KNOWN_FEATURES: readonly string[] = []

export function configValue(config: RepositoryConfig): Value {
  return [
    config.id,
    config.readVersion,
    config.writeVersion,
    config.requiredFeatures,
    config.optionalFeatures,
    config.chunker.algorithm,
    config.chunker.numbers,
    BigInt(config.createdMs),
  ]
}

/** @throws HoldfastError DAMAGED */
export function parseConfig(value: Value): RepositoryConfig {
  const fields = new Fields(value, 'config', 8)
  return {
    id: Buffer.from(fields.exactBytes(0, REPOSITORY_ID_BYTES)),
    readVersion: fields.uint(1, 255),
    writeVersion: fields.uint(2, 255),
    requiredFeatures: texts(fields.array(3, 64), 'required features'),
    optionalFeatures: texts(fields.array(4, 64), 'optional features'),
    chunker: { algorithm: fields.text(5, 64), numbers: parseNumbers(fields.array(6, 16)) },
    createdMs: fields.size(7),
  }
}

function parseNumbers(values: readonly Value[]): number[] {
  return values.map((value) => {
    if (typeof value !== 'number') throw new HoldfastError('DAMAGED', "config: a chunker's number is not one")
    return value
  })
}

/**
 * Refuse a repository that this program does not understand.
 *
 * @throws HoldfastError NEWER_FORMAT with what to do
 */
export function checkSupported(config: RepositoryConfig): void {
  const unknown = config.requiredFeatures.filter((feature) => !KNOWN_FEATURES.includes(feature))
  if (config.readVersion <= KNOWN_VERSION && unknown.length === 0) return
  const what = unknown.length > 0 ? `needs ${unknown.join(', ')}` : `has format version ${config.readVersion}`
  throw new HoldfastError('NEWER_FORMAT', `this repository ${what}, which this program does not know`, {
    hint: 'use a newer holdfast for this repository; nothing was changed',
  })
}

/** As `checkSupported`, for a program that is about to write. */
export function checkWritable(config: RepositoryConfig): void {
  if (config.writeVersion <= KNOWN_VERSION) return
  throw new HoldfastError(
    'NEWER_FORMAT',
    `this repository is written in format version ${config.writeVersion}, which this program can only read`,
    { hint: 'use a newer holdfast to write; reading and restoring work with this one' },
  )
}
