import { join } from 'node:path'
import { changeImage } from '../data/large-files.mjs'
import { measureFirstBackup } from '../data/repositories.mjs'
import { image } from '../data/sources.mjs'
import { fasterThan, shareOf } from '../harness/targets.mjs'

const CHANGED_SHARE = 0.01

function imageRepository(workshop, program) {
  return workshop.sharedSide('disk image', program, async (side) =>
    side.prepare('backup', await image(workshop)),
  )
}

export const question = {
  name: 'disk-image',
  order: 5,
  title: 'Backup of a disk image',
  data: 'a sparse image of 4 GiB with holes, zero runs, noise and structured pages; then 1 % of its 4 KiB pages changed, each chosen with the same chance by a seed',
  cases: [
    {
      name: 'first',
      title: 'disk image, first backup',
      targets: [fasterThan('restic', 4, 6)],
      measure: (round) => measureFirstBackup(round, image),
    },
    {
      name: 'changed',
      title: 'disk image, 1 % of pages changed',
      targets: [fasterThan('restic', 6, 10), shareOf('restic', 'addedBytes', { floor: 0.2, aim: 0.1 })],
      prepare: ({ workshop, program }) => imageRepository(workshop, program),
      async beforeRound({ workshop, round }) {
        const path = join(await image(workshop), 'image')
        const change = { share: CHANGED_SHARE, seed: `round ${round}` }
        changeImage(path, workshop.amounts.largeFileBytes, change)
      },
      async measure({ workshop, program, secret }) {
        const side = await imageRepository(workshop, program)
        const before = side.repositoryBytes()
        const figures = await side.measure('backup', { secret }, await image(workshop))
        return { ...figures, addedBytes: side.repositoryBytes() - before }
      },
    },
  ],
}
