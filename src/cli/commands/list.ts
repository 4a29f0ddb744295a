import { Argument, type Command } from 'commander'
import { checkAborted } from '../../errors/index.ts'
import { listSessions, type Repository, toHex } from '../../index.ts'
import type { Context } from '../context.ts'
import { withRepository } from '../repository-access.ts'
import { type ListedKind, listedKinds, listStoredFiles } from '../stored-files.ts'

/** restic's names of what is called otherwise here. */
const otherNames: Readonly<Record<string, string>> = { blobs: 'chunks', locks: 'sessions' }

export function define(command: Command, context: Context): void {
  const words = [...Object.keys(listedKinds), 'chunks', 'sessions', ...Object.keys(otherNames)]
  command
    .addArgument(new Argument('<kind>', 'what to list').choices(words))
    .action(
      async (word: string) =>
        await withRepository(
          context,
          async (repository) => await list(context, repository, otherNames[word] ?? word),
        ),
    )
}

async function list(context: Context, repository: Repository, kind: string): Promise<void> {
  if (kind === 'chunks') await listChunks(context, repository)
  else if (kind === 'sessions') await listAtWork(context, repository)
  else await listNamed(context, repository, kind as ListedKind)
}

async function listNamed(
  { output, signal }: Context,
  repository: Repository,
  kind: ListedKind,
): Promise<void> {
  for await (const file of listStoredFiles(repository, kind, signal)) {
    if (output.isClosed) return
    const type = kind === 'packs' ? { type: file.kind } : {}
    await output.json({ id: file.id, ...type, size: file.sizeBytes })
    await output.line(file.id)
  }
}

async function listAtWork({ output, signal }: Context, repository: Repository): Promise<void> {
  const { alive, over } = await listSessions(repository.backend, signal)
  for (const id of alive) {
    await output.json({ id, given_up: over.has(id) })
    await output.line(id)
  }
}

async function listChunks({ output, signal }: Context, repository: Repository): Promise<void> {
  await repository.loadIndex({ tolerateDamage: true, signal })
  const { index } = repository
  const types = new Map([...index.packs()].map((pack) => [pack.number, pack.kind]))
  for (const { id, homes } of index.chunks()) {
    checkAborted(signal)
    if (output.isClosed) return
    const { pack, lengthBytes } = homes[0]!
    const type = types.get(pack)
    await output.json({ id: toHex(id), type, size: lengthBytes })
    await output.line(`${type} ${toHex(id)}`)
  }
}
