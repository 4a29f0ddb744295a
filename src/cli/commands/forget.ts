import { type Command, Option } from 'commander'
import { HoldfastError } from '../../errors/index.ts'
import {
  chooseSnapshot,
  type FileId,
  type GroupKey,
  isEmptyPolicy,
  type KeepPolicy,
  listSnapshots,
  planForget,
  type Repository,
  removeSnapshots,
} from '../../index.ts'
import type { Context } from '../context.ts'
import { countOf, shortId } from '../format.ts'
import { parseGroupBy } from '../group-by.ts'
import { withRepository } from '../repository-access.ts'
import { type FilterOptions, filterOf } from '../snapshot-choice.ts'
import { collect } from '../values.ts'
import { type ForgetPlan, nameGroup, showGroups } from './forget-display.ts'
import { addPolicyOptions, type PolicyOptions, readPolicy } from './forget-options.ts'
import { addPruneOptions, type PruneChoice } from './prune-options.ts'
import { runPrune } from './prune-run.ts'

interface Options extends PolicyOptions, FilterOptions, PruneChoice {
  readonly groupBy: readonly GroupKey[]
  readonly unsafeAllowRemoveAll?: boolean
  readonly compact?: boolean
  readonly prune?: boolean
  readonly dryRun?: boolean
}

export function define(command: Command, context: Context): void {
  command.argument('[snapshot...]', 'remove these; else what the rules do not keep')
  addPolicyOptions(command)
  // Not those that other commands share: -H is --keep-hourly here, as restic has it.
  command
    .option('--host <host>', 'snapshots of this host only; may be repeated', collect)
    .option('--tag <tag,…>', 'with all these tags only; repeated: with any of the lists', collect)
    .option('--path <path>', 'only those that hold this path; repeated: all of them', collect)
    .addOption(
      new Option(
        '-g, --group-by <keys>',
        'apply the rules to each group: host, paths, tags, or "" for one of all',
      )
        .argParser(parseGroupBy)
        .default(['host', 'paths'], 'host,paths'),
    )
    .option('--unsafe-allow-remove-all', 'let the rules remove every snapshot of a group')
    .option('-c, --compact', 'leave out the paths')
    .option('-n, --dry-run', 'remove nothing; say what would be removed')
    .option('--prune', 'then remove data that no snapshot needs, with these options of prune:')
  addPruneOptions(command)
  command.action(
    async (wanted: readonly string[], options: Options) =>
      await withRepository(context, async (repository) => await forget(context, repository, wanted, options)),
  )
}

async function forget(
  context: Context,
  repository: Repository,
  wanted: readonly string[],
  options: Options,
): Promise<void> {
  const { output, signal } = context
  const isDryRun = options.dryRun ?? false
  const policy = readPolicy(options)
  const plan =
    wanted.length > 0
      ? await planByName(context, repository, wanted, policy, options)
      : await planByPolicy(context, repository, policy, options)
  await showGroups(context, plan, { isCompact: options.compact ?? false, isDryRun })

  const ids = plan.flatMap((group) => [...group.remove.map((snapshot) => snapshot.id), ...group.damaged])
  const { failed, removed } = isDryRun
    ? { failed: [], removed: [] }
    : await removeSnapshots(repository, ids, signal)
  for (const { id, error } of failed) {
    const message = error instanceof Error ? error.message : String(error)
    output.problem(`snapshot ${shortId(id)} cannot be removed: ${message}`, { snapshot: id })
  }
  if (removed.length > 0) await output.line(`removed ${countOf(removed.length, 'snapshot')}`)
  if (isDryRun) await output.line('dry run: nothing was removed')
  if (removed.length > 0 && !options.prune) {
    output.detail('holdfast prune frees the space that only they used')
  }
  if (options.prune && isDryRun) output.note('what prune then frees is known only after the removal')
  if (options.prune && !isDryRun) await runPrune(context, repository, options, false)
  if (failed.length > 0) {
    throw new HoldfastError(
      'SOURCE_INCOMPLETE',
      `${countOf(failed.length, 'snapshot')} could not be removed`,
      {
        hint: 'the lines above say why; run the same command again',
      },
    )
  }
}

async function planByName(
  { signal }: Context,
  repository: Repository,
  wanted: readonly string[],
  policy: KeepPolicy,
  options: Options,
): Promise<ForgetPlan[]> {
  if (!isEmptyPolicy(policy)) {
    throw new HoldfastError('USAGE', 'snapshots and keep rules are given together', {
      hint: 'name the snapshots to remove, or give rules for what to keep',
    })
  }
  const { snapshots, damaged } = await listSnapshots(repository, signal)
  const remove = new Set<(typeof snapshots)[number]>()
  const broken = new Set<FileId>()
  for (const one of wanted) {
    // A damaged one has nothing but its id to be found by; removing it is the way to go on without it.
    const ids = /^[0-9a-f]+$/.test(one) ? damaged.map(({ id }) => id).filter((id) => id.startsWith(one)) : []
    const isWhole = snapshots.some((snapshot) => snapshot.id.startsWith(one))
    if (ids.length === 1 && !isWhole) broken.add(ids[0]!)
    else if (ids.length === 0) remove.add(chooseSnapshot(snapshots, one, filterOf(options)))
    else {
      throw new HoldfastError('USAGE', `${one} is the beginning of several snapshots`, {
        hint: 'give more digits of the id',
      })
    }
  }
  return [
    {
      host: undefined,
      paths: undefined,
      tags: undefined,
      keep: [],
      remove: [...remove],
      damaged: [...broken],
    },
  ]
}

async function planByPolicy(
  context: Context,
  repository: Repository,
  policy: KeepPolicy,
  options: Options,
): Promise<ForgetPlan[]> {
  const filter = filterOf(options)
  const isAllowed = options.unsafeAllowRemoveAll ?? false
  const isEmpty = isEmptyPolicy(policy)
  const isFiltered = [options.host, options.tag, options.path].some((list) => list !== undefined)
  if (isEmpty && !(isAllowed && isFiltered)) {
    throw new HoldfastError('USAGE', 'neither snapshots nor a rule for what to keep were given', {
      hint: isAllowed
        ? 'to remove all snapshots of a host, tag or path, give --host, --tag or --path too'
        : 'name snapshots, or give a rule such as --keep-last 7 or --keep-daily 14',
    })
  }
  const { groupBy } = options
  const groups = await planForget(repository, { ...filter, policy, groupBy, signal: context.signal })
  // No rule keeps anything, and the user has said that this is meant.
  const plan = groups.map((group): ForgetPlan => {
    if (!isEmpty) return { ...group, damaged: [] }
    return { ...group, keep: [], remove: group.keep.map(({ snapshot }) => snapshot), damaged: [] }
  })
  const emptied = plan.find((group) => group.keep.length === 0 && group.remove.length > 0)
  if (emptied !== undefined && !isAllowed) {
    const count = countOf(emptied.remove.length, 'snapshot')
    throw new HoldfastError(
      'FAILED',
      `the rules would remove every one of ${count} of ${nameGroup(emptied)}`,
      {
        hint: 'nothing was removed; add a rule that keeps some, or give --unsafe-allow-remove-all',
      },
    )
  }
  return plan
}
