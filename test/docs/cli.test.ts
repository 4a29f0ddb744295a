import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Command, Option } from 'commander'
import { beforeAll, expect, test } from 'vitest'
import { createContext, createProgram, loadAllCommands } from '../../src/cli/index.ts'
import { exitCodes } from '../../src/errors/index.ts'

/** Between these marks stands what the program says of itself; `npx vitest -u` writes it anew. */
const region = /<!-- program: (.+?) -->\n[\s\S]*?<!-- end -->/g
const path = fileURLToPath(new URL('../../docs/cli.md', import.meta.url))
const text = readFileSync(path, 'utf8')

const GLOBAL = 'global options'
const ERRORS = 'error codes'

const program = createProgram(createContext(new AbortController().signal))
beforeAll(async () => await loadAllCommands(program))

function commandsBelow(command: Command): Command[] {
  return command.commands.flatMap((one) => [one, ...commandsBelow(one)])
}

function nameOf(command: Command): string {
  return command.parent === null || command.parent.parent === null
    ? command.name()
    : `${nameOf(command.parent)} ${command.name()}`
}

/** Aligned as the project's formatter has it. */
function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [titles, ...rows].map((row) => row.map((cell) => cell.replaceAll('|', '\\|')))
  const widths = titles.map((_, at) => Math.max(3, ...cells.map((row) => row[at]!.length)))
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, at) => cell.padEnd(widths[at]!)).join(' | ')} |`
  return [line(cells[0]!), line(widths.map((width) => '-'.repeat(width))), ...cells.slice(1).map(line)].join(
    '\n',
  )
}

function optionRow(option: Option): string[] {
  const choices = option.argChoices === undefined ? '' : `: ${option.argChoices.join(', ')}`
  const value = option.defaultValueDescription ?? option.defaultValue
  const isSaid = value === undefined || typeof value === 'boolean'
  return [`\`${option.flags}\``, `${option.description}${choices}${isSaid ? '' : ` (default: ${value})`}`]
}

function isGlobal(option: Option): boolean {
  return option.helpGroupHeading === 'Global options:'
}

function describeCommand(command: Command): string {
  const isGroup = command.commands.length > 0
  const words = command.registeredArguments.map((one) => {
    const name = one.variadic ? `${one.name()}...` : one.name()
    return one.required ? `<${name}>` : `[${name}]`
  })
  const options = command.options.filter((option) => !isGlobal(option))
  const usage = ['holdfast', nameOf(command), ...(isGroup ? ['<command>'] : []), ...words].join(' ')
  const aliases = command.aliases().map((alias) => ` Also \`${alias}\`.`)
  const rows = [
    ...command.registeredArguments.map((one, at) => {
      const choices = one.argChoices === undefined ? '' : `: ${one.argChoices.join(', ')}`
      return [`\`${words[at]}\``, `${one.description}${choices}`]
    }),
    ...options.map(optionRow),
  ]
  const parts = [`\`${usage}\`: ${command.description()}.${aliases.join('')}`]
  if (rows.length > 0) parts.push(table(['', ''], rows))
  return parts.join('\n\n')
}

/** What stands in a region; undefined for one that the program does not know. */
function contentOf(name: string): string | undefined {
  if (name === GLOBAL) return table(['', ''], program.options.filter(isGlobal).map(optionRow))
  if (name === ERRORS) {
    return table(
      ['code', 'exit code'],
      Object.entries(exitCodes).map(([code, exitCode]) => [`\`${code}\``, String(exitCode)]),
    )
  }
  const command = commandsBelow(program).find((one) => nameOf(one) === name)
  return command === undefined ? undefined : describeCommand(command)
}

test('docs/cli.md says of each command what the program says', async () => {
  const fresh = text.replace(region, (whole, name: string) => {
    const content = contentOf(name)
    return content === undefined ? whole : `<!-- program: ${name} -->\n${content}\n<!-- end -->`
  })
  await expect(fresh).toMatchFileSnapshot(path)
})

test('docs/cli.md has every command in the order of the help, and no other', () => {
  const names = [...text.matchAll(region)].map((match) => match[1])
  expect(names).toEqual([
    GLOBAL,
    ...commandsBelow(program)
      .map(nameOf)
      .filter((name) => name !== 'help'),
    ERRORS,
  ])
})

test('docs/cli.md names every exit code', () => {
  for (const exitCode of new Set([0, ...Object.values(exitCodes)])) {
    expect(text).toMatch(new RegExp(`^\\| ${exitCode} +\\| .+ \\|$`, 'm'))
  }
})

test('docs/cli.md names every environment variable that the program reads', () => {
  const sources = ['global-options', 'secret', 'location', 'progress', 'repository-access'].map((name) =>
    readFileSync(new URL(`../../src/cli/${name}.ts`, import.meta.url), 'utf8'),
  )
  const names = new Set(sources.join().match(/HOLDFAST_[A-Z_]+/g))
  for (const name of names) expect(text).toContain(name)
})
