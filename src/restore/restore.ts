import { displayName, type RawName } from '../encoding/index.ts'
import { HoldfastError, systemCode } from '../errors/index.ts'
import { descriptorLimit, type HeldDirectory, holdDirectory, makeDirectories } from '../filesystem/index.ts'
import type { Repository } from '../repository/index.ts'
import type { Snapshot } from '../snapshot/index.ts'
import { BatchRunner } from './batch-runner.ts'
import { ChunkFinder } from './chunk-finder.ts'
import { ContentComparer } from './content-comparer.ts'
import { describeFailure } from './failure.ts'
import { removeLeftovers } from './leftovers.ts'
import { NodeWriter } from './node-writer.ts'
import type { RestoreLimits, RestoreOptions, RestoreResult } from './options.ts'
import { RestoreRun } from './run.ts'
import { createSelection } from './selection.ts'
import { findSource, type Source } from './source.ts'
import { Tally } from './tally.ts'
import { topDirectory } from './target-directory.ts'

/**
 * Larger windows read a block less often where the chunks of a snapshot lie scattered; smaller ones leave less in
 * memory and to the garbage collector. Two are in memory: one is planned while another is written.
 */
function limitsHere(): RestoreLimits {
  const descriptors = descriptorLimit()
  return {
    windowNodes: 8192,
    windowPieces: 65_536,
    windowBytes: 1024 * 1024 * 1024,
    openFolders: Math.min(2048, Math.floor(descriptors / 4)),
    batchFolders: Math.min(256, Math.floor(descriptors / 20)),
    linkEntries: 100_000,
  }
}

/**
 * Restore a snapshot, or a part of it. Nothing is written outside the target, whatever the snapshot says and
 * whoever moves links about meanwhile (docs/security.md).
 *
 * A file gets its name when it is whole and checked; one that cannot be restored is reported, and what was in its
 * place stays. A run that is interrupted removes what is not whole; what one that was killed left is removed by the
 * next that comes to the folder. A target that the run makes gets the metadata
 * of the folder at `path`; one that was there keeps its own.
 *
 * @throws HoldfastError NO_SUCH_PATH; USAGE for a pattern; IO when the target cannot be written to, is full or is
 *   read-only; INTERRUPTED; what the repository throws but for damage to data
 */
export async function restore(
  repository: Repository,
  snapshot: Snapshot,
  options: RestoreOptions,
): Promise<RestoreResult> {
  return await restoreWithin(repository, snapshot, options, limitsHere())
}

/** `restore`, with bounds for its memory. */
export async function restoreWithin(
  repository: Repository,
  snapshot: Snapshot,
  options: RestoreOptions,
  limits: RestoreLimits,
): Promise<RestoreResult> {
  const startedMs = Date.now()
  const { signal } = options
  const selection = createSelection(options)
  await repository.loadIndex({ tolerateDamage: true, signal })
  const source = await findSource(repository, snapshot, options.path ?? '/')
  const { held, isNew } = openTarget(options, limits.openFolders)
  const tally = new Tally(options, expectedBytes(snapshot, source, options))
  const finder = new ChunkFinder(repository, signal)
  const comparer = new ContentComparer(repository, finder, signal)
  const writer = new NodeWriter({ target: held, options, linkEntries: limits.linkEntries, comparer, tally })
  const runner = new BatchRunner(
    {
      keys: { files: repository.subkeys.files.data, ids: repository.subkeys.dataIds },
      localFolder: repository.localFolder,
      temporaryPrefix: writer.temporaryPrefix,
      isSparse: options.sparse ?? false,
      ownership: options.noOwnership !== true,
    },
    options.threads,
    signal,
  )
  const run = new RestoreRun({ repository, options, limits, selection, finder, writer, runner, tally })
  try {
    const { node, path, parentPath } = source
    if (node === undefined) await run.restoreAll(snapshot.tree, topDirectory('/', undefined, held, isNew))
    else if (node.type === 'directory') {
      await run.restoreAll(node.tree, topDirectory(path, isNew ? node : undefined, held, isNew))
    } else await run.restoreOne(node, topDirectory(parentPath, undefined, held, isNew))
  } finally {
    await runner.close()
    await run.settle()
    await writer.close()
    held?.close()
  }
  return tally.result(startedMs, Date.now())
}

/** Undefined when only a part is asked for, since nobody knows how much that is. */
function expectedBytes(snapshot: Snapshot, source: Source, options: RestoreOptions): number | undefined {
  const isPart = source.node !== undefined || options.include?.length || options.exclude?.length
  return isPart ? undefined : snapshot.summary.totalBytes
}

interface Target {
  /** Undefined in a dry run where it is not there. */
  readonly held: HeldDirectory | undefined
  readonly isNew: boolean
}

function openTarget({ target, isDryRun }: RestoreOptions, maxOpen: number): Target {
  try {
    if (isDryRun) return lookForTarget(target, maxOpen)
    const isNew = makeDirectories(target, 0o700)
    const held = holdDirectory(target, { maxOpen })
    if (!isNew) removeLeftovers(held)
    return { held, isNew }
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    const message = `cannot restore into ${displayName(target)}: ${describeFailure(error)}`
    throw new HoldfastError('IO', message, {
      hint: 'name a folder that you may write into, or one that can be made',
      cause: error,
    })
  }
}

function lookForTarget(target: RawName, maxOpen: number): Target {
  try {
    return { held: holdDirectory(target, { maxOpen }), isNew: false }
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
    return { held: undefined, isNew: true }
  }
}
