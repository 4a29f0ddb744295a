import { measureFirstBackup } from '../data/repositories.mjs'
import { randomFile } from '../data/sources.mjs'
import { fasterThan } from '../harness/targets.mjs'

export const question = {
  name: 'random-file',
  order: 4,
  title: 'First backup of a large incompressible file',
  data: 'one file of 4 GiB that nothing compresses, from a seed',
  cases: [
    {
      name: 'backup',
      title: 'incompressible file, first backup',
      targets: [fasterThan('restic', 6, 8)],
      measure: (round) => measureFirstBackup(round, randomFile),
    },
  ],
}
