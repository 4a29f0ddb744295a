/**
 * Threads: worker threads that do tasks for one run. Starts them, shares tasks out, carries errors across, and
 * ends them in order. Knows nothing of what the tasks are.
 */
export { endWaiting, startAhead } from './ahead.ts'
export type { PlainError } from './error.ts'
export { fromPlainError, toPlainError } from './error.ts'
export { serveThread } from './serve.ts'
export type { Threads } from './threads.ts'
export { OPENING_YOUNG_MIB, startThreads, threadCount, threadFile, YOUNG_MIB } from './threads.ts'
