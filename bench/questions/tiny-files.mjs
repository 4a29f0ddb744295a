import { measureFirstBackup } from '../data/repositories.mjs'
import { tinyFiles } from '../data/sources.mjs'
import { fasterThan, shareOf } from '../harness/targets.mjs'

export const question = {
  name: 'tiny-files',
  order: 3,
  title: 'First backup of tiny files',
  data: '300,000 files of 0 to 2 KB, a hundred in a folder, lines sampled by a seed from /usr/share/doc',
  cases: [
    {
      name: 'backup',
      title: 'tiny files, first backup',
      targets: [fasterThan('restic', 6, 8), shareOf('restic', 'repositoryBytes', { floor: 0.6, aim: 0.5 })],
      measure: (round) => measureFirstBackup(round, tinyFiles),
    },
  ],
}
