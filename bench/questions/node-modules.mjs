import { measureFirstBackup } from '../data/repositories.mjs'
import { nodeModules } from '../data/sources.mjs'

async function repositoryOf(workshop, program) {
  const source = await nodeModules(workshop)
  return await workshop.sharedSide('node_modules', program, (side) => side.prepare('backup', source))
}

export const question = {
  name: 'node-modules',
  order: 16,
  title: 'A forest of node_modules',
  data: 'the folder given with --node-modules',
  cannotAsk: (workshop) => (workshop.nodeModules === undefined ? 'give --node-modules DIR' : undefined),
  cases: [
    {
      name: 'backup',
      title: 'node_modules, first backup',
      targets: [],
      measure: (round) => measureFirstBackup(round, nodeModules),
    },
    {
      name: 'restore',
      title: 'node_modules, full restore',
      targets: [],
      async measure({ workshop, program, secret }) {
        const side = await repositoryOf(workshop, program)
        return await workshop.withTarget((target) => side.measure('restore', { secret }, target))
      },
    },
  ],
}
