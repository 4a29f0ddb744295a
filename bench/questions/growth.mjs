import { measureFirstBackup } from '../data/repositories.mjs'
import { growingFiles } from '../data/sources.mjs'
import { timesCase } from '../harness/targets.mjs'
import { backupPrograms } from '../programs/programs.mjs'

/** Which of the scale's two numbers of files. */
function createCase(name, title, at, targets) {
  return {
    name,
    title,
    targets,
    programs: [backupPrograms[0]],
    measure: (round) =>
      measureFirstBackup(round, (workshop) => growingFiles(workshop, workshop.amounts.growingFiles[at])),
  }
}

const tenfold = timesCase('fewer', { floor: 11, aim: 10, what: 'time for ten times as many files' })

export const question = {
  name: 'growth',
  order: 15,
  title: 'From 100,000 to 1,000,000 files',
  data: 'files of 0 to 500 bytes, a hundred in a folder, lines sampled by a seed from /usr/share/doc',
  cases: [
    createCase('fewer', '100,000 files, first backup', 0, []),
    createCase('more', '1,000,000 files, first backup', 1, [tenfold]),
  ],
}
