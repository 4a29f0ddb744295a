import type { Command } from 'commander'
import { HoldfastError } from '../../errors/index.ts'
import { type CopiedSnapshot, copySnapshots, type ListedSnapshot, type Repository } from '../../index.ts'
import { addCompressionOption, compressionLevelOf } from '../compression-option.ts'
import type { Context } from '../context.ts'
import { countOf, formatBytes, formatCount, shortId } from '../format.ts'
import { createProgress } from '../progress.ts'
import { withOtherRepository, withRepository } from '../repository-access.ts'
import type { SecretSources } from '../secret.ts'
import {
  addFilterOptions,
  chooseNewestFirst,
  describeSnapshot,
  type FilterOptions,
} from '../snapshot-choice.ts'

interface Options extends FilterOptions {
  readonly to?: string
  readonly toPasswordFile?: string
  readonly toPasswordCommand?: string
  readonly toKeyFile?: string
  readonly fromRepo?: string
  readonly fromPasswordFile?: string
  readonly fromPasswordCommand?: string
  readonly fromKeyFile?: string
  readonly compression?: string
  readonly dryRun?: boolean
}

export function define(command: Command, context: Context): void {
  command
    .argument('[snapshot...]', 'ids or beginnings of them, latest, latest~N (default: all)')
    .option('--to <location>', 'copy there; env HOLDFAST_TO_REPOSITORY')
    .option('--to-password-file <file>', 'what opens it; env HOLDFAST_TO_PASSWORD_FILE, HOLDFAST_TO_PASSWORD')
    .option('--to-password-command <command>', 'the same from what a command prints')
    .option('--to-key-file <file>', 'the same as a key file; env HOLDFAST_TO_KEY_FILE')
    .option(
      '--from-repo <location>',
      'copy from there into the repository instead; env HOLDFAST_FROM_REPOSITORY',
    )
    .option('--from-password-file <file>', 'what opens it, in the same ways as with --to')
    .option('--from-password-command <command>', 'the same from what a command prints')
    .option('--from-key-file <file>', 'the same as a key file')
  addFilterOptions(command)
  addCompressionOption(command, 'how hard data is compressed (default: as the repository copied to has it)')
  command.option('-n, --dry-run', 'copy nothing; say what would be copied').action(
    async (wanted: readonly string[], options: Options) =>
      await withRepository(context, async (repository) => {
        const { location, side, secret } = findOther(context, options)
        await withOtherRepository(context, { location, side, secret }, async (other) => {
          const [source, target] = side === 'to' ? [repository, other] : [other, repository]
          await copy(context, source, target, { ...options, wanted })
        })
      }),
  )
}

interface OtherPlace {
  readonly location: string
  readonly side: 'to' | 'from'
  readonly secret: SecretSources
}

function findOther({ environment: env }: Context, options: Options): OtherPlace {
  const to = {
    passwordFile: options.toPasswordFile,
    passwordCommand: options.toPasswordCommand,
    keyFile: options.toKeyFile,
  }
  const from = {
    passwordFile: options.fromPasswordFile,
    passwordCommand: options.fromPasswordCommand,
    keyFile: options.fromKeyFile,
  }
  if (options.to !== undefined && options.fromRepo !== undefined) {
    throw new HoldfastError('USAGE', '--to and --from-repo are given together', { hint: 'give one of them' })
  }
  if (options.to !== undefined) return { location: options.to, side: 'to', secret: to }
  if (options.fromRepo !== undefined) return { location: options.fromRepo, side: 'from', secret: from }
  if (env.HOLDFAST_TO_REPOSITORY) return { location: env.HOLDFAST_TO_REPOSITORY, side: 'to', secret: to }
  if (env.HOLDFAST_FROM_REPOSITORY)
    return { location: env.HOLDFAST_FROM_REPOSITORY, side: 'from', secret: from }
  throw new HoldfastError('USAGE', 'copy needs to know the other repository', {
    hint: 'name it with --to; holdfast init --repo <location> makes one there',
  })
}

async function copy(
  context: Context,
  source: Repository,
  target: Repository,
  options: Options & { readonly wanted: readonly string[] },
): Promise<void> {
  const { signal } = context
  const { wanted, dryRun: isDryRun = false } = options
  const chosen = await chooseNewestFirst(context, source, {
    ...options,
    ...(wanted.length === 0 ? {} : { snapshot: wanted }),
  })
  const byId = new Map(chosen.map((snapshot) => [snapshot.id, snapshot]))
  const progress = createProgress(context)
  let results: CopiedSnapshot[]
  try {
    results = await copySnapshots(source, target, {
      snapshots: [...byId.keys()],
      isDryRun,
      compressionLevel: compressionLevelOf(options.compression),
      onProgress: ({ snapshotsDone, totalSnapshots, nodes, bytes }) =>
        progress.update({
          text: () =>
            `${formatCount(snapshotsDone)} of ${formatCount(totalSnapshots)} snapshots  ${formatCount(nodes)} files and folders  ${formatBytes(bytes)} read`,
          status: () => ({
            message_type: 'status',
            snapshots_done: snapshotsDone,
            total_snapshots: totalSnapshots,
            nodes_done: nodes,
            bytes_read: bytes,
          }),
        }),
      signal,
    })
  } finally {
    progress.end()
  }
  for (const result of results) await show(context, byId.get(result.id)!, result, isDryRun)
  await summarise(context, results, isDryRun)
}

async function show(
  { output }: Context,
  snapshot: ListedSnapshot,
  { id, outcome, copy: made, problem }: CopiedSnapshot,
  isDryRun: boolean,
): Promise<void> {
  await output.json({
    message_type: 'snapshot',
    id,
    outcome,
    copy_id: made ?? null,
    problem: problem ?? null,
  })
  const name = describeSnapshot(snapshot)
  if (outcome === 'copied')
    await output.line(isDryRun ? `would copy ${name}` : `copied ${name} as ${shortId(made!)}`)
  else if (outcome === 'present') output.detail(`${name} is there as ${shortId(made!)}`)
  else if (outcome === 'gone') output.note(`${name} was forgotten meanwhile`)
  else if (outcome === 'unconfirmed')
    output.problem(`${name} was not copied: data of it may be missing; holdfast repair snapshots confirms it`)
  else output.problem(`${name} was not copied: ${problem}`)
}

async function summarise(
  { output }: Context,
  results: readonly CopiedSnapshot[],
  isDryRun: boolean,
): Promise<void> {
  const count = (outcome: CopiedSnapshot['outcome']): number =>
    results.filter((one) => one.outcome === outcome).length
  const [copied, present, damaged, unconfirmed] = [
    count('copied'),
    count('present'),
    count('damaged'),
    count('unconfirmed'),
  ]
  await output.json({
    message_type: 'summary',
    dry_run: isDryRun,
    copied,
    present,
    damaged,
    unconfirmed,
    gone: count('gone'),
  })
  const were = isDryRun ? 'would be copied' : 'copied'
  await output.line(`${countOf(copied, 'snapshot')} ${were}, ${formatCount(present)} there already`)
  if (damaged > 0) {
    throw new HoldfastError('DAMAGED', `${countOf(damaged, 'snapshot')} could not be copied`, {
      hint: 'holdfast verify --read-data of the repository copied from shows what is damaged, and which command mends it',
    })
  }
  if (unconfirmed > 0) {
    throw new HoldfastError('SOURCE_INCOMPLETE', `${countOf(unconfirmed, 'snapshot')} left out`, {
      hint: 'the lines above say why',
    })
  }
}
