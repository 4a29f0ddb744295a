import { measureFirstBackup } from '../data/repositories.mjs'
import { systemTrees } from '../data/sources.mjs'
import { fasterThan, shareOf } from '../harness/targets.mjs'

export const question = {
  name: 'trees-backup',
  order: 1,
  title: 'First backup of the system trees',
  data: 'copies of /usr/share and /usr/lib, files of at most 16 MiB: about 2 GiB in 100,000 files',
  shares: ['system trees'],
  cases: [
    {
      name: 'backup',
      title: 'system trees, first backup',
      targets: [
        fasterThan('restic', 4.2, 5.5),
        shareOf('restic', 'repositoryBytes', { floor: 0.88, aim: 0.85 }),
      ],
      measure: (round) => measureFirstBackup(round, systemTrees),
    },
  ],
}
