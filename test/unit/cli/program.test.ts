import type { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { type Context, createContext } from '../../../src/cli/context.ts'
import { describeFailure } from '../../../src/cli/failure.ts'
import { readGlobalOptions } from '../../../src/cli/global-options.ts'
import { createProgram } from '../../../src/cli/program.ts'
import { HoldfastError } from '../../../src/errors/index.ts'

/** Parse with the real program; actions but that of `help` are left out. @returns the command that was reached */
async function parse(words: readonly string[]): Promise<{ command: Command; context: Context }> {
  const context = createContext(new AbortController().signal, {})
  const program = createProgram(context)
  let reached: Command | undefined
  program.hook('preAction', (_, command) => {
    reached = command
    if (command.name() !== 'help') throw new Stopped()
  })
  try {
    await program.parseAsync(words, { from: 'user' })
  } catch (error) {
    if (!(error instanceof Stopped)) throw error
  }
  if (reached === undefined) throw new Error('no command was reached')
  return { command: reached, context }
}

class Stopped extends Error {}

async function failureOf(words: readonly string[]): Promise<string> {
  try {
    await parse(words)
    return 'none'
  } catch (error) {
    const failure = describeFailure(error, false)
    return `${failure?.exitCode}: ${failure?.message} (${failure?.hint})`
  }
}

describe('global options', () => {
  test('stand before or after the command, the nearest wins, lists and counts add up', async () => {
    const { command } = await parse([
      '-r',
      '/a',
      '-v',
      '-o',
      'x=1',
      'snapshots',
      '-vr',
      '/b',
      '--no-cache',
      '-o',
      'y=2',
    ])
    const options = readGlobalOptions(command)
    expect(options).toMatchObject({
      repo: '/b',
      verbose: 2,
      option: ['x=1', 'y=2'],
      cache: false,
      json: false,
    })
  })

  test('before the command they hold too', async () => {
    const { command } = await parse(['--no-progress', '--json', '--no-lock', 'ls', 'latest'])
    expect(readGlobalOptions(command)).toMatchObject({
      progress: false,
      json: true,
      lock: false,
      cache: true,
    })
  })

  test('what follows an option of a command is its value, whatever it looks like', async () => {
    const { command } = await parse(['backup', '--description', '--json', '/x'])
    expect(command.opts().description).toBe('--json')
    expect(readGlobalOptions(command).json).toBe(false)
  })

  test('values that are no UTF-8 are refused, arguments are not', async () => {
    expect(await failureOf(['backup', '--tag', 'a\udcff', '/x'])).toMatch(
      /^2: the value of --tag is not valid/,
    )
    const { command } = await parse(['backup', '/x\udcff'])
    expect(command.args).toEqual(['/x\udcff'])
  })
})

describe('usage errors', () => {
  test.each([
    [['backp'], "2: unknown command 'backp' (did you mean backup?)"],
    [['snapshots', '--jsn'], "2: unknown option '--jsn' (did you mean --json?)"],
    [['restore', 'latest', '--targt', 'x'], "2: unknown option '--targt' (did you mean --target?)"],
    [
      ['snapshots', '--repo'],
      "2: option '-r, --repo <location>' argument missing (holdfast help <command> shows",
    ],
    [['help', 'nothing'], '2: there is no command nothing (the commands are init,'],
  ])('%j', async (words, text) => expect(await failureOf(words)).toContain(text))
})

describe('describeFailure()', () => {
  test('has the exit code, message and hint of an error', () => {
    const error = new HoldfastError('NO_REPOSITORY', 'nothing there', { hint: 'make one' })
    expect(describeFailure(error, false)).toEqual({
      exitCode: 10,
      message: 'nothing there',
      hint: 'make one',
    })
  })

  test('calls whatever comes after a signal an interruption', () => {
    expect(describeFailure(new Error('a worker ended'), true)?.exitCode).toBe(130)
  })

  test('owns up to its own faults', () => {
    const failure = describeFailure(new TypeError('x is not a function'), false)
    expect(failure).toMatchObject({ exitCode: 1, message: 'internal error: x is not a function' })
  })

  test('tells errors of the system as they are', () => {
    const error = Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE', errno: -24 })
    expect(describeFailure(error, false)).toMatchObject({
      exitCode: 1,
      message: 'EMFILE: too many open files',
    })
  })
})
