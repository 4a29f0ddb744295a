import fs, { type FileHandle } from 'node:fs/promises'
import { dirname, relative } from 'node:path'
import { vi } from 'vitest'
import type { Random } from '../model/random.ts'
import type { Files } from './scene.ts'

/** One thing that was done to a disk. Paths are those in the repository. */
export type DiskCall =
  | { readonly what: 'create' | 'sync' | 'syncDirectory' | 'unlink' | 'mkdir'; readonly path: string }
  | { readonly what: 'write'; readonly path: string; readonly at: number; readonly bytes: Buffer }
  | { readonly what: 'rename' | 'link'; readonly path: string; readonly to: string }

/**
 * Record what a local backend does to the disk below a folder, in the order in which the calls return.
 *
 * @returns the calls so far, and what ends the recording
 */
export function recordDisk(base: string): { readonly calls: readonly DiskCall[]; readonly end: () => void } {
  const calls: DiskCall[] = []
  const name = (path: unknown): string => relative(base, String(path))
  const real = {
    open: fs.open,
    rename: fs.rename,
    link: fs.link,
    unlink: fs.unlink,
    mkdir: fs.mkdir,
  }
  const spies = [
    vi.spyOn(fs, 'open').mockImplementation(async (path, flags, mode) => {
      const handle = await real.open(path, flags, mode)
      if (flags === 'wx') {
        calls.push({ what: 'create', path: name(path) })
        return watch(handle, name(path), calls)
      }
      return flags === 'r' ? watchDirectory(handle, name(path), calls) : handle
    }),
    vi.spyOn(fs, 'rename').mockImplementation(async (from, to) => {
      await real.rename(from, to)
      calls.push({ what: 'rename', path: name(from), to: name(to) })
    }),
    vi.spyOn(fs, 'link').mockImplementation(async (from, to) => {
      await real.link(from, to)
      calls.push({ what: 'link', path: name(from), to: name(to) })
    }),
    vi.spyOn(fs, 'unlink').mockImplementation(async (path) => {
      await real.unlink(path)
      calls.push({ what: 'unlink', path: name(path) })
    }),
    vi.spyOn(fs, 'mkdir').mockImplementation(async (path, options) => {
      const made = await real.mkdir(path, options)
      calls.push({ what: 'mkdir', path: name(path) })
      return made
    }),
  ]
  return {
    calls,
    end: () => {
      for (const spy of spies) spy.mockRestore()
    },
  }
}

function watch(handle: FileHandle, path: string, calls: DiskCall[]): FileHandle {
  const [write, sync] = [handle.write.bind(handle), handle.sync.bind(handle)]
  return Object.assign(handle, {
    write: async (bytes: Uint8Array, offset: number, length: number, at: number) => {
      const result = await write(bytes, offset, length, at)
      const written = Buffer.from(bytes.subarray(offset, offset + result.bytesWritten))
      calls.push({ what: 'write', path, at, bytes: written })
      return result
    },
    sync: async () => {
      await sync()
      calls.push({ what: 'sync', path })
    },
  })
}

function watchDirectory(handle: FileHandle, path: string, calls: DiskCall[]): FileHandle {
  const sync = handle.sync.bind(handle)
  return Object.assign(handle, {
    sync: async () => {
      await sync()
      calls.push({ what: 'syncDirectory', path })
    },
  })
}

/** A file, whatever names it has: its bytes now, and those that a sync has made safe. */
interface Inode {
  current: Buffer
  safe: Buffer
}
type Entry = Inode | 'directory'

/** A change of a name that no sync of its directory has made safe yet; no entry takes the name away. */
interface PendingName {
  readonly path: string
  readonly entry: Entry | undefined
}

/** What of the things that were not made safe has reached the disk. */
export type Luck = 'all' | 'none' | Random

/**
 * A disk as POSIX promises it, and no better: what was not synced may be there, or not, or in part; names that were
 * not made safe by a sync of their directory may come or go one by one, in any combination.
 */
export class Disk {
  private readonly now = new Map<string, Entry>()
  private readonly safe = new Map<string, Entry>()
  private pending: PendingName[] = []

  constructor(files: Files) {
    const put = (path: string, entry: Entry): void => {
      this.now.set(path, entry)
      this.safe.set(path, entry)
    }
    for (const [name, bytes] of files) {
      for (let parent = dirname(name); parent !== '.'; parent = dirname(parent)) put(parent, 'directory')
      put(name, { current: bytes, safe: bytes })
    }
  }

  apply(call: DiskCall): void {
    switch (call.what) {
      case 'create':
        this.change(call.path, { current: Buffer.alloc(0), safe: Buffer.alloc(0) })
        return
      case 'mkdir':
        this.change(call.path, 'directory')
        return
      case 'unlink':
        this.change(call.path, undefined)
        return
      case 'link':
        this.change(call.to, this.now.get(call.path))
        return
      case 'rename': {
        const entry = this.now.get(call.path)
        this.change(call.to, entry)
        this.change(call.path, undefined)
        return
      }
      case 'write': {
        const inode = this.inode(call.path)
        const bytes = Buffer.alloc(Math.max(inode.current.length, call.at + call.bytes.length))
        inode.current.copy(bytes)
        call.bytes.copy(bytes, call.at)
        inode.current = bytes
        return
      }
      case 'sync': {
        const inode = this.inode(call.path)
        inode.safe = inode.current
        return
      }
      case 'syncDirectory': {
        const isHere = ({ path }: PendingName): boolean => dirname(path) === (call.path || '.')
        for (const change of this.pending.filter(isHere)) this.settle(this.safe, change)
        this.pending = this.pending.filter((change) => !isHere(change))
      }
    }
  }

  /** The files that are found after the power fails now. */
  afterPowerLoss(luck: Luck): Files {
    const reaches = (): boolean => luck === 'all' || (luck !== 'none' && luck.chance(0.5))
    const names = new Map(this.safe)
    for (const change of this.pending) if (reaches()) this.settle(names, change)
    const contents = new Map<Inode, Buffer>()
    const files: Files = new Map()
    for (const [path, entry] of names) {
      if (entry === 'directory' || !this.isReachable(names, path)) continue
      if (!contents.has(entry)) contents.set(entry, contentAfter(entry, luck))
      files.set(path, contents.get(entry)!)
    }
    return files
  }

  private isReachable(names: ReadonlyMap<string, Entry>, path: string): boolean {
    for (let parent = dirname(path); parent !== '.'; parent = dirname(parent))
      if (names.get(parent) !== 'directory') return false
    return true
  }

  private change(path: string, entry: Entry | undefined): void {
    this.settle(this.now, { path, entry })
    this.pending.push({ path, entry })
  }

  private settle(names: Map<string, Entry>, { path, entry }: PendingName): void {
    if (entry === undefined) names.delete(path)
    else names.set(path, entry)
  }

  private inode(path: string): Inode {
    const entry = this.now.get(path)
    if (entry === undefined || entry === 'directory') throw new Error(`${path} is no file`)
    return entry
  }
}

/** Bytes that were not synced are there, or are not, or are zeros from somewhere on. */
function contentAfter({ current, safe }: Inode, luck: Luck): Buffer {
  if (luck === 'all' || current === safe) return current
  if (luck === 'none') return safe
  const kept = luck.below(current.length + 1)
  const torn = Buffer.alloc(luck.chance(0.5) ? current.length : kept)
  current.copy(torn, 0, 0, kept)
  safe.copy(torn, 0, 0, Math.min(safe.length, torn.length))
  return torn
}
