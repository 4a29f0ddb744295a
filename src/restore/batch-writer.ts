import { fstatSync, ftruncateSync } from 'node:fs'
import { threadId } from 'node:worker_threads'
import type { RawName } from '../encoding/index.ts'
import { HoldfastError, systemCode } from '../errors/index.ts'
import {
  applyToNewFile,
  checkName,
  closeIn,
  createFileIn,
  type FileMetadata,
  type Owner,
  openFileIn,
  removeIn,
  renameIn,
} from '../filesystem/index.ts'
import { createBlockOpener, createLocalBlocks } from '../repository/worker.ts'
import { toPlainError } from '../threads/index.ts'
import {
  asBuffer,
  asXattrs,
  type BatchAnswer,
  type BatchFolder,
  type BatchSettings,
  type BatchTask,
  FILE_FIELDS,
  fileFields,
  PIECE_FIELDS,
  pieceFields,
} from './batch.ts'
import { OpenBlocks, piecesByFile } from './batch-pieces.ts'
import { costsOneFile } from './failure.ts'
import { dataStretches, writeAll } from './sparse.ts'

/** Does batches: opens and checks the blocks, then writes file by file, with one file open at a time. */
export interface BatchWriter {
  /** @throws HoldfastError INTERRUPTED between files: those before are done */
  run(task: BatchTask): BatchAnswer
}

/** A batch on its way. */
interface Scene {
  readonly task: BatchTask
  readonly plains: readonly (Buffer | undefined)[]
  /** Pieces of the file at hand: `order[from]` up to, not including, `order[to]`. */
  readonly order: Int32Array
  readonly warnings: { readonly file: number; readonly message: string }[]
  /** What new files in each folder belong to, once known. */
  readonly owners: (Owner | undefined)[]
}

export function createBatchWriter(settings: BatchSettings, isAborted: () => boolean): BatchWriter {
  const { keys, localFolder } = settings
  const local = localFolder === undefined ? undefined : createLocalBlocks(localFolder)
  const blocks = new OpenBlocks(createBlockOpener(keys), local)
  let count = 0

  const writePieces = (scene: Scene, file: number, fd: number, from: number, to: number): void => {
    const { task, plains, order } = scene
    const { pieces } = task
    const holes = settings.isSparse ? 'any' : (task.extras.get(file)?.holes ?? [])
    for (let next = from; next < to; ) {
      const at = order[next++]! * PIECE_FIELDS
      const plain = plains[pieces[at + pieceFields.block]!]!
      const start = pieces[at + pieceFields.offset]!
      const destination = pieces[at + pieceFields.destination]!
      let length = pieces[at + pieceFields.length]!
      // Chunks that follow each other in the block and in the file are one write.
      for (; next < to; next++) {
        const other = order[next]! * PIECE_FIELDS
        if (pieces[other + pieceFields.block] !== pieces[at + pieceFields.block]) break
        if (pieces[other + pieceFields.offset] !== start + length) break
        if (pieces[other + pieceFields.destination] !== destination + length) break
        length += pieces[other + pieceFields.length]!
      }
      if (holes.length === 0) writeAll(fd, plain, start, length, destination)
      else {
        const bytes = plain.subarray(start, start + length)
        for (const [first, end] of dataStretches(bytes, destination, holes)) {
          writeAll(fd, bytes, first, end - first, destination + first)
        }
      }
    }
  }

  const writePart = (scene: Scene, file: number, from: number, to: number): void => {
    const { folders, files, names } = scene.task
    const folder = folders[files[file * FILE_FIELDS + fileFields.folder]!]!
    const fd = openFileIn(folder.address, rawName(names[file]!))
    try {
      writePieces(scene, file, fd, from, to)
    } finally {
      closeIn(folder.address, fd)
    }
  }

  const fillWhole = (scene: Scene, file: number, fd: number, from: number, to: number): void => {
    const { files, extras, folders } = scene.task
    const at = file * FILE_FIELDS
    const folder = files[at + fileFields.folder]!
    if (settings.isSparse || extras.has(file)) ftruncateSync(fd, files[at + fileFields.sizeBytes]!)
    writePieces(scene, file, fd, from, to)
    scene.owners[folder] ??= fstatSync(fd)
    const { uid, gid } = scene.owners[folder]!
    const made = { uid, gid, mode: 0o600, isBare: folders[folder]!.isBare }
    for (const { message } of applyToNewFile(fd, made, metadataOf(scene.task, file), settings)) {
      scene.warnings.push({ file, message })
    }
  }

  const writeWhole = (scene: Scene, file: number, from: number, to: number): void => {
    const { folders, files, names } = scene.task
    const { address } = folders[files[file * FILE_FIELDS + fileFields.folder]!]!
    const name = rawName(names[file]!)
    checkName(name)
    const temporary = `${settings.temporaryPrefix}${threadId}-${(count++).toString(36)}`
    let fd: number | undefined = createFileIn(address, temporary)
    try {
      fillWhole(scene, file, fd, from, to)
      const open = fd
      fd = undefined
      closeIn(address, open)
      renameIn(address, temporary, name)
    } catch (error) {
      if (fd !== undefined) closeIn(address, fd)
      removeQuietly(address, temporary)
      throw error
    }
  }

  return {
    run(task) {
      const plains = blocks.open(task)
      const isSound = blocks.check(task, plains)
      const { starts, order } = piecesByFile(task)
      const unsound: number[] = []
      const failures: { file: number; error: BatchAnswer['failures'][number]['error'] }[] = []
      const scene: Scene = { task, plains, order, warnings: [], owners: [] }
      for (let file = 0; file + 1 < starts.length; file++) {
        if (isAborted()) throw new HoldfastError('INTERRUPTED', 'interrupted')
        const from = starts[file]!
        const to = moveUnsound(order, from, starts[file + 1]!, isSound)
        for (let at = to; at < starts[file + 1]!; at++) unsound.push(order[at]!)
        const isWhole = task.files[file * FILE_FIELDS + fileFields.isWhole] === 1
        if (to === from || (isWhole && to < starts[file + 1]!)) continue
        try {
          if (isWhole) writeWhole(scene, file, from, to)
          else writePart(scene, file, from, to)
        } catch (error) {
          if (!costsOneFile(error)) throw error
          failures.push({ file, error: toPlainError(error) })
        }
      }
      return { unsound, failures, warnings: scene.warnings }
    },
  }
}

/** Move pieces that are not sound behind the others, which keep their order. @returns where they begin */
function moveUnsound(order: Int32Array, from: number, to: number, isSound: Uint8Array): number {
  let bad: number[] | undefined
  let kept = from
  for (let at = from; at < to; at++) {
    const piece = order[at]!
    if (isSound[piece] === 1) order[kept++] = piece
    else {
      bad ??= []
      bad.push(piece)
    }
  }
  if (bad !== undefined) order.set(bad, kept)
  return kept
}

function metadataOf({ files, extras }: BatchTask, file: number): FileMetadata {
  const at = file * FILE_FIELDS
  const atimeSeconds = files[at + fileFields.atimeSeconds]!
  return {
    mode: files[at + fileFields.mode]!,
    uid: files[at + fileFields.uid]!,
    gid: files[at + fileFields.gid]!,
    mtime: {
      seconds: files[at + fileFields.mtimeSeconds]!,
      nanoseconds: files[at + fileFields.mtimeNanoseconds]!,
    },
    atime: Number.isNaN(atimeSeconds)
      ? undefined
      : { seconds: atimeSeconds, nanoseconds: files[at + fileFields.atimeNanoseconds]! },
    xattrs: asXattrs(extras.get(file)?.xattrs ?? []),
  }
}

function rawName(name: string | Uint8Array): RawName {
  return typeof name === 'string' ? name : asBuffer(name)
}

/** What went wrong before says more. */
function removeQuietly(folder: BatchFolder['address'], name: string): void {
  try {
    removeIn(folder, name)
  } catch (error) {
    if (systemCode(error) === undefined) throw error
  }
}
