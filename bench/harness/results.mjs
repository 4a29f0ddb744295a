import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const resultsFolder = fileURLToPath(new URL('../results', import.meta.url))

/** One file for each question and kind of storage; a new measurement takes the place of the old. */
export function writeResult(folder, result) {
  mkdirSync(folder, { recursive: true })
  const suffix = result.storage === 'tmpfs' ? '' : `-${result.storage}`
  writeFileSync(join(folder, `${result.question}${suffix}.json`), `${JSON.stringify(result, null, 2)}\n`)
}

/** @returns all results of a kind of storage, by question */
export function readResults(folder, storage) {
  if (!existsSync(folder)) return new Map()
  const results = readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')))
    .filter((result) => result.storage === storage)
  return new Map(results.map((result) => [result.question, result]))
}
