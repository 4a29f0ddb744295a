import { readdirSync } from 'node:fs'

const folder = new URL('../questions/', import.meta.url)

/**
 * Questions, one a file. A question has
 * - `name`, its file's name; `order` in tables; `title`; `data`, a line on what is measured with
 * - `shares`: what it has in common with other questions, as the workshop names it
 * - `cannotAsk(workshop)`: why it has to be left out; undefined when it need not
 * - `cases`, each with `name`, `title`, `targets`, and
 *   `isFor(workshop)` where it may be left out, `programs`, when they are not those that back up,
 *   `command` that a program must have, `secrets` it is asked with (default: a key file where the program knows them),
 *   `prepare({ workshop, program })` once for each program, `beforeRound({ workshop, round })` before each round,
 *   `measure({ workshop, program, secret })`, which gives what `Side.measure` does and more sizes
 *
 * @param names the questions wanted; none: all, in their order
 */
export async function readQuestions(names) {
  const files = readdirSync(folder).filter((file) => file.endsWith('.mjs'))
  const unknown = names.find((name) => !files.includes(`${name}.mjs`))
  if (unknown !== undefined) throw new Error(`no question is called ${unknown}`)
  const wanted = files.filter((file) => names.length === 0 || names.includes(file.slice(0, -'.mjs'.length)))
  const modules = await Promise.all(wanted.map((file) => import(new URL(file, folder))))
  return modules.map(({ question }) => question).sort((a, b) => a.order - b.order)
}
