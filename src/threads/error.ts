import { DamagedError, type ErrorCode, HoldfastError } from '../errors/index.ts'

/** An error as plain data, since errors lose their class and fields between threads. */
export interface PlainError {
  readonly message: string
  readonly stack: string | undefined
  /** Of a HoldfastError. */
  readonly known: { readonly code: ErrorCode; readonly hint: string | undefined } | undefined
  /** Of a DamagedError. */
  readonly damaged: { readonly file: string; readonly problem: string } | undefined
  /** What node:fs adds: `code`, `errno`, `syscall`, `path`. */
  readonly system: Readonly<Record<string, string | number>>
}

const SYSTEM_FIELDS = ['code', 'errno', 'syscall', 'path'] as const

export function toPlainError(error: unknown): PlainError {
  if (!(error instanceof Error)) {
    return { message: String(error), stack: undefined, known: undefined, damaged: undefined, system: {} }
  }
  const known = error instanceof HoldfastError ? { code: error.code, hint: error.hint } : undefined
  const damaged = error instanceof DamagedError ? { file: error.file, problem: error.problem } : undefined
  const system: Record<string, string | number> = {}
  for (const field of SYSTEM_FIELDS) {
    const value = (error as unknown as Record<string, unknown>)[field]
    if (typeof value === 'string' || typeof value === 'number') system[field] = value
  }
  return { message: error.message, stack: error.stack, known, damaged, system }
}

/** The same error again; its stack is that of the thread it comes from. */
export function fromPlainError(plain: PlainError): Error {
  const { message, stack, known, damaged, system } = plain
  const hint = known?.hint === undefined ? {} : { hint: known.hint }
  const error =
    damaged !== undefined
      ? new DamagedError(damaged.file, damaged.problem, hint)
      : known !== undefined
        ? new HoldfastError(known.code, message, hint)
        : Object.assign(new Error(message), system)
  if (stack !== undefined) error.stack = stack
  return error
}
