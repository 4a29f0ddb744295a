import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { drawChart } from './chart.mjs'
import { readQuestions } from './questions.mjs'
import { readResults } from './results.mjs'
import { circumstances, figureTable, summaryTable, verdictTable } from './tables.mjs'

const root = new URL('../../', import.meta.url)
/** The pages with marked places. */
const pages = ['docs/performance.md', 'README.md']
const chart = 'docs/performance.svg'

const PLACE = /(<!-- bench: ([a-z ]+) -->\n)[\s\S]*?(<!-- end -->)/g

/**
 * What stands at a marked place: `summary`, `targets`, `figures`, or one of them with ` on disk`.
 * @param results by kind of storage, in the questions' order
 */
function textOf(place, results) {
  const storage = place.endsWith(' on disk') ? 'disk' : 'tmpfs'
  const tables = { summary: summaryTable, targets: verdictTable, figures: figureTable }
  const table = tables[place.replace(/ on disk$/, '')]
  if (table === undefined) throw new Error(`no table is called ${place}`)
  const of = results[storage]
  if (of.length === 0) return `Measured by: \`npm run bench${storage === 'disk' ? ' -- --work DIR' : ''}\`.`
  return `${table(of)}\n\n${circumstances(of)}`
}

/** A page with its marked places as the results have them. */
function fillPage(text, results) {
  return text.replaceAll(PLACE, (_, begin, place, end) => `${begin}${textOf(place, results)}\n${end}`)
}

/** @returns results by kind of storage, in the questions' order */
async function resultsInOrder(folder) {
  const questions = await readQuestions([])
  const inOrder = (storage) => {
    const results = readResults(folder, storage)
    return questions.map(({ name }) => results.get(name)).filter(Boolean)
  }
  return { tmpfs: inOrder('tmpfs'), disk: inOrder('disk') }
}

/** Every file that holds figures, as the results in a folder have them: path below the root to text. */
async function fillDocuments(folder) {
  const results = await resultsInOrder(folder)
  const texts = new Map(pages.map((page) => [page, fillPage(readText(page), results)]))
  if (results.tmpfs.length > 0) texts.set(chart, drawChart(results.tmpfs))
  return texts
}

function readText(path) {
  const url = new URL(path, root)
  return existsSync(url) ? readFileSync(url, 'utf8') : ''
}

/** Write tables into the pages' marked places, and the chart. */
export async function writeDocuments(folder) {
  for (const [path, text] of await fillDocuments(folder)) writeFileSync(new URL(path, root), text)
}

/** Throws when a page or the chart says something else than the results do. */
export async function checkDocuments(folder) {
  const stale = [...(await fillDocuments(folder))].filter(([path, text]) => readText(path) !== text)
  if (stale.length > 0) {
    const paths = stale.map(([path]) => path).join(', ')
    throw new Error(`${paths} differ from bench/results: npm run bench -- --write-docs`)
  }
}
