import { manySnapshots, treesRepository } from '../data/repositories.mjs'
import { fasterThan } from '../harness/targets.mjs'

export const question = {
  name: 'listing',
  order: 10,
  title: 'Listing and finding files',
  data: 'ls of a snapshot of the system trees; find *.conf in 20 snapshots of them, with changes between',
  shares: ['system trees', 'many snapshots'],
  cases: [
    {
      name: 'ls',
      title: 'ls of everything',
      targets: [fasterThan('restic', 8, 12)],
      secrets: ['key-file', 'password'],
      async measure({ workshop, program, secret }) {
        const side = await treesRepository(workshop, program)
        return await side.measure('listFiles', { secret })
      },
    },
    {
      name: 'find',
      title: 'find over 20 snapshots',
      command: 'find',
      targets: [fasterThan('restic', 8, 12)],
      secrets: ['key-file', 'password'],
      async measure({ workshop, program, secret }) {
        const side = (await manySnapshots(workshop)).sides.get(program.name)
        return await side.measure('find', { secret }, '*.conf')
      },
    },
  ],
}
