import { systemCode } from '../errors/index.ts'

export interface OutputOptions {
  readonly isJson: boolean
  readonly isQuiet: boolean
  /** 0 and up: how often -v was given. */
  readonly verbosity: number
  readonly isProgressWanted: boolean
}

/** Results go to stdout; progress and everything else to stderr. */
export interface Output extends OutputOptions {
  /** One line of a result for people. Nothing with --json or -q. */
  line(text?: string): Promise<void>
  /** The same for many lines at once. `lineOf` is not asked where nothing is printed. */
  lines<Item>(items: readonly Item[], lineOf: (item: Item) => string): Promise<void>
  /** One object of a result for programs, on a line of its own. Nothing without --json. */
  json(value: unknown): Promise<void>
  /** The same for many objects at once, each as its JSON text. */
  jsonTexts<Item>(items: readonly Item[], textOf: (item: Item) => string): Promise<void>
  /** Bytes that are the result itself, whatever the form of output. Borrowed until the promise resolves. */
  bytes(bytes: Uint8Array | string): Promise<void>
  /** Something to know that is no error. Nothing with -q. */
  note(text: string): void
  /** The same for those who asked with -v. */
  detail(text: string): void
  /** A problem that did not end the command: always shown; as an object of type `error` with --json. */
  problem(text: string, fields?: Record<string, unknown>): void
  /** Show this line in place of the one before, on a terminal; undefined takes it away. */
  live(text: string | undefined): void
  /** True once nobody reads stdout any more: what only prints can stop. */
  readonly isClosed: boolean
}

export interface OutputStreams {
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
}

const CLEAR_LINE = '\r\x1b[K'

export function createOutput(options: OutputOptions, streams: OutputStreams = process): Output {
  const { stdout, stderr } = streams
  const { isJson, isQuiet, verbosity } = options
  let isClosed = false
  let shown: string | undefined

  const onError = (error: unknown): void => {
    if (systemCode(error) !== 'EPIPE') throw error
    isClosed = true
  }
  stdout.on('error', onError)
  // Progress that nobody reads is no reason to end a backup.
  stderr.on('error', () => {})

  const hideLive = (): void => {
    if (shown === undefined) return
    stderr.write(CLEAR_LINE)
    shown = undefined
  }
  const write = async (data: Uint8Array | string): Promise<void> => {
    if (isClosed) return
    hideLive()
    await new Promise<void>((resolve) => stdout.write(data, () => resolve()))
  }
  const writeLines = async <Item>(items: readonly Item[], lineOf: (item: Item) => string): Promise<void> => {
    let text = ''
    for (const item of items) text += `${lineOf(item)}\n`
    if (text !== '') await write(text)
  }
  const say = (text: string): void => {
    hideLive()
    stderr.write(`${text}\n`)
  }
  return {
    ...options,
    get isClosed() {
      return isClosed
    },
    line: async (text = '') => {
      if (!isJson && !isQuiet) await write(`${text}\n`)
    },
    lines: async (items, lineOf) => {
      if (!isJson && !isQuiet) await writeLines(items, lineOf)
    },
    json: async (value) => {
      if (isJson) await write(`${JSON.stringify(value)}\n`)
    },
    jsonTexts: async (items, textOf) => {
      if (isJson) await writeLines(items, textOf)
    },
    bytes: write,
    note: (text) => {
      if (!isQuiet) say(text)
    },
    detail: (text) => {
      if (!isQuiet && verbosity > 0) say(text)
    },
    problem: (text, fields = {}) => {
      say(isJson ? JSON.stringify({ message_type: 'error', error: { message: text }, ...fields }) : text)
    },
    live: (text) => {
      if (text === shown) return
      // A terminal that does not know its size says 0.
      const width = stderr.columns || 80
      if (text === undefined) hideLive()
      else stderr.write(CLEAR_LINE + cut(text, width - 1))
      shown = text
    },
  }
}

function cut(text: string, width: number): string {
  const units = [...text]
  return units.length <= width ? text : `${units.slice(0, Math.max(width - 1, 0)).join('')}…`
}
