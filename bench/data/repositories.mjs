import { changingTrees, systemTrees } from './sources.mjs'
import { ageTree } from './trees.mjs'

/** Back up into a new repository. @param makeSource gives the path; @returns with `repositoryBytes` */
export async function measureFirstBackup({ workshop, program, secret }, makeSource) {
  const source = await makeSource(workshop)
  return await workshop.withNewSide(program, async (side) => ({
    ...(await side.measure('backup', { secret }, source)),
    repositoryBytes: side.repositoryBytes(),
  }))
}

/** Each function below gives a side that questions share, made once for each program. */

/** The system trees in one snapshot. */
export async function treesRepository(workshop, program) {
  const source = await systemTrees(workshop)
  return await workshop.sharedSide('system trees', program, (side) => side.prepare('backup', source))
}

const TREES = 'many snapshots: trees'
/** Of the files, from the first snapshot to the second, as between two releases. */
const RELEASE_SHARE = 0.3
/** From each other snapshot to the next. */
const NEIGHBOUR_SHARE = 0.002

/**
 * Many snapshots of the system trees: the first is an old release, the others are of the next one, each a little changed.
 * All programs keep the same snapshots.
 * @returns `{ sides, fresh }`: sides by program name; `fresh` is Holdfast's, made anew, with the newer half alone
 */
export function manySnapshots(workshop) {
  return workshop.once('many snapshots', async () => {
    const [source, { programs, amounts }] = [await changingTrees(workshop, TREES), workshop]
    const sides = new Map()
    for (const program of programs) {
      sides.set(program.name, await workshop.sharedSide('many snapshots', program, () => {}))
    }
    const fresh = await workshop.sharedSide('many snapshots, the newer half', programs[0], () => {})
    for (let snapshot = 0; snapshot < amounts.snapshots; snapshot++) {
      if (snapshot > 0) {
        const share = snapshot === 1 ? RELEASE_SHARE : NEIGHBOUR_SHARE
        ageTree(source, { share, seed: `snapshot ${snapshot}` })
      }
      for (const side of sides.values()) await side.prepare('backup', source)
      if (snapshot >= amounts.snapshots / 2) await fresh.prepare('backup', source)
    }
    workshop.discard(TREES)
    return { sides, fresh }
  })
}
