import { renameSync } from 'node:fs'
import { history, MADE } from '../data/sources.mjs'
import { addMeasurements } from '../harness/measure.mjs'
import { fasterThan, shareOf } from '../harness/targets.mjs'

/** Each version in turn is at the same place when it is backed up. */
async function backUpVersions({ workshop, program, secret }, folder) {
  const { place, versions } = await history(workshop, folder)
  return await workshop.withNewSide(program, async (side) => {
    const figures = []
    for (const version of versions) {
      renameSync(version, place)
      try {
        figures.push(await side.measure('backup', { secret }, place))
      } finally {
        renameSync(place, version)
      }
    }
    return { ...addMeasurements(figures), repositoryBytes: side.repositoryBytes() }
  })
}

/** A case for the n-th history that was given. */
function createCase(name, title, at) {
  return {
    name,
    title,
    targets: [fasterThan('restic', 3, 5), shareOf('restic', 'repositoryBytes', { floor: 0.65, aim: 0.5 })],
    isFor: ({ histories }) => at === 0 || histories.length > at,
    measure: (round) => backUpVersions(round, round.workshop.histories[at] ?? MADE),
  }
}

export const question = {
  name: 'history',
  order: 6,
  title: 'All versions of a package, each a snapshot',
  data: 'ten releases of typescript, then five of @iconify/json (465 MiB a version), as bench/fetch-history.mjs gets them',
  cannotAsk: ({ histories, amounts }) =>
    histories.length === 0 && amounts.needsHistory
      ? 'give --history DIR, with what bench/fetch-history.mjs gets'
      : undefined,
  cases: [
    createCase('small', 'history of a package', 0),
    createCase('large', 'history of a large package', 1),
  ],
}
