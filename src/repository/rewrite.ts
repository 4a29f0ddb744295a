import type { FileId } from '../encoding/index.ts'
import { hasCode } from '../errors/index.ts'
import { configValue, parseConfig } from './config.ts'
import { CONFIG_NAME, fileName } from './layout.ts'
import { listFiles } from './list.ts'
import type { Repository } from './repository.ts'
import { fileIdOf, openValue, sealValue } from './sealed-value.ts'
import { parseSettings, settingsValue } from './settings.ts'

/** Owner of the temporary files of what is written anew. */
const OWNER = 'repair'

/**
 * Write the config again from the copy in the key when it is lost or damaged. Until the new one is durable the
 * copy stands in for it, so a crash in between costs nothing.
 *
 * @returns what it was
 * @throws HoldfastError NEWER_FORMAT for a config this program cannot judge
 */
export async function rewriteConfig(repository: Repository): Promise<'whole' | 'missing' | 'damaged'> {
  const { backend } = repository
  const found = await stateOf(async () => {
    openValue(repository, 'config', CONFIG_NAME, await backend.get(CONFIG_NAME), parseConfig)
  })
  if (found === 'whole') return found
  if (found === 'damaged') await backend.remove(CONFIG_NAME)
  const bytes = sealValue(repository, 'config', configValue(repository.config))
  try {
    await backend.putNew(CONFIG_NAME, bytes, { owner: OWNER })
  } catch (error) {
    // Another client has put the same config at the same moment.
    if (!hasCode(error, 'ALREADY_EXISTS')) throw error
  }
  return found
}

/**
 * Remove settings files that are damaged; put those in force anew, first, when no file is whole.
 *
 * @returns how many were damaged, and whether there are new ones
 */
export async function rewriteSettings(
  repository: Repository,
): Promise<{ readonly damaged: number; readonly isWritten: boolean }> {
  const { backend, settings } = repository
  const damaged: FileId[] = []
  let whole = 0
  for await (const { id } of listFiles(backend, 'settings')) {
    const found = await stateOf(() => repository.getValue('settings', id, parseSettings))
    if (found === 'whole') whole++
    if (found === 'damaged') damaged.push(id)
  }
  if (whole === 0) {
    const bytes = sealValue(repository, 'settings', settingsValue({ ...settings, previous: null }))
    await backend.put(fileName('settings', fileIdOf(bytes)), bytes, { owner: OWNER })
  }
  for (const id of damaged) await repository.removeFile('settings', id)
  return { damaged: damaged.length, isWritten: whole === 0 }
}

async function stateOf(read: () => Promise<unknown>): Promise<'whole' | 'missing' | 'damaged'> {
  try {
    await read()
    return 'whole'
  } catch (error) {
    if (hasCode(error, 'NO_SUCH_FILE')) return 'missing'
    if (hasCode(error, 'DAMAGED')) return 'damaged'
    throw error
  }
}
