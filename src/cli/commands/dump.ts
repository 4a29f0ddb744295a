import { createWriteStream, renameSync, rmSync, statSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import type { Command } from 'commander'
import { HoldfastError, systemCode } from '../../errors/index.ts'
import { dumpFile, parseSnapshotArgument } from '../../index.ts'
import type { Context } from '../context.ts'
import { rawName } from '../raw-arguments.ts'
import { withRepository } from '../repository-access.ts'
import { addChoiceOptions, type ChoiceOptions, choose, describeSnapshot } from '../snapshot-choice.ts'

interface Options extends ChoiceOptions {
  readonly target?: string
}

export function define(command: Command, context: Context): void {
  command
    .argument('<snapshot[:path]>', 'an id or the beginning of one, latest, or latest~N')
    .argument('[path]', 'the file in it, when it does not stand after the colon')
    .option('-t, --target <file>', 'write there in place of stdout')
  addChoiceOptions(command)
  command.action(
    async (argument: string, path: string | undefined, options: Options) =>
      await dump(context, argument, path, options),
  )
}

async function dump(
  context: Context,
  argument: string,
  pathArgument: string | undefined,
  options: Options,
): Promise<void> {
  const { output, signal } = context
  const wanted = parseSnapshotArgument(rawName(argument))
  const path = pathArgument === undefined ? wanted.path : rawName(pathArgument)
  if (path === undefined || (wanted.path !== undefined && pathArgument !== undefined)) {
    throw new HoldfastError('USAGE', 'dump takes one file of one snapshot', {
      hint: 'for example: holdfast dump latest:/home/me/notes.txt',
    })
  }
  await withRepository(context, async (repository) => {
    const snapshot = await choose(context, repository, wanted.snapshot, options)
    output.detail(describeSnapshot(snapshot))
    const pieces = dumpFile(repository, snapshot, path, { signal })
    if (options.target !== undefined) {
      await writeFile(options.target, pieces)
      return
    }
    for await (const piece of pieces) {
      if (output.isClosed) return
      await output.bytes(piece)
    }
  })
}

/** Write a file for its owner only, which gets its name when it is whole; a device or pipe is written as it is. */
async function writeFile(path: string, pieces: AsyncIterable<Buffer>): Promise<void> {
  const isDirect = isSpecial(path)
  const place = isDirect ? path : `${path}.holdfast-${process.pid}`
  try {
    await pipeline(
      pieces,
      createWriteStream(place, { flags: isDirect ? 'w' : 'wx', mode: 0o600, flush: true }),
    )
    if (!isDirect) renameSync(place, path)
  } catch (error) {
    if (!isDirect) rmSync(place, { force: true })
    if (systemCode(error) === undefined) throw error
    throw new HoldfastError('IO', `${path} cannot be written (${systemCode(error)})`, { cause: error })
  }
}

function isSpecial(path: string): boolean {
  try {
    return !statSync(path).isFile()
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
    return false
  }
}
