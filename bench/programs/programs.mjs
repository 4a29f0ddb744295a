import { borg, borgZstd } from './borg.mjs'
import { holdfast } from './holdfast.mjs'
import { node } from './node.mjs'
import { restic } from './restic.mjs'

/** What backs up: Holdfast first, then what it is compared with. */
export const backupPrograms = [holdfast, restic, borg, borgZstd]

const all = [...backupPrograms, node]

/**
 * The programs to compare that are on this machine.
 * @param names undefined: all of `backupPrograms`; Holdfast is always among them
 */
export function choosePrograms(names) {
  const unknown = names?.find((name) => !all.some((program) => program.name === name))
  if (unknown !== undefined) throw new Error(`no program is called ${unknown}`)
  return backupPrograms.filter(
    (program) =>
      program.name === 'holdfast' || ((names?.includes(program.name) ?? true) && program.isThere()),
  )
}

export function versionsOf(programs) {
  return Object.fromEntries(programs.map((program) => [program.name, program.version()]))
}
