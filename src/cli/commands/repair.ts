import type { Command } from 'commander'
import { HoldfastError } from '../../errors/index.ts'
import { type Repository, repairConfig, repairIndex } from '../../index.ts'
import type { Context } from '../context.ts'
import { countOf, formatCount, shortId } from '../format.ts'
import { createProgress } from '../progress.ts'
import { withRepository } from '../repository-access.ts'
import { defineRepairPacks } from './repair-packs.ts'
import { defineRepairSnapshots } from './repair-snapshots.ts'

interface IndexOptions {
  readonly readAllPacks?: boolean
}

export function define(command: Command, context: Context): void {
  command
    .command('index')
    .description('rebuild the index from the packs')
    .option('--read-all-packs', 'read the footer of every pack, also of those the index lists')
    .action(
      async (options: IndexOptions) =>
        await withRepository(context, async (repository) => await runIndex(context, repository, options)),
    )
  defineRepairPacks(command, context)
  defineRepairSnapshots(command, context)
  command
    .command('config')
    .description('write config and settings again from the copy in the key')
    .action(
      async () => await withRepository(context, async (repository) => await runConfig(context, repository)),
    )
}

async function runIndex(context: Context, repository: Repository, options: IndexOptions): Promise<void> {
  const { output, signal } = context
  const progress = createProgress(context)
  try {
    const result = await repairIndex(repository, {
      readAll: options.readAllPacks,
      onProgress: ({ done, total }) =>
        progress.update({
          text: () => `reading packs  ${formatCount(done)} of ${formatCount(total)}`,
          status: () => ({ message_type: 'status', packs_done: done, total_packs: total }),
        }),
      signal,
    })
    for (const { file, problem } of result.unreadable) {
      output.problem(`${file} cannot be listed: ${problem}`, { item: file })
    }
    for (const id of result.missingPacks) {
      output.problem(`pack ${shortId(id)} is gone; the index does not count on it any more`, { item: id })
    }
    const { soundFiles, removedFiles, writtenFiles, listedPacks, condemnedPacks } = result
    await output.json({
      message_type: 'summary',
      sound_files: soundFiles,
      removed_files: removedFiles,
      written_files: writtenFiles,
      packs_listed: listedPacks,
      packs_condemned: condemnedPacks,
      missing_packs: result.missingPacks,
      unreadable_packs: result.unreadable.map(({ file }) => file),
    })
    await output.line(`found    ${countOf(soundFiles, 'sound index file')}`)
    if (writtenFiles.length > 0) {
      await output.line(
        `wrote    ${countOf(writtenFiles.length, 'index file')}, listing ${countOf(listedPacks, 'pack')}`,
      )
    }
    if (removedFiles.length > 0)
      await output.line(`removed  ${countOf(removedFiles.length, 'damaged index file')}`)
    if (writtenFiles.length + removedFiles.length === 0)
      await output.line('nothing to do: the index is whole')
    if (result.unreadable.length + result.missingPacks.length > 0) {
      throw new HoldfastError('DAMAGED', 'the index is whole again, but packs are lost or damaged', {
        hint: 'holdfast verify says which snapshots are touched; the next backup stores anew what its source still has',
      })
    }
    if (writtenFiles.length + removedFiles.length > 0)
      output.note('run holdfast verify to see that all is there')
  } finally {
    progress.end()
  }
}

async function runConfig({ output }: Context, repository: Repository): Promise<void> {
  const { config, damagedSettings, isSettingsWritten } = await repairConfig(repository)
  await output.json({
    message_type: 'summary',
    config,
    damaged_settings: damagedSettings,
    settings_written: isSettingsWritten,
  })
  if (config !== 'whole') await output.line(`the config was ${config} and is written again`)
  if (damagedSettings > 0) await output.line(`removed ${countOf(damagedSettings, 'damaged settings file')}`)
  if (isSettingsWritten) await output.line('the settings in force are written again')
  if (config === 'whole' && damagedSettings === 0 && !isSettingsWritten) {
    await output.line('nothing to do: config and settings are whole')
  }
}
