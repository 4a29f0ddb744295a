import { treesRepository } from '../data/repositories.mjs'
import { systemTrees } from '../data/sources.mjs'
import { fasterThan } from '../harness/targets.mjs'

export const question = {
  name: 'trees-again',
  order: 2,
  title: 'Backup of the system trees when nothing has changed',
  data: 'copies of /usr/share and /usr/lib, files of at most 16 MiB, with one snapshot of them in the repository',
  shares: ['system trees'],
  cases: [
    {
      name: 'backup',
      title: 'system trees, nothing changed',
      targets: [fasterThan('restic', 6, 10)],
      secrets: ['key-file', 'password'],
      async measure({ workshop, program, secret }) {
        const [side, source] = [await treesRepository(workshop, program), await systemTrees(workshop)]
        return await side.measure('backup', { secret }, source)
      },
    },
  ],
}
