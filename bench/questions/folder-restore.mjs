import { treesRepository } from '../data/repositories.mjs'
import { systemTrees } from '../data/sources.mjs'
import { findFolderWith } from '../data/trees.mjs'
import { atMost, fasterThan } from '../harness/targets.mjs'

const MIB = 1024 * 1024

function folderOf(workshop) {
  return workshop.once('system trees: folder to restore', async () => {
    return findFolderWith(workshop.amounts.folderFiles, await systemTrees(workshop))
  })
}

export const question = {
  name: 'folder-restore',
  order: 8,
  title: 'Restore of one folder',
  data: 'the folder whose number of files is nearest to 100, out of a snapshot of the system trees; bytes read are those of the command less those of the command snapshots, which reads the same program',
  shares: ['system trees'],
  cases: [
    {
      name: 'restore',
      title: 'one folder of 100 files',
      targets: [
        fasterThan('restic', 2.5, 4),
        atMost('excessBytes', { floor: 4 * MIB, what: 'bytes read beyond 2 × bytes restored' }),
      ],
      secrets: ['key-file', 'password'],
      async measure({ workshop, program, secret }) {
        const side = await treesRepository(workshop, program)
        const { folder, bytes } = await folderOf(workshop)
        const start = await side.measure('listSnapshots', { secret })
        const figures = await workshop.withTarget((target) =>
          side.measure('restoreFolder', { secret }, target, folder),
        )
        const readBytes = Math.max(0, figures.readBytes - start.readBytes)
        return { ...figures, readBytes, excessBytes: Math.max(0, readBytes - 2 * bytes) }
      },
    },
  ],
}
