/**
 * Errors: one class, stable codes, and the exit code that belongs to each. Imports nothing.
 */
export type { ErrorCode } from './error.ts'
export {
  checkAborted,
  DamagedError,
  exitCodes,
  HoldfastError,
  hasCode,
  isLossOfData,
  systemCode,
} from './error.ts'
