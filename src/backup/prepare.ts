import { endWaiting, startAhead, threadCount, threadFile, YOUNG_MIB } from '../threads/index.ts'

/**
 * Start the threads of the next backup now, so that they load while the repository is opened. Costs a tenth of a second of
 * one core for each; a backup that does not come leaves them idle until the process ends.
 *
 * @param threads as in `BackupOptions`
 */
export function prepareBackup(threads: number = threadCount()): void {
  startAhead(threadFile(import.meta.url, 'worker'), threads, YOUNG_MIB)
}

/** End the threads that no backup has taken, before the process ends. */
export async function endPreparation(): Promise<void> {
  await endWaiting()
}
