import { readFileSync } from 'node:fs'
import { HoldfastError, systemCode } from '../errors/index.ts'
import { nameFromBytes, parseExcludeFile, type RawName } from '../index.ts'
import { expandPattern } from './patterns.ts'
import { rawName } from './raw-arguments.ts'

export interface SourceOptions {
  readonly filesFrom?: readonly string[]
  readonly filesFromVerbatim?: readonly string[]
  readonly filesFromRaw?: readonly string[]
}

const STDIN = 0
const NEW_LINE = 0x0a
const NUL = 0

/** The paths of a backup from its arguments and lists, in this order. @throws HoldfastError IO, USAGE */
export function readSourcePaths(args: readonly string[], options: SourceOptions): RawName[] {
  const { filesFrom = [], filesFromVerbatim = [], filesFromRaw = [] } = options
  return [
    ...args.map(rawName),
    ...filesFrom.flatMap((file) =>
      parseExcludeFile(readList(file).toString('utf8')).flatMap((line) => expandPattern(line.trim())),
    ),
    ...filesFromVerbatim.flatMap((file) => splitPaths(readList(file), NEW_LINE)),
    ...filesFromRaw.flatMap((file) => splitPaths(readList(file), NUL)),
  ]
}

/** Parts between separators, without empty ones. */
function splitPaths(bytes: Buffer, separator: number): RawName[] {
  const paths: RawName[] = []
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(separator, from)
    const to = end < 0 ? bytes.length : end
    if (to > from) paths.push(nameFromBytes(bytes.subarray(from, to)))
    from = to + 1
  }
  return paths
}

function readList(path: string): Buffer {
  try {
    return readFileSync(path === '-' ? STDIN : path)
  } catch (cause) {
    const code = systemCode(cause)
    if (code === undefined) throw cause
    const hint = 'a list has one path on each line; with --files-from-raw a NUL byte after each'
    throw new HoldfastError('IO', `the list of files ${path} cannot be read (${code})`, { hint, cause })
  }
}
