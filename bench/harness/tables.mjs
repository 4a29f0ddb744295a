import { showBytes, showSeconds } from './figures.mjs'

const SIZES = { repositoryBytes: 'repository', addedBytes: 'added' }

function showSpread(figure, show) {
  if (figure.minimum === figure.maximum) return show(figure.median)
  return `${show(figure.median)} (${show(figure.minimum)}–${show(figure.maximum)})`
}

function showSize(figures) {
  return Object.entries(SIZES)
    .filter(([name]) => figures[name] !== undefined)
    .map(([name, word]) => `${showBytes(figures[name].median)} ${word}`)
    .join(', ')
}

/** How the secret was given; only where a question was asked with more than one. */
function titleOf(one, result) {
  const hasOther = result.cases.some(({ name, secret }) => name === one.name && secret !== one.secret)
  return hasOther ? `${one.title}, ${one.secret === 'password' ? 'password' : 'key file'}` : one.title
}

/** @returns rows of text: case, program, wall, user + system CPU, memory, sizes, times faster */
function figureRows(result) {
  return result.cases.flatMap((one) =>
    Object.entries(one.programs).map(([program, { figures }]) => {
      const ratio = one.ratios[program]?.wallSeconds
      return [
        titleOf(one, result),
        program,
        showSpread(figures.wallSeconds, showSeconds),
        `${figures.userSeconds.median.toFixed(2)} + ${figures.systemSeconds.median.toFixed(2)} s`,
        `${showBytes(figures.anonymousBytes.median)} + ${showBytes(figures.fileBytes.median)}`,
        showSize(figures),
        ratio === undefined ? '' : showSpread(ratio, (value) => `${value.toFixed(2)} ×`),
      ]
    }),
  )
}

/** @returns rows of text: case, what, value, floor, aim */
function verdictRows(result) {
  const bound = (shown, isMet) => (shown === undefined ? '' : `${shown} ${isMet ? 'met' : 'NOT MET'}`)
  return result.cases.flatMap((one) =>
    one.verdicts.map((verdict) => [
      titleOf(one, result),
      verdict.what,
      verdict.shown,
      bound(verdict.shownFloor, verdict.isFloorMet),
      bound(verdict.shownAim, verdict.isAimMet),
    ]),
  )
}

const FIGURE_HEAD = [
  'work',
  'program',
  'wall',
  'user + system',
  'memory, own + file',
  'sizes',
  'Holdfast is faster',
]
const VERDICT_HEAD = ['work', 'figure', 'value', 'floor', 'aim']

/** For a terminal. */
export function textTable(result) {
  const { scale, storage, pairs } = result
  return [
    `\n${result.title} (${scale}, ${storage}, ${pairs} runs; median (minimum–maximum))`,
    align([FIGURE_HEAD, ...figureRows(result)]),
    '',
    align([VERDICT_HEAD, ...verdictRows(result)]),
  ].join('\n')
}

function align(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)))
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function markdown(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/** Every figure of some results. */
export function figureTable(results) {
  return markdown(FIGURE_HEAD, results.flatMap(figureRows))
}

/** Each floor and aim beside what was reached. */
export function verdictTable(results) {
  return markdown(VERDICT_HEAD, results.flatMap(verdictRows))
}

/** One line for each case: Holdfast's time and memory, and its ratios to each peer. */
export function summaryTable(results) {
  const peers = [
    ...new Set(results.flatMap(({ cases }) => cases.flatMap(({ ratios }) => Object.keys(ratios)))),
  ]
  const rows = results.flatMap((result) =>
    result.cases.map((one) => {
      const { figures } = one.programs.holdfast
      const size = one.ratios.restic?.addedBytes ?? one.ratios.restic?.repositoryBytes
      return [
        titleOf(one, result),
        showSeconds(figures.wallSeconds.median),
        ...peers.map((peer) => {
          const ratio = one.ratios[peer]?.wallSeconds
          return ratio === undefined ? '' : `${ratio.median.toFixed(1)} ×`
        }),
        size === undefined ? '' : size.median.toFixed(2),
        showBytes(figures.anonymousBytes.median),
      ]
    }),
  )
  const head = [
    'work',
    'Holdfast',
    ...peers.map((peer) => `faster than ${peer}`),
    "share of restic's size",
    'peak memory',
  ]
  return markdown(head, rows)
}

/** On what and how the results were measured: a sentence for most of them, and one for each group that differs. */
export function circumstances(results) {
  const groups = new Map()
  for (const result of results) {
    const { machine, pairs, storage, commit, date } = result
    const key = JSON.stringify([machine, pairs, storage, commit, date])
    groups.set(key, [...(groups.get(key) ?? []), result])
  }
  const [most, ...others] = [...groups.values()].sort((left, right) => right.length - left.length)
  return [
    describe(most),
    ...others.map((group) => `${group.map(({ question }) => question).join(', ')}: ${describe(group)}`),
  ].join('\n\n')
}

function describe(results) {
  const { machine, pairs, storage, commit, date } = results[0]
  const versions = Object.assign({}, ...results.map((result) => result.versions))
  const programs = Object.entries(versions)
    .filter(([name]) => name !== 'borg-zstd')
    .map(([name, version]) => `${name} ${version}`)
  const runs = pairs === 1 ? 'one run' : `medians of ${pairs} runs in turn`
  return `${machine.cpu}, ${machine.cores} cores, ${showBytes(machine.memoryBytes)}; Node ${machine.node.slice(1)}; ${programs.join(', ')}; ${storage}, page cache warm; ${runs}; commit ${commit}, ${date}.`
}
