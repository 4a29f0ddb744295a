import { type Command, Option } from 'commander'
import { HoldfastError } from '../../errors/index.ts'
import { type FindOptions, machineOffsetMinutes, type Node, parseTime } from '../../index.ts'
import { addFilterOptions, type FilterOptions } from '../snapshot-choice.ts'
import { collect, parseSize } from '../values.ts'

export interface FindCommandOptions extends FilterOptions {
  readonly ignoreCase?: boolean
  readonly long?: boolean
  readonly reverse?: boolean
  readonly snapshot?: readonly string[]
  readonly type?: readonly Node['type'][]
  readonly newer?: string
  readonly oldest?: string
  readonly older?: string
  readonly newest?: string
  readonly size?: readonly string[]
}

/** Letters of find(1), and restic's and our own names. */
const types: Readonly<Record<string, Node['type']>> = {
  f: 'file',
  d: 'directory',
  l: 'symlink',
  p: 'fifo',
  c: 'character',
  b: 'block',
  s: 'socket',
  file: 'file',
  dir: 'directory',
  directory: 'directory',
  symlink: 'symlink',
  fifo: 'fifo',
  chardev: 'character',
  character: 'character',
  dev: 'block',
  block: 'block',
  socket: 'socket',
}

export function addFindOptions(command: Command): Command {
  command
    .option('-i, --ignore-case', 'upper and lower case are the same')
    .option('-l, --long', 'with permissions, owner, size and time')
    .option('-R, --reverse', 'oldest snapshot first')
    .addOption(
      new Option(
        '-s, --snapshot <id>',
        'in this snapshot only: an id or the beginning of one, latest, latest~N; may be repeated',
      ).argParser(collect),
    )
    .addOption(
      new Option(
        '--type <type>',
        'of this type only: f, d, l, p, c, b, s or file, dir, symlink, fifo, chardev, dev, socket; may be repeated',
      ).argParser(collectType),
    )
    .option('--newer <time>', 'modified then or later, such as "2026-03-01 18:00" or "2 days ago"')
    .option('--older <time>', 'modified then or earlier')
    .option('-O, --oldest <time>', "restic's name of --newer")
    .option('-N, --newest <time>', "restic's name of --older")
    .addOption(
      new Option(
        '--size <size>',
        'files of this size; with + at least, with - at most: +1M, -64K; may be repeated',
      ).argParser(collect),
    )
  return addFilterOptions(command)
}

function collectType(text: string, before: readonly Node['type'][] = []): readonly Node['type'][] {
  const type = Object.hasOwn(types, text) ? types[text] : undefined
  if (type === undefined) {
    throw new HoldfastError('USAGE', `${JSON.stringify(text)} is no type`, {
      hint: 'write f or file, d or dir, l or symlink, p or fifo, c or chardev, b or dev, s or socket',
    })
  }
  return [...before, type]
}

/** What the library is asked for. @throws HoldfastError USAGE */
export function readFindOptions(options: FindCommandOptions): FindOptions {
  const nowMs = Date.now()
  const time = (text: string | undefined): number | undefined =>
    text === undefined ? undefined : parseTime(text, nowMs, machineOffsetMinutes)
  return {
    ignoresCase: options.ignoreCase ?? false,
    types: options.type ?? [],
    newerMs: latest(time(options.newer), time(options.oldest)),
    olderMs: earliest(time(options.older), time(options.newest)),
    ...readSizes(options.size ?? []),
  }
}

function readSizes(sizes: readonly string[]): Pick<FindOptions, 'leastBytes' | 'mostBytes'> {
  let leastBytes: number | undefined
  let mostBytes: number | undefined
  for (const text of sizes) {
    const sign = text[0]
    const sizeBytes = parseSize(sign === '+' || sign === '-' ? text.slice(1) : text)
    if (sign !== '-') leastBytes = latest(leastBytes, sizeBytes)
    if (sign !== '+') mostBytes = earliest(mostBytes, sizeBytes)
  }
  return { leastBytes, mostBytes }
}

function latest(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.max(one, other)
}

function earliest(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.min(one, other)
}
