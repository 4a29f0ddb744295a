import { createRequire } from 'node:module'
import { HoldfastError } from '../errors/index.ts'
import { searchParameters } from './search.ts'

/** Compression contexts of one thread. Both functions are synchronous. */
export interface Zstd {
  /**
   * Compress into one zstd frame.
   *
   * @param level 1 to 19
   * @returns the frame in memory owned by the caller; undefined when it would not be smaller than the input
   */
  compress(plain: Uint8Array, level: number): Uint8Array | undefined
  /** The same in memory that is good until the next call. */
  compressBorrowed(plain: Uint8Array, level: number): Uint8Array | undefined
  /**
   * Decompress one frame into memory of exactly `plainBytes`, whatever the frame itself claims.
   *
   * @throws HoldfastError DAMAGED when the frame is invalid or holds another number of bytes
   */
  decompress(frame: Uint8Array, plainBytes: number): Buffer
  /**
   * The same into memory of the caller's, which one frame fills exactly.
   *
   * @throws HoldfastError DAMAGED
   */
  decompressInto(frame: Uint8Array, plain: Buffer): void
}

const require = createRequire(import.meta.url)
let loaded: Zstd | undefined

/** zstd through zstd-napi's binding, or node:zlib's where that does not load (Node 22.15 and later). */
export function loadZstd(): Zstd {
  loaded ??= loadBinding() ?? loadZlib()
  if (loaded === undefined) {
    throw new HoldfastError('UNSUPPORTED', 'zstd does not load on this machine', {
      hint: 'run npm rebuild zstd-napi, or use Node 22.15 or later',
    })
  }
  return loaded
}

function loadBinding(): Zstd | undefined {
  let binding: Binding
  try {
    binding = require('zstd-napi/binding.js') as Binding
  } catch {
    return undefined
  }
  const compressor = createCompressor(binding)
  const decompressor = new binding.DCtx()
  let scratch = Buffer.alloc(0)
  const decompressInto = (frame: Uint8Array, plain: Buffer): void => {
    let length: number
    try {
      // The low-level call writes at most plain.length bytes; the high-level one has no limit at all.
      length = decompressor.decompress(plain, frame)
    } catch (cause) {
      throw new HoldfastError('DAMAGED', 'a compressed block cannot be decompressed', { cause })
    }
    if (length !== plain.length) throw wrongLength()
  }
  const compressBorrowed = (plain: Uint8Array, level: number): Uint8Array | undefined => {
    const bound = binding.compressBound(plain.length)
    if (scratch.length < bound) scratch = Buffer.allocUnsafeSlow(bound)
    const length = compressor(scratch, plain, level)
    return length < plain.length ? scratch.subarray(0, length) : undefined
  }
  return {
    compress(plain, level) {
      const frame = compressBorrowed(plain, level)
      return frame && Uint8Array.prototype.slice.call(frame)
    },
    compressBorrowed,
    decompress(frame, plainBytes) {
      const plain = Buffer.allocUnsafe(plainBytes)
      decompressInto(frame, plain)
      return plain
    },
    decompressInto,
  }
}

type Binding = typeof import('zstd-napi/binding.js')

/** Compresses into a target that is large enough. @returns bytes written */
function createCompressor(
  binding: Binding,
): (target: Uint8Array, plain: Uint8Array, level: number) => number {
  const { CCtx, CParameter, ResetDirective } = binding
  const context = new CCtx()
  return (target, plain, level) => {
    context.reset(ResetDirective.sessionAndParameters)
    context.setParameter(CParameter.compressionLevel, level)
    const search = searchParameters(level, plain.length)
    if (search !== undefined) {
      context.setParameter(CParameter.windowLog, search.windowLog)
      context.setParameter(CParameter.hashLog, search.hashLog)
      context.setParameter(CParameter.chainLog, search.chainLog)
      context.setParameter(CParameter.minMatch, search.minMatch)
      context.setParameter(CParameter.strategy, search.strategy)
    }
    return context.compress2(target, plain)
  }
}

interface ZlibZstd {
  zstdCompressSync(data: Uint8Array, options: object): Buffer
  zstdDecompressSync(data: Uint8Array, options: object): Buffer
  constants: Record<string, number>
}

function loadZlib(): Zstd | undefined {
  const zlib = require('node:zlib') as unknown as ZlibZstd
  if (typeof zlib.zstdCompressSync !== 'function') return undefined
  const compress = (plain: Uint8Array, level: number): Uint8Array | undefined => {
    const params = zlibParameters(zlib.constants, level, plain.length)
    const frame = zlib.zstdCompressSync(plain, { params, pledgedSrcSize: plain.length })
    return frame.length < plain.length ? frame : undefined
  }
  const decompress = (frame: Uint8Array, plainBytes: number): Buffer => {
    let plain: Buffer
    try {
      plain = zlib.zstdDecompressSync(frame, { maxOutputLength: Math.max(plainBytes, 1) })
    } catch (cause) {
      throw new HoldfastError('DAMAGED', 'a compressed block cannot be decompressed', { cause })
    }
    if (plain.length !== plainBytes) throw wrongLength()
    return plain
  }
  return {
    compress,
    compressBorrowed: compress,
    decompress,
    decompressInto(frame, plain) {
      decompress(frame, plain.length).copy(plain)
    },
  }
}

function zlibParameters(
  constants: Record<string, number>,
  level: number,
  lengthBytes: number,
): Record<number, number> {
  const params: Record<number, number> = { [constants.ZSTD_c_compressionLevel!]: level }
  for (const [name, value] of Object.entries(searchParameters(level, lengthBytes) ?? {})) {
    params[constants[`ZSTD_c_${name}`]!] = value
  }
  return params
}

function wrongLength(): HoldfastError {
  return new HoldfastError('DAMAGED', 'a compressed block has another length than stated')
}
