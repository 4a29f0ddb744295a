import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const binary = fileURLToPath(new URL('../../bin/holdfast.js', import.meta.url))
const program = [process.execPath, binary]

/** A version to be measured may be older than these. */
const RECENT_COMMANDS = ['find', 'diff']
let help

/** Run by what the repository holds now: `npm run build` first. */
export const holdfast = {
  name: 'holdfast',
  isThere: () => true,
  version: () => spawnSync(process.execPath, [binary, '--version'], { encoding: 'utf8' }).stdout.trim(),
  environment: ({ home, repository, cache, password }, secret) => ({
    XDG_CACHE_HOME: `${home}/.cache`,
    XDG_DATA_HOME: `${home}/.local/share`,
    XDG_CONFIG_HOME: `${home}/.config`,
    HOLDFAST_REPOSITORY: repository,
    HOLDFAST_CACHE_DIR: cache,
    ...(secret === 'password'
      ? { HOLDFAST_PASSWORD_FILE: password }
      : { HOLDFAST_KEY_FILE: `${home}/holdfast.key` }),
  }),
  commands: {
    /** Opened by a key file; by a password too once it is asked for. */
    create: () => [[...program, 'init']],
    addPassword: ({ password }) => [[...program, 'key', 'add', '--new-password-file', password]],
    backup: (_, source) => [[...program, 'backup', source]],
    restore: (_, target) => [[...program, 'restore', 'latest', '--target', target]],
    restoreFolder: (_, target, folder) => [[...program, 'restore', `latest:${folder}`, '--target', target]],
    verify: () => [[...program, 'verify', '--read-data']],
    listFiles: () => [[...program, 'ls', 'latest']],
    listSnapshots: () => [[...program, 'snapshots']],
    find: (_, pattern) => [[...program, 'find', pattern]],
    diff: (_, older, newer) => [[...program, 'diff', older, newer]],
    forgetAndPrune: (_, keep) => [[...program, 'forget', '--keep-last', String(keep), '--prune']],
    start: () => [[...program, '--version']],
  },
  /** Which commands this version of the program has, as its help lists them. */
  hasCommand: (name) => {
    if (!RECENT_COMMANDS.includes(name)) return true
    help ??= spawnSync(process.execPath, [binary, '--help'], { encoding: 'utf8' }).stdout
    return new RegExp(`^ {2}${name}\\b`, 'm').test(help)
  },
  /** Commands that print the ids of the snapshots, oldest first, and how to read them. */
  snapshotIds: {
    argv: [...program, 'snapshots', '--json'],
    parse: (text) => JSON.parse(text).map(({ id }) => id),
  },
}
