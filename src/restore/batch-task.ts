import type { ChunkId } from '../encoding/index.ts'
import { clockTime, type FolderAddress, givesAcl, type Owner } from '../filesystem/index.ts'
import type { BlockPlace } from '../repository/index.ts'
import {
  type BatchFolder,
  type BatchTask,
  FILE_FIELDS,
  type FileExtras,
  fileFields,
  PIECE_FIELDS,
  pieceFields,
} from './batch.ts'
import type { Batch } from './batch-plan.ts'
import type { PendingFile } from './entry.ts'
import type { TargetDirectory } from './target-directory.ts'

const ID_BYTES = 32

/** A batch as it is given to a thread, and what the thread's answer is about. */
export interface PreparedBatch {
  /** All but the blocks. */
  readonly task: Omit<BatchTask, 'blocks'>
  /** By file of the task. */
  readonly files: readonly BatchFile[]
  /** By folder of the task; each is pinned once. */
  readonly directories: readonly TargetDirectory[]
}

export interface BatchFile {
  readonly file: PendingFile
  readonly isWhole: boolean
  /** Bytes of its pieces. */
  bytes: number
}

export interface PrepareParts {
  /** Whether a file can be made, written and named in one go when all of it is there. */
  readonly isSimple: (file: PendingFile) => boolean
  readonly ownerOf: (file: PendingFile) => Owner
  /** Make sure that there is a file to write to, under its temporary name. False when that failed. */
  readonly begin: (file: PendingFile) => boolean
  readonly fail: (file: PendingFile, error: unknown) => void
}

/** In order of offset, each once. */
export function placesOf(batch: Batch): BlockPlace[] {
  return batch.parts.map((part) => part.work.place)
}

/** Leaves out files that have been given up. Pins the folders of all others. */
export function prepareBatch(batch: Batch, parts: PrepareParts): PreparedBatch {
  const pieceCount = batch.parts.reduce((sum, { from, to }) => sum + to - from, 0)
  const pieces = new Float64Array(pieceCount * PIECE_FIELDS)
  const ids = new Uint8Array(pieceCount * ID_BYTES)
  const rows = new RowTable(batch.number, parts)
  let count = 0
  batch.parts.forEach(({ work, from, to }, block) => {
    for (let piece = from; piece < to; piece++) {
      const file = work.owners[piece]!
      if (file.state !== 'pending') continue
      const row = rows.rowOf(file)
      if (row === undefined) continue
      const at = count * PIECE_FIELDS
      pieces[at + pieceFields.file] = row
      pieces[at + pieceFields.block] = block
      pieces[at + pieceFields.offset] = work.offsets[piece]!
      pieces[at + pieceFields.length] = work.lengths[piece]!
      pieces[at + pieceFields.destination] = work.destinations[piece]!
      work.ids.copyTo(ids, count * ID_BYTES, piece)
      rows.files[row]!.bytes += work.lengths[piece]!
      count++
    }
  })
  const { files, directories } = rows
  const task = {
    folders: rows.folders,
    names: files.map(({ file, isWhole }) => (isWhole ? file.node.name : file.temporary!)),
    files: Float64Array.from(rows.fields),
    extras: rows.extras,
    pieces: pieces.subarray(0, count * PIECE_FIELDS),
    ids: ids.subarray(0, count * ID_BYTES),
  }
  return { task, files, directories }
}

/** One piece of a prepared batch. */
export function pieceOf(
  { task, files }: PreparedBatch,
  piece: number,
): { readonly file: BatchFile; readonly id: ChunkId; readonly length: number; readonly destination: number } {
  const at = piece * PIECE_FIELDS
  return {
    file: files[task.pieces[at + pieceFields.file]!]!,
    id: task.ids.subarray(piece * ID_BYTES, (piece + 1) * ID_BYTES) as ChunkId,
    length: task.pieces[at + pieceFields.length]!,
    destination: task.pieces[at + pieceFields.destination]!,
  }
}

/** The files and folders of a batch, in the order in which they come up. */
class RowTable {
  readonly files: BatchFile[] = []
  readonly fields: number[] = []
  readonly extras = new Map<number, FileExtras>()
  readonly folders: BatchFolder[] = []
  readonly directories: TargetDirectory[] = []
  private readonly folderRows = new Map<TargetDirectory, number>()
  private readonly number: number
  private readonly parts: PrepareParts

  constructor(number: number, parts: PrepareParts) {
    this.number = number
    this.parts = parts
  }

  /** Undefined for a file that could not be begun. */
  rowOf(file: PendingFile): number | undefined {
    if (this.files[file.row]?.file === file) return file.row
    // What is planned may still be in a window that comes later: only what is cut says where it is.
    const isWhole =
      file.batch === this.number &&
      file.isPlanned &&
      file.cutBytes === file.sizeBytes &&
      file.temporary === undefined &&
      file.missingBytes === file.sizeBytes &&
      this.parts.isSimple(file)
    if (!isWhole && file.temporary === undefined && !this.parts.begin(file)) return undefined
    const folder = this.folderOf(file)
    if (folder === undefined) return undefined
    const row = this.files.length
    file.row = row
    this.files.push({ file, isWhole, bytes: 0 })
    this.addFields(file, isWhole, folder)
    const { xattrs, holes } = file.node
    if (xattrs.length > 0 || holes.length > 0) this.extras.set(row, { xattrs, holes })
    return row
  }

  private addFields(file: PendingFile, isWhole: boolean, folder: number): void {
    const { node, sizeBytes } = file
    const owner = this.parts.ownerOf(file)
    const mtime = clockTime(node.mtimeNs)
    const atime = node.atimeNs === null ? undefined : clockTime(node.atimeNs)
    const at = this.fields.length
    for (let field = 0; field < FILE_FIELDS; field++) this.fields.push(0)
    this.fields[at + fileFields.folder] = folder
    this.fields[at + fileFields.isWhole] = isWhole ? 1 : 0
    this.fields[at + fileFields.sizeBytes] = sizeBytes
    this.fields[at + fileFields.mode] = node.mode
    this.fields[at + fileFields.uid] = owner.uid
    this.fields[at + fileFields.gid] = owner.gid
    this.fields[at + fileFields.mtimeSeconds] = mtime.seconds
    this.fields[at + fileFields.mtimeNanoseconds] = mtime.nanoseconds
    this.fields[at + fileFields.atimeSeconds] = atime?.seconds ?? Number.NaN
    this.fields[at + fileFields.atimeNanoseconds] = atime?.nanoseconds ?? 0
  }

  /** Undefined when the folder of the file cannot be reached any more. */
  private folderOf(file: PendingFile): number | undefined {
    const { directory } = file
    const known = this.folderRows.get(directory)
    if (known !== undefined) return known
    const held = directory.held!
    let address: FolderAddress
    try {
      address = held.pin()
    } catch (error) {
      this.parts.fail(file, error)
      return undefined
    }
    directory.isBare ??= !givesAcl(address)
    const row = this.folders.length
    this.folderRows.set(directory, row)
    this.directories.push(directory)
    this.folders.push({ address, isBare: directory.isBare })
    return row
  }
}
