import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { backup } from '../backup/index.ts'
import { checkAborted } from '../errors/index.ts'
import { createKeyFile, createRepository } from '../library/index.ts'
import { restore } from '../restore/index.ts'
import { listSnapshots } from '../snapshot/index.ts'
import { verify } from '../verify/index.ts'
import { makeFiles } from './made-data.ts'
import type { BenchOptions, Measurement } from './options.ts'
import { makeScratch, removeScratch } from './scratch.ts'

const MIB = 1024 * 1024

/**
 * Back made files up into a new repository, again with nothing changed, verify all of it and restore it: seconds of
 * each as a user would wait for them, but for the start of the program.
 */
export async function* measureRoundTrip(options: BenchOptions): AsyncGenerator<Measurement> {
  const { directory, sizeBytes, onProgress, signal } = options
  const scratch = makeScratch(directory)
  const at = (name: string): string => join(scratch, name)
  try {
    onProgress?.({ name: 'making files' })
    mkdirSync(at('source'))
    const { files, bytes } = makeFiles(at('source'), sizeBytes, signal)
    const about = `${files} files, ${Math.round(bytes / MIB)} MiB`
    const secret = createKeyFile(at('key'))
    const repository = await createRepository({
      location: at('repository'),
      secret,
      cacheDirectory: at('cache'),
    })
    try {
      const steps = {
        backup: () => backup(repository, [at('source')], { signal }),
        'backup, unchanged': () => backup(repository, [at('source')], { signal }),
        'verify, all data': () => verify(repository, { readData: true, signal }),
        restore: async () => {
          const { snapshots } = await listSnapshots(repository, signal)
          await restore(repository, snapshots.at(-1)!, { target: at('restored'), signal })
        },
      }
      for (const [name, step] of Object.entries(steps)) {
        checkAborted(signal)
        onProgress?.({ name })
        const began = performance.now()
        await step()
        yield { name, detail: about, value: (performance.now() - began) / 1000, unit: 's' }
      }
    } finally {
      await repository.close()
    }
  } finally {
    removeScratch(scratch)
  }
}
