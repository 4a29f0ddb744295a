import { spreadOfEach } from './figures.mjs'
import { judge, targetsOf } from './targets.mjs'

/** Where less is better, a ratio is Holdfast's share; for time it is how many times faster. */
const SHARES = ['repositoryBytes', 'addedBytes', 'anonymousBytes', 'readBytes']

/**
 * Ask a question: each case with each secret, all programs in turn, round by round.
 * @param options `{ workshop, pairs, warmsUp, say, onlySecret }`: cases asked with two secrets, only with that one
 * @returns results of the cases, for JSON; without those that a program's version cannot do
 */
export async function ask(question, { onlySecret, ...options }) {
  const results = []
  const cases = question.cases.filter((one) => one.isFor?.(options.workshop) ?? true)
  for (const one of cases) {
    const secrets = one.secrets ?? ['key-file']
    const wanted = secrets.filter((secret) => secrets.length === 1 || (onlySecret ?? secret) === secret)
    for (const secret of wanted) {
      const result = await askCase(question, one, { ...options, secret })
      if (result !== undefined) results.push(result)
    }
  }
  return results.map((result) => {
    const others = results.filter(({ secret }) => secret === result.secret)
    const targets = targetsOf(cases.find(({ name }) => name === result.name))
    return { ...result, verdicts: targets.map((target) => judge(target, result, others)).filter(Boolean) }
  })
}

async function askCase(question, one, { workshop, pairs, warmsUp, secret, say }) {
  const programs = (one.programs ?? workshop.programs).filter(
    (program) => one.command === undefined || program.hasCommand(one.command),
  )
  const runs = new Map(programs.map((program) => [program.name, []]))
  if (programs.every(({ name }) => name !== 'holdfast')) {
    say(`${question.name} / ${one.name} is left out: this version of Holdfast has no ${one.command}`)
    return undefined
  }
  for (const program of programs) await one.prepare?.({ workshop, program })
  for (let round = warmsUp ? -1 : 0; round < pairs; round++) {
    await one.beforeRound?.({ workshop, round })
    for (let turn = 0; turn < programs.length; turn++) {
      const program = programs[(turn + Math.max(round, 0)) % programs.length]
      const figures = await one.measure({ workshop, program, secret })
      if (round >= 0) runs.get(program.name).push(figures)
      const name = round < 0 ? 'warm-up' : `run ${round + 1} of ${pairs}`
      say(
        `${question.name} / ${one.name}, ${secret}: ${program.name}, ${name}: ${figures.wallSeconds.toFixed(3)} s`,
      )
    }
  }
  return { name: one.name, title: one.title, secret, ...compare(runs) }
}

/** @param runs from a program's name to its figures, round by round */
function compare(runs) {
  const own = runs.get('holdfast')
  const peers = [...runs].filter(([name]) => name !== 'holdfast')
  return {
    programs: Object.fromEntries(
      [...runs].map(([name, figures]) => [name, { figures: spreadOfEach(figures), runs: figures }]),
    ),
    ratios: Object.fromEntries(peers.map(([name, theirs]) => [name, ratios(own, theirs)])),
  }
}

function ratios(own, theirs) {
  return spreadOfEach(
    own.map((figures, round) => {
      const peer = theirs[round]
      return {
        wallSeconds: peer.wallSeconds / figures.wallSeconds,
        wallShare: figures.wallSeconds / peer.wallSeconds,
        cpuSeconds:
          (peer.userSeconds + peer.systemSeconds) /
          Math.max(figures.userSeconds + figures.systemSeconds, 0.01),
        ...Object.fromEntries(
          SHARES.filter((name) => peer[name] > 0 && figures[name] !== undefined).map((name) => [
            name,
            figures[name] / peer[name],
          ]),
        ),
      }
    }),
  )
}
