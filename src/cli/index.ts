/**
 * Command line: arguments in, lines and exit codes out. One file for each command in `commands/`, loaded only
 * when it is used. Everything a command does is in the library (`src/index.ts`); here it is asked for and shown.
 * docs/cli.md is held against the program that `createProgram` builds.
 */
export { createContext } from './context.ts'
export { main } from './main.ts'
export { createProgram, loadAllCommands } from './program.ts'
