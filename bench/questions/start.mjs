import { treesRepository } from '../data/repositories.mjs'
import { atMost } from '../harness/targets.mjs'
import { node } from '../programs/node.mjs'
import { backupPrograms } from '../programs/programs.mjs'

const [holdfast] = backupPrograms

export const question = {
  name: 'start',
  order: 13,
  title: 'Starting',
  data: 'holdfast --version beside node -e 0; the list of snapshots of a repository of the system trees',
  shares: ['system trees'],
  cases: [
    {
      name: 'version',
      title: '--version',
      programs: [holdfast, node],
      targets: [
        { ...atMost('wallShare', { floor: 1.6, aim: 1.3, what: 'time, share of node -e 0' }), peer: 'node' },
      ],
      async measure({ workshop, program, secret }) {
        const side = await workshop.sharedSide('start', program, () => {})
        return await side.measure('start', { secret })
      },
    },
    {
      name: 'snapshots',
      title: 'snapshots',
      targets: [atMost('wallSeconds', { floor: 0.25, aim: 0.2, what: 'time', secret: 'key-file' })],
      secrets: ['key-file', 'password'],
      async measure({ workshop, program, secret }) {
        const side = await treesRepository(workshop, program)
        return await side.measure('listSnapshots', { secret })
      },
    },
  ],
}
