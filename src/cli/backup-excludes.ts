import type { Command } from 'commander'
import { HoldfastError, systemCode } from '../errors/index.ts'
import { type BackupExcludes, parseExcludeFile, parseMarker, readSmallFile } from '../index.ts'
import { formatBytes } from './format.ts'
import { collect, parseSize } from './values.ts'

export interface ExcludeOptions {
  readonly exclude?: readonly string[]
  readonly iexclude?: readonly string[]
  readonly excludeFile?: readonly string[]
  readonly iexcludeFile?: readonly string[]
  readonly excludeCaches?: boolean
  readonly excludeIfPresent?: readonly string[]
  readonly excludeLargerThan?: number
}

export function addExcludeOptions(command: Command): void {
  command
    .option('-e, --exclude <pattern>', 'leave out what matches, by the rules of .gitignore', collect)
    .option('--iexclude <pattern>', 'the same without regard to case', collect)
    .option('--exclude-file <file>', 'leave out what the patterns in a file match', collect)
    .option('--iexclude-file <file>', 'the same without regard to case', collect)
    .option('--exclude-caches', 'leave out what is in folders with a CACHEDIR.TAG')
    .option(
      '--exclude-if-present <name[:header]>',
      'leave out what is in folders that hold such a file, which begins with the header',
      collect,
    )
    .option('--exclude-larger-than <size>', 'leave out larger files', parseSize)
}

/** @throws HoldfastError USAGE, IO */
export function readExcludes(options: ExcludeOptions): BackupExcludes {
  const { exclude = [], iexclude = [], excludeFile = [], iexcludeFile = [] } = options
  const largerThan = options.excludeLargerThan
  return {
    patterns: [...excludeFile.flatMap(readPatterns), ...exclude],
    insensitivePatterns: [...iexcludeFile.flatMap(readPatterns), ...iexclude],
    ifPresent: (options.excludeIfPresent ?? []).map(parseMarker),
    caches: options.excludeCaches ?? false,
    ...(largerThan === undefined ? {} : { largerThanBytes: largerThan }),
  }
}

const MAXIMUM_BYTES = 16 * 1024 * 1024

function readPatterns(path: string): string[] {
  let bytes: Buffer
  try {
    bytes = readSmallFile(path, MAXIMUM_BYTES)
  } catch (cause) {
    const code = systemCode(cause)
    if (code === undefined) throw cause
    throw new HoldfastError('IO', `the exclude file ${path} cannot be read (${code})`, { cause })
  }
  if (bytes.length <= MAXIMUM_BYTES) return parseExcludeFile(bytes.toString('utf8'))
  throw new HoldfastError('USAGE', `the exclude file ${path} is longer than ${formatBytes(MAXIMUM_BYTES)}`, {
    hint: 'name a file with a pattern in each line',
  })
}
