import { Argument, type Command } from 'commander'
import { HoldfastError } from '../../errors/index.ts'
import {
  chunkId,
  displayName,
  fromHex,
  listKeys,
  listSessions,
  parseIndexFile,
  parseSnapshotArgument,
  type Repository,
  readSession,
  resolvePath,
  walkTree,
} from '../../index.ts'
import type { Context } from '../context.ts'
import { rawName } from '../raw-arguments.ts'
import { withRepository } from '../repository-access.ts'
import { choose } from '../snapshot-choice.ts'
import { snapshotJson } from '../snapshot-json.ts'
import { findFile } from '../stored-files.ts'
import { configJson, indexFileJson, packJson, settingsJson, treeNodeJson } from './cat-json.ts'
import { keyJson } from './key-json.ts'

type Print = (context: Context, repository: Repository, wanted: string) => Promise<void>

/** What each kind prints, and whether it has to be told which one. */
const printers: Readonly<Record<string, { readonly argument?: string; readonly print: Print }>> = {
  config: { print: async (context, repository) => await printJson(context, configJson(repository)) },
  settings: { print: async (context, repository) => await printJson(context, settingsJson(repository)) },
  snapshot: {
    argument: 'an id, latest or latest~N',
    print: async (context, repository, wanted) =>
      await printJson(context, snapshotJson(await choose(context, repository, wanted, {}))),
  },
  tree: { argument: 'a snapshot, with :path for a folder in it', print: printTree },
  index: { argument: 'an id', print: printIndexFile },
  pack: { argument: 'an id', print: printPack },
  chunk: { argument: 'an id', print: printChunk },
  blob: { argument: 'an id', print: printChunk },
  key: { argument: 'an id', print: printKey },
  session: { argument: 'an id', print: printSession },
  masterkey: {
    print: async () => {
      throw new HoldfastError('UNSUPPORTED', 'the master key is never shown', {
        hint: 'holdfast key export prints a key that opens the repository',
      })
    },
  },
}

export function define(command: Command, context: Context): void {
  command
    .addArgument(new Argument('<kind>', 'what to print').choices(Object.keys(printers)))
    .argument('[id]', 'which one: an id or the beginning of one; for a tree SNAPSHOT[:PATH]')
    .action(async (kind: string, wanted: string | undefined) => {
      const { argument, print } = printers[kind]!
      if ((argument === undefined) !== (wanted === undefined)) {
        throw new HoldfastError(
          'USAGE',
          argument === undefined ? `cat ${kind} takes no id` : `cat ${kind} needs ${argument}`,
          { hint: 'holdfast list shows the ids of a kind' },
        )
      }
      await withRepository(context, async (repository) => await print(context, repository, wanted ?? ''))
    })
}

async function printJson({ output }: Context, value: object): Promise<void> {
  await output.bytes(`${JSON.stringify(value, undefined, output.isJson ? undefined : 2)}\n`)
}

/** As one object, node by node: a folder may be larger than memory. */
async function printTree(context: Context, repository: Repository, wanted: string): Promise<void> {
  const { output, signal } = context
  const argument = parseSnapshotArgument(rawName(wanted))
  const snapshot = await choose(context, repository, argument.snapshot, {})
  const { path, tree } = await resolvePath(repository, snapshot, argument.path ?? '/')
  if (tree === undefined) {
    throw new HoldfastError('NO_SUCH_PATH', `${displayName(path)} is no folder`, {
      hint: 'holdfast dump prints a file',
    })
  }
  let separator = '{"nodes":[\n'
  for await (const entry of walkTree(repository, tree, path, { enter: () => false, signal })) {
    if (output.isClosed) return
    await output.bytes(separator + JSON.stringify(treeNodeJson(entry)))
    separator = ',\n'
  }
  await output.bytes(separator === ',\n' ? '\n]}\n' : '{"nodes":[]}\n')
}

async function printIndexFile(context: Context, repository: Repository, wanted: string): Promise<void> {
  const { id } = await findFile(repository, 'index', wanted, context.signal)
  const { signal } = context
  await printJson(context, indexFileJson(await repository.getValue('index', id, parseIndexFile, { signal })))
}

async function printPack(context: Context, repository: Repository, wanted: string): Promise<void> {
  const { id, kind, sizeBytes } = await findFile(repository, 'packs', wanted, context.signal)
  if (kind !== 'data' && kind !== 'tree') throw new Error(`a pack cannot be of kind ${kind}`)
  const footer = await repository.readPack({ kind, id, sizeBytes }, context.signal)
  await printJson(context, packJson({ id, kind, sizeBytes }, footer))
}

/** The plaintext as it is. */
async function printChunk(context: Context, repository: Repository, wanted: string): Promise<void> {
  const { output, signal } = context
  if (!/^[0-9a-f]{64}$/.test(wanted)) {
    throw new HoldfastError('USAGE', `${displayName(wanted)} is no chunk id`, {
      hint: 'give all 64 hex digits',
    })
  }
  await repository.loadIndex({ tolerateDamage: true, signal })
  const id = chunkId(fromHex(wanted))
  const place = repository.index.findAll(id)[0]
  if (place === undefined) {
    throw new HoldfastError('USAGE', `there is no chunk ${wanted}`, {
      hint: 'holdfast list chunks shows all',
    })
  }
  await output.bytes(await repository.readChunk(place.block.kind, id, signal))
}

async function printKey(context: Context, repository: Repository, wanted: string): Promise<void> {
  const { id } = await findFile(repository, 'keys', wanted, context.signal)
  const key = (await listKeys(repository)).find((one) => one.id === id)
  if (key !== undefined) await printJson(context, keyJson(key))
}

async function printSession(context: Context, repository: Repository, wanted: string): Promise<void> {
  const { alive } = await listSessions(repository.backend, context.signal)
  const found = [...alive].filter((id) => id.startsWith(wanted))
  const info = found.length === 1 ? await readSession(repository.backend, repository, found[0]!) : undefined
  if (info === undefined) {
    throw new HoldfastError('USAGE', `${displayName(wanted)} is not the beginning of one session's id`, {
      hint: 'holdfast list sessions shows who is at work',
    })
  }
  const { startedMs, ...rest } = info
  await printJson(context, { ...rest, started: new Date(startedMs).toISOString() })
}
