import { type Repository, rewriteConfig, rewriteSettings } from '../repository/index.ts'

export interface RepairConfigResult {
  /** What the config was; anything but `whole` was written again from the copy in the key. */
  readonly config: 'whole' | 'missing' | 'damaged'
  /** Settings files that were damaged and are removed. */
  readonly damagedSettings: number
  /** True when no settings were whole, and those in force were written anew. */
  readonly isSettingsWritten: boolean
}

/** Write config and settings again where they are lost or damaged. Durable when it resolves; twice is fine. */
export async function repairConfig(repository: Repository): Promise<RepairConfigResult> {
  repository.checkWritable()
  const config = await rewriteConfig(repository)
  const { damaged, isWritten } = await rewriteSettings(repository)
  return { config, damagedSettings: damaged, isSettingsWritten: isWritten }
}
