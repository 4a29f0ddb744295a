import { Command } from 'commander'
import { HoldfastError } from '../errors/index.ts'
import type { Context } from './context.ts'
import { addGlobalOptions, checkOptionsAreText } from './global-options.ts'
import { registry } from './registry.ts'
import { readVersion } from './version.ts'

/** The parser with every command's name and summary; arguments and options come when a command is used. */
export function createProgram(context: Context): Command {
  const program = new Command('holdfast')
    .description('Encrypted, deduplicated snapshots of files.')
    .usage('[global options] <command>')
    .version(readVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .exitOverride()
    // Errors are printed by main, which has them as exceptions.
    .configureOutput({ outputError: () => {} })
  program.optionsGroup('Options:')
  addGlobalOptions(program)

  const load = new Map<Command, () => Promise<void>>()
  for (const entry of registry) {
    const command = program.command(entry.name).aliases([...(entry.aliases ?? [])])
    command.description(entry.summary)
    load.set(command, async () => {
      load.delete(command)
      const module = await entry.load()
      module.define(command, context)
      for (const one of withDescendants(command)) addGlobalOptions(one)
    })
  }
  program.hook('preSubcommand', async (_, command) => await load.get(command)?.())
  program.hook('preAction', (_, command) => {
    checkOptionsAreText(command)
    context.begin(command)
  })
  loaders.set(program, load)

  program
    .command('help')
    .description('print the help of a command')
    .argument('[command...]')
    .action(async (names: readonly string[]) => {
      let found = program
      for (const name of names) {
        const next = found.commands.find((one) => one.name() === name || one.aliases().includes(name))
        if (next === undefined) throw unknownCommand(program, [...names])
        await load.get(next)?.()
        found = next
      }
      found.outputHelp()
    })
  return program
}

const loaders = new WeakMap<Command, ReadonlyMap<Command, () => Promise<void>>>()

/** Load every command, as documents and completions need it. */
export async function loadAllCommands(program: Command): Promise<void> {
  for (const load of [...(loaders.get(program)?.values() ?? [])]) await load()
}

function withDescendants(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withDescendants)]
}

function unknownCommand(program: Command, names: readonly string[]): HoldfastError {
  const known = program.commands.map((command) => command.name()).join(', ')
  return new HoldfastError('USAGE', `there is no command ${names.join(' ')}`, {
    hint: `the commands are ${known}`,
  })
}
