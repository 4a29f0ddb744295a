/** Most bytes that get, getRange and put move in one call: 128 MiB. Longer files are staged, and read by range. */
export const MAX_WHOLE_BYTES: number = 128 * 1024 * 1024

/** A file of the repository as a listing shows it. */
export interface StoredFile {
  /** Relative and `/`-separated: `config`, `data/ab/<64 hex digits>`. */
  readonly name: string
  readonly sizeBytes: number
}

export interface PutOptions {
  /** Lower-case letters and digits, at most 64: the session whose temporary files prune leaves alone. */
  readonly owner: string
}

/**
 * A file while it is written, in `tmp/<owner>-<random>`. One call at a time. A call that fails ends it: its
 * temporary file is removed, and every later call but discard is a programmer's error. Where its temporary file
 * has been removed by another client, commit gives IO.
 */
export interface StagedFile {
  /** Add bytes at the end. Borrowed until the promise settles. */
  append(bytes: Uint8Array): Promise<void>
  /** Give it its name, in place of a file that has it. Whole and durable on return. Ends the staged file. */
  commit(name: string): Promise<void>
  /** Remove it. Does nothing after commit or an earlier discard, so it can stand in a `finally`. */
  discard(): Promise<void>
}

/**
 * Files under names, on storage that may be shared with any number of other clients.
 *
 * Names: up to three directories of lower-case letters and digits, then a file name. Another name is a
 * programmer's error (plain Error), as are calls after close. A name is never used twice for other bytes.
 * Every call sees each put and remove that was complete before it began, of any client.
 * A failed put, putNew or commit leaves the file absent or whole, never in part; which of the two is unknown.
 * An aborted signal gives INTERRUPTED at the next step; a put or remove that has taken effect is not undone.
 * Storage that fails gives IO with the path and a hint.
 */
export interface Backend {
  /** For messages: an absolute path or an address, without secrets. */
  readonly location: string

  /**
   * The whole file, in memory of its own that the caller owns (never pooled, so it can be transferred).
   * @throws NO_SUCH_FILE when absent; DamagedError when longer than MAX_WHOLE_BYTES.
   */
  get(name: string, signal?: AbortSignal): Promise<Buffer>

  /**
   * Exactly `lengthBytes` (0 to MAX_WHOLE_BYTES) from `offsetBytes` on; memory as with get, asked for only
   * when the file is long enough.
   * @throws NO_SUCH_FILE when absent; DamagedError when the file ends before.
   */
  getRange(name: string, offsetBytes: number, lengthBytes: number, signal?: AbortSignal): Promise<Buffer>

  /**
   * The same without a promise and into memory of the caller's, where storage is a disk of this machine: for many short
   * ranges, one needed after the other. Blocks the thread.
   *
   * @returns false for whatever goes wrong, which getRange is to say; the target may have changed
   */
  fillNow?(name: string, offsetBytes: number, target: Buffer): boolean

  /** As getRange, into memory of the caller's, also shared one: as many bytes as it is long. Where it throws they are undefined. */
  fillRange(name: string, offsetBytes: number, target: Buffer, signal?: AbortSignal): Promise<void>

  /** Store a file, in place of one that has the name. Appears whole; durable on return. `bytes` is borrowed. */
  put(name: string, bytes: Uint8Array, options: PutOptions, signal?: AbortSignal): Promise<void>

  /** As put, but only where no file has the name: of any number at once exactly one wins. @throws ALREADY_EXISTS */
  putNew(name: string, bytes: Uint8Array, options: PutOptions, signal?: AbortSignal): Promise<void>

  /** Begin a file of unknown length. It is listed under `tmp/` until it is committed or discarded. */
  stage(owner: string): Promise<StagedFile>

  /**
   * Every file below a directory, at any depth and in any order; `''` is the whole repository; a missing
   * directory is empty. Holds every file that is there from start to end; one that comes or goes meanwhile
   * may be in it or not. Files with unknown names are in it; what no name can reach (special files,
   * directories such as lost+found, names that are not UTF-8) is not.
   */
  list(directory: string, signal?: AbortSignal): AsyncIterable<StoredFile>

  /** Remove a file; missing is fine. Durable on return. */
  remove(name: string, signal?: AbortSignal): Promise<void>

  /** Release connections. Staged files belong to their writers. */
  close(): Promise<void>
}
