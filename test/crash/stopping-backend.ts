import type { Backend, StagedFile } from '../../src/backend/index.ts'

/** Where the world stops: at which of the calls that change storage, counted from 0, and how far that call gets. */
export interface Stop {
  readonly at: number
  readonly when: 'before' | 'middle' | 'after'
}

/** Storage through which a client works until the world stops. */
export interface StoppingBackend {
  readonly backend: Backend
  /** Resolves when the world has stopped: every call after that waits for ever, as those of a dead process do. */
  readonly stopped: Promise<void>
  /** Calls that changed storage, or would have. */
  readonly calls: () => number
}

/**
 * @param inner reads and listings pass through to it, as long as the world goes on
 * @param stop undefined lets everything happen, and counts
 */
export function stopBackend(inner: Backend, stop: Stop | undefined): StoppingBackend {
  let calls = 0
  let isStopped = false
  let tellStopped = (): void => {}
  const stopped = new Promise<void>((resolve) => {
    tellStopped = resolve
  })
  const hang = async (): Promise<never> => {
    isStopped = true
    tellStopped()
    return await new Promise<never>(() => {})
  }
  /** @param half what is left when the process dies in the middle */
  const change = async <Result>(
    whole: () => Promise<Result>,
    half: () => Promise<unknown>,
  ): Promise<Result> => {
    if (isStopped) return await hang()
    const isHere = calls++ === stop?.at
    if (!isHere) return await whole()
    if (stop.when === 'middle') await half()
    else if (stop.when === 'after') await whole()
    return await hang()
  }
  const read = async <Result>(call: () => Promise<Result>): Promise<Result> =>
    isStopped ? await hang() : await call()
  const nothing = async (): Promise<void> => {}
  /** A put appears whole or not at all: in its middle there is a temporary file. */
  const leaveHalf = async (bytes: Uint8Array, owner: string): Promise<void> => {
    const staged = await inner.stage(owner)
    await staged.append(bytes.subarray(0, bytes.length >> 1))
  }

  const backend: Backend = {
    location: inner.location,
    get: (...call) => read(() => inner.get(...call)),
    getRange: (...call) => read(() => inner.getRange(...call)),
    fillRange: (...call) => read(() => inner.fillRange(...call)),
    put: (name, bytes, options) =>
      change(
        () => inner.put(name, bytes, options),
        () => leaveHalf(bytes, options.owner),
      ),
    putNew: (name, bytes, options) =>
      change(
        () => inner.putNew(name, bytes, options),
        () => leaveHalf(bytes, options.owner),
      ),
    stage: (owner) =>
      change(
        async () => stopStaged(await inner.stage(owner)),
        () => inner.stage(owner),
      ),
    async *list(directory, signal) {
      if (isStopped) await hang()
      for await (const file of inner.list(directory, signal)) yield isStopped ? await hang() : file
    },
    remove: (name) => change(() => inner.remove(name), nothing),
    close: nothing,
  }
  const stopStaged = (staged: StagedFile): StagedFile => ({
    append: (bytes) =>
      change(
        () => staged.append(bytes),
        () => staged.append(bytes.subarray(0, bytes.length >> 1)),
      ),
    commit: (name) => change(() => staged.commit(name), nothing),
    discard: () => change(() => staged.discard(), nothing),
  })
  return { backend, stopped, calls: () => calls }
}
