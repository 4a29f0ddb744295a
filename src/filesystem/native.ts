import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { getSystemErrorMap } from 'node:util'
import type { RawName } from '../encoding/index.ts'
import { displayName, nameBytes } from '../encoding/index.ts'

/**
 * The four calls on extended attributes. A target is a descriptor or a path from `cString`, a name comes from
 * `cString`. Each returns what the call returns, or the negated errno.
 */
export interface XattrCalls {
  readonly list: (target: number | Buffer, names: Buffer) => number
  readonly get: (target: number | Buffer, name: Buffer, value: Buffer) => number
  readonly set: (target: number | Buffer, name: Buffer, value: Uint8Array) => number
  readonly remove: (target: number | Buffer, name: Buffer) => number
}

/** What libc can do and Node cannot. Each call returns its result, or the negated errno. */
export interface NativeCalls {
  readonly descriptorXattrs: XattrCalls
  /** By path, following a symbolic link. */
  readonly pathXattrs: XattrCalls
  /** By path, on a symbolic link itself. */
  readonly linkXattrs: XattrCalls
  /** `times`: seconds and nanoseconds of atime, then of mtime. */
  readonly setTimes: (path: Buffer, times: BigInt64Array, followLink: boolean) => number
  /** `mode` with the bits of the file type. */
  readonly makeNode: (path: Buffer, mode: number, device: bigint) => number
  readonly seek: (fd: number, offset: bigint, whence: number) => bigint
  /** `times` as with `setTimes`. */
  readonly setDescriptorTimes: (fd: number, times: Uint8Array) => number
  /** The call statx; undefined where the system has none, or does not let it through. */
  readonly status: StatusCall | undefined
  /** Calls on a name in an open folder; undefined where their way of passing arguments is not known. */
  readonly inFolder: FolderCalls | undefined
}

/**
 * Fills `out`, 256 bytes, with what statx(2) says of a path, or with an empty one of the descriptor `directory`.
 * `path` ends with a NUL. Returns 0 or the negated errno.
 */
type StatusCall = (directory: number, path: Buffer, flags: number, out: Buffer) => number

/** Names come as with `cString`, and may be longer buffers. */
export interface FolderCalls {
  readonly open: (folder: number, name: Buffer, flags: number, mode: number) => number
  readonly rename: (folder: number, from: Buffer, to: Buffer) => number
  /** For what `open` gave: Node keeps a list of what it opened itself in a thread. */
  readonly close: (fd: number) => number
}

/** The calls, or why they are missing. */
export type Native = { readonly calls: NativeCalls } | { readonly calls: undefined; readonly reason: string }

type ErrnoName = keyof typeof constants.errno

export const AT_FDCWD = -100
export const AT_SYMLINK_NOFOLLOW = 0x100
/** What lstat tells of. */
const STATX_BASIC_STATS = 0x7ff
/** Where a call with a variable number of arguments takes them like any other. */
const PLAIN_VARIADIC = ['x64', 'arm64']
const SIXTY_FOUR_BITS = ['x64', 'arm64', 'riscv64', 'ppc64', 's390x', 'loong64']

let loaded: Native | undefined

/** The native calls of this thread; loaded at the first call (some milliseconds), then kept. Never throws. */
export function native(): Native {
  loaded ??= loadNative()
  return loaded
}

function loadNative(): Native {
  const { platform, arch } = process
  if (platform !== 'linux') return { calls: undefined, reason: `not supported on ${platform}` }
  // The signatures below hold where long, off_t and time_t have 64 bits.
  if (!SIXTY_FOUR_BITS.includes(arch)) return { calls: undefined, reason: `not supported on ${arch}` }
  try {
    return { calls: bindCalls() }
  } catch (error) {
    return { calls: undefined, reason: `the optional package koffi cannot be used: ${firstLine(error)}` }
  }
}

function bindCalls(): NativeCalls {
  const koffi: typeof import('koffi') = createRequire(import.meta.url)('koffi')
  // The process itself: node is linked with libc, whatever that is called here (glibc, musl).
  const libc = koffi.load(null)
  const bind = (definition: string): ((...values: unknown[]) => number) => {
    const call = libc.func(definition)
    return (...values) => {
      const result = Number(call(...values))
      return result < 0 ? -koffi.errno() : result
    }
  }
  const bindXattrs = (prefix: string, target: string): XattrCalls => {
    const list = bind(`long ${prefix}listxattr(${target}, void *names, size_t size)`)
    const get = bind(`long ${prefix}getxattr(${target}, const void *name, void *value, size_t size)`)
    const set = bind(
      `int ${prefix}setxattr(${target}, const void *name, const void *value, size_t size, int flags)`,
    )
    const remove = bind(`int ${prefix}removexattr(${target}, const void *name)`)
    return {
      list: (on, names) => list(on, names, names.length),
      get: (on, name, value) => get(on, name, value, value.length),
      set: (on, name, value) => set(on, name, value, value.length, 0),
      remove,
    }
  }
  const utimensat = bind('int utimensat(int directory, const void *path, const void *times, int flags)')
  const mknod = bind('int mknod(const void *path, uint32_t mode, uint64_t device)')
  const futimens = libc.func('int futimens(int fd, const void *times)')
  const openat = libc.func('int openat(int folder, const void *name, int flags, uint32_t mode)')
  const renameat = libc.func('int renameat(int folder, const void *from, int other, const void *to)')
  const close = libc.func('int close(int fd)')
  const failed = (result: number): number => (result < 0 ? -koffi.errno() : result)
  const inFolder: FolderCalls = {
    open: (folder, name, flags, mode) => failed(openat(folder, name, flags, mode)),
    close: (fd) => failed(close(fd)),
    rename: (folder, from, to) => failed(renameat(folder, from, folder, to)),
  }
  const lseek = libc.func('int64_t lseek(int fd, int64_t offset, int whence)')
  const bindStatus = (): StatusCall => {
    const statx = libc.func('int statx(int directory, const void *path, int flags, uint32_t mask, void *out)')
    return (directory, path, flags, out) => failed(statx(directory, path, flags, STATX_BASIC_STATS, out))
  }
  return {
    descriptorXattrs: bindXattrs('f', 'int fd'),
    pathXattrs: bindXattrs('', 'const void *path'),
    linkXattrs: bindXattrs('l', 'const void *path'),
    setTimes: (path, times, followLink) =>
      utimensat(AT_FDCWD, path, times, followLink ? 0 : AT_SYMLINK_NOFOLLOW),
    makeNode: mknod,
    status: workingStatus(bindStatus),
    setDescriptorTimes: (fd, times) => failed(futimens(fd, times)),
    inFolder: PLAIN_VARIADIC.includes(process.arch) ? inFolder : undefined,
    seek: (fd, offset, whence) => {
      const result = BigInt(lseek(fd, offset, whence))
      return result < 0n ? -BigInt(koffi.errno()) : result
    },
  }
}

/** Old C libraries lack the call, old kernels refuse it, and so do the filters of old containers. */
function workingStatus(bindStatus: () => StatusCall): StatusCall | undefined {
  try {
    const call = bindStatus()
    return call(AT_FDCWD, cString('/'), AT_SYMLINK_NOFOLLOW, Buffer.alloc(256)) === 0 ? call : undefined
  } catch {
    return undefined
  }
}

/** The bytes of a path or name with the NUL that C wants. Throws on a NUL inside, a programmer's error. */
export function cString(text: RawName): Buffer {
  const bytes = nameBytes(text)
  if (bytes.includes(0)) throw new Error('a path holds a NUL byte')
  const terminated = Buffer.alloc(bytes.length + 1)
  terminated.set(bytes)
  return terminated
}

/** An error like those of node:fs: `code`, `syscall`, `path`. `failure` is a negated errno or its name. */
export function systemError(
  failure: number | ErrnoName,
  syscall: string,
  path: RawName,
): NodeJS.ErrnoException {
  const errno = typeof failure === 'number' ? failure : -constants.errno[failure]
  const [code, message] = getSystemErrorMap().get(errno) ?? [`errno ${-errno}`, 'unknown error']
  const shown = displayName(path)
  const error = new Error(`${code}: ${message}, ${syscall} '${shown}'`)
  return Object.assign(error, { code, errno, syscall, path: shown })
}

/** True when `result` is one of these, negated. */
export function failedWith(result: number, ...names: readonly ErrnoName[]): boolean {
  return names.some((name) => result === -constants.errno[name])
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n', 1)[0]!
}
