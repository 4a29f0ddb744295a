import { compareNames, displayName, nameBytes, nameFromBytes, type RawName } from '../encoding/index.ts'
import { HoldfastError } from '../errors/index.ts'
import type { ListedSnapshot } from './list.ts'

/** Which snapshots `latest` and `--at` choose from. Empty lists and undefined fields leave all. */
export interface SnapshotFilter {
  readonly hosts?: readonly string[]
  /** A snapshot matches when it has all tags of one of these lists; an empty list means "no tags". */
  readonly tags?: readonly (readonly string[])[]
  /** A snapshot matches when it has all of these paths. */
  readonly paths?: readonly RawName[]
}

export function matchesFilter(snapshot: ListedSnapshot, filter: SnapshotFilter): boolean {
  const { hosts = [], tags = [], paths = [] } = filter
  if (hosts.length > 0 && !hosts.includes(snapshot.host)) return false
  if (tags.length > 0 && !tags.some((list) => hasTags(snapshot, list))) return false
  return paths.every((path) => snapshot.paths.some((one) => compareNames(one, path) === 0))
}

function hasTags(snapshot: ListedSnapshot, tags: readonly string[]): boolean {
  const wanted = tags.filter((tag) => tag !== '')
  return wanted.length === 0 ? snapshot.tags.length === 0 : wanted.every((tag) => snapshot.tags.includes(tag))
}

/** A SNAPSHOT argument taken apart at its first colon. */
export interface SnapshotArgument {
  /** An id, a unique prefix of one, `latest` or `latest~N`. */
  readonly snapshot: string
  /** Path in the snapshot; undefined when none was given. */
  readonly path: RawName | undefined
}

export function parseSnapshotArgument(argument: RawName): SnapshotArgument {
  const bytes = nameBytes(argument)
  const colon = bytes.indexOf(0x3a)
  if (colon < 0) return { snapshot: bytes.toString('utf8'), path: undefined }
  return { snapshot: bytes.toString('utf8', 0, colon), path: nameFromBytes(bytes.subarray(colon + 1)) }
}

export interface ChooseOptions extends SnapshotFilter {
  /** `latest` means the last snapshot not after this moment. */
  readonly atMs?: number
}

/**
 * The snapshot that is meant. Unconfirmed ones are found by id only.
 *
 * @param snapshots oldest first
 * @throws HoldfastError NO_SNAPSHOT, or USAGE for an ambiguous prefix
 */
export function chooseSnapshot(
  snapshots: readonly ListedSnapshot[],
  wanted: string,
  options: ChooseOptions = {},
): ListedSnapshot {
  const back = /^latest(?:~(\d+))?$/.exec(wanted)
  if (back !== null) {
    const { atMs = Number.POSITIVE_INFINITY } = options
    const candidates = snapshots.filter(
      (one) => one.isConfirmed && one.timeMs <= atMs && matchesFilter(one, options),
    )
    const chosen = candidates.at(-1 - Number(back[1] ?? 0))
    if (chosen !== undefined) return chosen
    throw new HoldfastError('NO_SNAPSHOT', `no snapshot is ${describeWanted(wanted, options)}`, {
      hint: 'holdfast snapshots lists what is there',
    })
  }
  if (!/^[0-9a-f]{1,64}$/.test(wanted)) {
    throw new HoldfastError('USAGE', `${displayName(wanted)} is no snapshot`, {
      hint: 'give an id or the beginning of one, latest, or latest~N',
    })
  }
  const found = snapshots.filter((one) => one.id.startsWith(wanted))
  if (found.length === 1) return found[0]!
  if (found.length === 0) {
    throw new HoldfastError('NO_SNAPSHOT', `there is no snapshot ${wanted}`, {
      hint: 'holdfast snapshots lists what is there',
    })
  }
  throw new HoldfastError('USAGE', `${wanted} is the beginning of ${found.length} snapshots`, {
    hint: 'give more digits of the id',
  })
}

function describeWanted(wanted: string, options: ChooseOptions): string {
  const parts = [wanted]
  if (options.atMs !== undefined) parts.push(`at ${new Date(options.atMs).toISOString()}`)
  if (options.hosts?.length) parts.push(`of host ${options.hosts.join(' or ')}`)
  if (options.tags?.length) parts.push(`with tag ${options.tags.map((list) => list.join(',')).join(' or ')}`)
  if (options.paths?.length) parts.push(`with path ${options.paths.map(displayName).join(' and ')}`)
  return parts.join(' ')
}
