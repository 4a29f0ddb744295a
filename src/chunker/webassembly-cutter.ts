import { readFileSync } from 'node:fs'
import { systemCode } from '../errors/index.ts'
import type { Cutter, CutterOptions } from './cutter.ts'

// The few names used here of a global that Node's types leave to the browser's. Absent under `--jitless`.
declare const WebAssembly:
  | {
      Memory: new (size: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer }
      Module: new (bytes: Uint8Array) => object
      Instance: new (module: object, imports: object) => { readonly exports: object }
      CompileError: typeof Error
    }
  | undefined

type Cut = (
  window: number,
  ends: number,
  filled: number,
  last: number,
  minimum: number,
  normal: number,
  maximum: number,
  strictLimit: number,
  looseLimit: number,
) => number

const PAGE_BYTES = 64 * 1024
const TABLE_BYTES = 1024

/**
 * The cutter in WebAssembly; undefined where there is none: built without it, switched off in the engine, or
 * no room for its memory. Memory holds the table, then the ends, then the window from a page's start.
 */
export function createWebAssemblyCutter({ table, windowBytes, endCount }: CutterOptions): Cutter | undefined {
  const code = readCode()
  if (typeof WebAssembly === 'undefined' || code === undefined) return undefined
  const windowAt = Math.ceil((TABLE_BYTES + endCount * 4) / PAGE_BYTES) * PAGE_BYTES
  const pages = Math.ceil((windowAt + windowBytes) / PAGE_BYTES)
  try {
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
    const instance = new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory } })
    const { cut } = instance.exports as { cut: Cut }
    new Uint32Array(memory.buffer, 0, 256).set(table)
    return {
      engine: 'webassembly',
      window: new Uint8Array(memory.buffer, windowAt, windowBytes),
      ends: new Uint32Array(memory.buffer, TABLE_BYTES, endCount),
      cut: (filledBytes, last, { minimumBytes, normalBytes, maximumBytes, strictLimit, looseLimit }) =>
        cut(
          windowAt,
          TABLE_BYTES,
          filledBytes,
          last ? 1 : 0,
          minimumBytes,
          normalBytes,
          maximumBytes,
          strictLimit,
          looseLimit,
        ),
    }
  } catch (error) {
    // RangeError: the address space is limited (ulimit -v), and the engine reserves gigabytes of it a memory.
    if (error instanceof WebAssembly.CompileError || error instanceof RangeError) return undefined
    throw error
  }
}

/** The built module. The path holds from src/chunker and from dist/chunker alike. */
function readCode(): Uint8Array | undefined {
  try {
    return readFileSync(new URL('../../dist/chunker/gear.wasm', import.meta.url))
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}
