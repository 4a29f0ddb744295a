import type { ChunkId } from '../encoding/index.ts'

/**
 * Work in steps, so that the same code runs in a thread, which waits where it is, and in the run's own thread,
 * which does not. A step is a pause, undefined; or the id of a tree chunk that is needed: its bytes are what the
 * step resumes with, undefined when it cannot be read.
 */
export type Steps<Result> = Generator<ChunkId | undefined, Result, Buffer | undefined>
