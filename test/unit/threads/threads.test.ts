import { afterEach, expect, test } from 'vitest'
import { DamagedError, HoldfastError } from '../../../src/errors/index.ts'
import { startAhead, startThreads, type Threads, threadFile, YOUNG_MIB } from '../../../src/threads/index.ts'

interface Task {
  readonly ask: string
  readonly value?: unknown
}
type EchoThreads = Threads<Task, unknown>

const started: EchoThreads[] = []
afterEach(async () => {
  await Promise.all(started.splice(0).map((threads) => threads.close()))
})

function start(
  options: {
    greeting?: string
    count?: number
    signal?: AbortSignal
    onEvent?: (event: unknown) => void
    onFailure?: (error: unknown) => void
  } = {},
): EchoThreads {
  const { greeting = 'hello', count = 2, signal, ...listeners } = options
  const threads = startThreads<Task, unknown, unknown>({
    file: echo,
    count,
    settings: { greeting },
    signal,
    ...listeners,
  })
  started.push(threads)
  return threads
}

test('answers come back to who asked, from all threads', async () => {
  const threads = start({ count: 3 })
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, value) => threads.run({ ask: 'text', value })),
  )
  expect(answers).toEqual(Array.from({ length: 50 }, (_, value) => `hello ${value}`))
})

test('buffers of a task and of an answer move instead of being copied', async () => {
  const threads = start()
  const bytes = new Uint8Array([1, 2, 3])
  expect(await threads.run({ ask: 'bytes', value: bytes.buffer }, [bytes.buffer])).toEqual(
    new Uint8Array([1, 2, 3]),
  )
  expect(bytes.byteLength).toBe(0)
})

test('errors keep their class, code, hint and fields', async () => {
  const threads = start()
  const damage = await threads.run({ ask: 'damage' }).catch((error: unknown) => error)
  expect(damage).toBeInstanceOf(DamagedError)
  expect(damage).toMatchObject({ code: 'DAMAGED', file: 'data/ab/ab', hint: 'look' })
  expect((damage as Error).message).toBe('data/ab/ab is damaged: its hash is wrong')
  const usage = await threads.run({ ask: 'usage' }).catch((error: unknown) => error)
  expect(usage).toBeInstanceOf(HoldfastError)
  expect(usage).toMatchObject({ code: 'USAGE', message: 'no', hint: 'say yes' })
  const missing = await threads.run({ ask: 'missing' }).catch((error: unknown) => error)
  expect(missing).toMatchObject({ code: 'ENOENT', errno: -2, syscall: 'open' })
  expect(await threads.run({ ask: 'text', value: 'again' })).toBe('hello again')
})

const echo = new URL('./echo.mjs', import.meta.url)

test('threads started ahead are taken by the next run of their file, and others are started', async () => {
  startAhead(echo, 2, YOUNG_MIB)
  const first = start({ count: 3, greeting: 'first' })
  const second = start({ count: 1, greeting: 'second' })
  for (const [threads, greeting] of [
    [first, 'first'],
    [second, 'second'],
  ] as const) {
    const tasks = Array.from({ length: 6 }, (_, value) => threads.run({ ask: 'text', value }))
    expect(await Promise.all(tasks)).toEqual([0, 1, 2, 3, 4, 5].map((value) => `${greeting} ${value}`))
  }
})

test('a thread started ahead whose file cannot be loaded is forgotten, and fails the run that starts it anew', async () => {
  const file = new URL('./no-such-file.mjs', import.meta.url)
  startAhead(file, 1, YOUNG_MIB)
  await new Promise((resolve) => setTimeout(resolve, 300))
  const threads = startThreads({ file, count: 1, settings: {}, signal: undefined })
  await expect(threads.run({ ask: 'text' })).rejects.toMatchObject({
    message: expect.stringContaining('no-such-file'),
  })
  await threads.close()
})

test('events come at once, also those of the end', async () => {
  const events: unknown[] = []
  const threads = start({ onEvent: (event) => events.push(event) })
  await threads.run({ ask: 'event', value: 1 })
  expect(events).toEqual([{ value: 1 }])
  await threads.finish()
  expect(events).toEqual([{ value: 1 }, { value: 'bye' }, { value: 'bye' }])
})

test('what goes wrong at the end of a thread is told by finish', async () => {
  await expect(start({ greeting: 'sick' }).finish()).rejects.toMatchObject({ message: 'the end was bad' })
})

test.each([
  ['ends', 'exit'],
  ['breaks', 'throwLater'],
])('a thread that %s fails all that is under way and all that follows', async (_, ask) => {
  const failures: unknown[] = []
  const threads = start({ count: 1, onFailure: (error) => failures.push(error) })
  const first = threads.run({ ask, value: 1 }).catch((error: unknown) => error)
  const second = threads.run({ ask: 'spin' }).catch((error: unknown) => error)
  if (ask === 'exit') expect(await first).toMatchObject({ code: 'FAILED' })
  // The spinning task lets the thread break only when the run ends.
  else await threads.close()
  expect(await second).toBeInstanceOf(Error)
  if (ask === 'exit') {
    expect(failures).toHaveLength(1)
    await expect(threads.run({ ask: 'text' })).rejects.toMatchObject({ code: 'FAILED' })
  }
})

test('an aborted run ends what is under way', async () => {
  const controller = new AbortController()
  const threads = start({ count: 1, signal: controller.signal })
  const running = threads.run({ ask: 'spin' })
  controller.abort()
  await expect(running).rejects.toMatchObject({ code: 'INTERRUPTED' })
})

test('close ends what is under way', async () => {
  const threads = start({ count: 1 })
  const running = threads.run({ ask: 'spin' }).catch((error: unknown) => error)
  await threads.close()
  expect(await running).toMatchObject({ code: 'INTERRUPTED' })
})

test('the built file of a room serves in place of its source', () => {
  expect(threadFile('file:///a/src/verify/verify.ts', 'worker').href).toBe('file:///a/dist/verify/worker.js')
  expect(threadFile('file:///a/dist/verify/verify.js', 'worker').href).toBe('file:///a/dist/verify/worker.js')
})
