import { closeSync, openSync } from 'node:fs'
import { ReadStream } from 'node:tty'
import { HoldfastError, systemCode } from '../errors/index.ts'

const ENTER = new Set(['\r', '\n', '\x04'])
const ERASE = new Set(['\x7f', '\b'])
const INTERRUPT = '\x03'
const ERASE_LINE = '\x15'

/**
 * Ask on the terminal, also where stdin is a pipe; what is typed is not shown.
 *
 * @returns undefined when there is no terminal
 * @throws HoldfastError INTERRUPTED for Ctrl-C
 */
export async function askHidden(question: string, signal: AbortSignal): Promise<string | undefined> {
  const terminal = openTerminal()
  if (terminal === undefined) return undefined
  try {
    terminal.stream.setRawMode(true)
    process.stderr.write(question)
    return await readLine(terminal.stream, signal)
  } finally {
    process.stderr.write('\n')
    terminal.stream.setRawMode(false)
    terminal.close()
  }
}

function openTerminal(): { stream: ReadStream; close(): void } | undefined {
  const { stdin } = process
  if (stdin.isTTY) return { stream: stdin, close: () => stdin.pause() }
  try {
    const fd = openSync('/dev/tty', 'r+')
    try {
      const stream = new ReadStream(fd)
      return { stream, close: () => stream.destroy() }
    } catch (error) {
      closeSync(fd)
      throw error
    }
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    return undefined
  }
}

function readLine(stream: ReadStream, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    let typed: string[] = []
    const end = (settle: () => void): void => {
      stream.off('data', onData)
      signal.removeEventListener('abort', onAbort)
      settle()
    }
    const onAbort = (): void => end(() => reject(new HoldfastError('INTERRUPTED', 'interrupted')))
    const onData = (data: Buffer | string): void => {
      for (const unit of data.toString()) {
        if (ENTER.has(unit)) {
          end(() => resolve(typed.join('')))
          return
        }
        if (unit === INTERRUPT) {
          onAbort()
          return
        }
        if (ERASE.has(unit)) typed.pop()
        else if (unit === ERASE_LINE) typed = []
        else typed.push(unit)
      }
    }
    stream.setEncoding('utf8')
    stream.on('data', onData)
    signal.addEventListener('abort', onAbort, { once: true })
    stream.resume()
  })
}
