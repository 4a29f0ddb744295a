// Measures Holdfast beside restic and borg: docs/performance.md says how, `npm run bench -- --help` what can be asked.
import { mkdirSync } from 'node:fs'
import { amounts } from './harness/amounts.mjs'
import { parseArguments, usage } from './harness/arguments.mjs'
import { checkDocuments, writeDocuments } from './harness/documents.mjs'
import { describeCommit, describeMachine, storageOf } from './harness/machine.mjs'
import { readQuestions } from './harness/questions.mjs'
import { resultsFolder, writeResult } from './harness/results.mjs'
import { ask } from './harness/rounds.mjs'
import { textTable } from './harness/tables.mjs'
import { Workshop } from './harness/workshop.mjs'
import { choosePrograms, versionsOf } from './programs/programs.mjs'

const say = (line) => process.stderr.write(`${line}\n`)

async function main(options) {
  if (options.helps) return console.log(usage)
  if (options.writesDocs) return writeDocuments(options.results ?? resultsFolder)
  if (options.checksDocs) return checkDocuments(options.results ?? resultsFolder)
  const questions = await readQuestions(options.questions)
  if (options.lists) {
    for (const { name, title } of questions) console.log(`${name.padEnd(20)} ${title}`)
    return
  }

  const programs = choosePrograms(options.programs)
  if (programs.length === 1) say('neither restic nor borg is compared: Holdfast is measured alone')
  mkdirSync(options.work, { recursive: true })
  const about = {
    scale: options.scale,
    storage: storageOf(options.work),
    pairs: options.pairs,
    date: new Date().toISOString().slice(0, 10),
    commit: describeCommit(),
    machine: describeMachine(),
    versions: versionsOf(programs),
  }
  const results = options.results ?? (options.scale === 'full' ? resultsFolder : undefined)
  // One for all questions: data and repositories are made once.
  const workshop = new Workshop({ ...options, amounts: amounts[options.scale], programs })
  const leave = () => {
    workshop.remove()
    process.exit(130)
  }
  process.once('SIGINT', leave).once('SIGTERM', leave)
  try {
    for (const [at, question] of questions.entries()) {
      const reason = question.cannotAsk?.(workshop)
      if (reason !== undefined) {
        say(`${question.name} is left out: ${reason}`)
        continue
      }
      const { pairs, warmsUp, secret } = options
      const cases = await ask(question, { workshop, say, pairs, warmsUp, onlySecret: secret })
      const result = { question: question.name, title: question.title, data: question.data, ...about, cases }
      if (results !== undefined) writeResult(results, result)
      console.log(textTable(result))
      workshop.keepOnly(questions.slice(at + 1).flatMap(({ shares }) => shares ?? []))
    }
  } finally {
    workshop.remove()
  }
}

try {
  await main(parseArguments(process.argv.slice(2)))
} catch (error) {
  say(`bench: ${error.message}`)
  process.exitCode = 1
}
