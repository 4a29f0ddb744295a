import { measureFirstBackup } from '../data/repositories.mjs'
import { largeDirectory } from '../data/sources.mjs'
import { atMost } from '../harness/targets.mjs'

export const question = {
  name: 'large-directory',
  order: 14,
  title: 'A directory with a million entries',
  data: '1,000,000 files in one folder, nine of ten empty',
  cases: [
    {
      name: 'first',
      title: 'a million entries, first backup',
      targets: [],
      ownMemory: atMost('anonymousBytes', { floor: 300_000_000, what: 'peak memory' }),
      measure: (round) => measureFirstBackup(round, largeDirectory),
    },
    {
      name: 'restore',
      title: 'a million entries, restore',
      targets: [],
      ownMemory: atMost('anonymousBytes', { floor: 300_000_000, what: 'peak memory' }),
      async measure({ workshop, program, secret }) {
        const source = await largeDirectory(workshop)
        const side = await workshop.sharedSide('large directory', program, (empty) =>
          empty.prepare('backup', source),
        )
        return await workshop.withTarget((target) => side.measure('restore', { secret }, target))
      },
    },
  ],
}
