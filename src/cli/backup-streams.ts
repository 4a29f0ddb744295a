import { spawn } from 'node:child_process'
import { addAbortSignal } from 'node:stream'
import { HoldfastError } from '../errors/index.ts'
import { rawName } from './raw-arguments.ts'

/** What comes in on stdin. It can be read once only; the signal ends it also while nothing comes. */
export function openStdin(signal: AbortSignal): () => AsyncIterable<Uint8Array> {
  let isRead = false
  return () => {
    if (isRead) {
      throw new HoldfastError('FAILED', 'stdin was read already and cannot be read again', {
        hint: 'run the backup again; a prune had given up waiting for it',
      })
    }
    isRead = true
    return addAbortSignal(signal, process.stdin)
  }
}

/**
 * What a command prints; run anew each time. Its stderr is this process's.
 *
 * @throws HoldfastError FAILED from the stream when the command ends with another code than 0
 */
export function openCommand(
  args: readonly string[],
  signal: AbortSignal,
): () => AsyncGenerator<Uint8Array, void> {
  const [command = '', ...rest] = args.map((arg) => rawName(arg).toString())
  return async function* () {
    const child = spawn(command, rest, { stdio: ['inherit', 'pipe', 'inherit'], signal })
    const ended = new Promise<string | undefined>((resolve) => {
      child.on('error', (error) => resolve(`cannot be run: ${error.message}`))
      child.on('close', (code, name) => {
        if (code === 0) resolve(undefined)
        else resolve(code === null ? `was ended by ${name}` : `ended with exit code ${code}`)
      })
    })
    try {
      yield* child.stdout
      const problem = await ended
      if (problem === undefined) return
      throw new HoldfastError('FAILED', `the command ${command} ${problem}`, {
        hint: 'no snapshot was made; run the command by itself to see why',
      })
    } finally {
      child.kill()
    }
  }
}
