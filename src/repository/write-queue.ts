/** Memory of a queue's count, for threads that share it. */
export type WriteQueueMemory = SharedArrayBuffer

/** Bytes that may wait to be written before those who read have to wait. */
const LIMIT_KIB = 32 * 1024
const CHECK_MS = 100

/**
 * How much waits to be written, counted by threads together: those that read wait for the one that writes, so
 * that memory does not grow with a file that is read faster than it is stored.
 */
export class WriteQueue {
  readonly memory: WriteQueueMemory
  private readonly count: Int32Array

  constructor(memory: WriteQueueMemory = new SharedArrayBuffer(4)) {
    this.memory = memory
    this.count = new Int32Array(memory)
  }

  /** Rounded up to KiB for each call. */
  get bytes(): number {
    return Atomics.load(this.count, 0) * 1024
  }

  add(lengthBytes: number): void {
    Atomics.add(this.count, 0, kib(lengthBytes))
  }

  /** As many as were added in one call. */
  remove(lengthBytes: number): void {
    Atomics.sub(this.count, 0, kib(lengthBytes))
    Atomics.notify(this.count, 0)
  }

  /** Block this thread, which must not be the one that writes, while the queue is full and nothing is aborted. */
  waitForRoom(isAborted: () => boolean): void {
    for (;;) {
      const now = Atomics.load(this.count, 0)
      if (now <= LIMIT_KIB || isAborted()) return
      Atomics.wait(this.count, 0, now, CHECK_MS)
    }
  }
}

function kib(lengthBytes: number): number {
  return Math.ceil(lengthBytes / 1024)
}
