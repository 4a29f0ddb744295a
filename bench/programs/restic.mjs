import { spawnSync } from 'node:child_process'

/** With its cache and its default compression. It has no key files: every command derives its key from the password. */
export const restic = {
  name: 'restic',
  isThere: () => spawnSync('restic', ['version']).status === 0,
  version: () => spawnSync('restic', ['version'], { encoding: 'utf8' }).stdout.split(' ')[1],
  environment: ({ repository, cache, password }) => ({
    RESTIC_REPOSITORY: repository,
    RESTIC_CACHE_DIR: cache,
    RESTIC_PASSWORD_FILE: password,
  }),
  commands: {
    create: () => [['restic', 'init']],
    backup: (_, source) => [['restic', 'backup', source]],
    restore: (_, target) => [['restic', 'restore', 'latest', '--target', target]],
    restoreFolder: (_, target, folder) => [['restic', 'restore', `latest:${folder}`, '--target', target]],
    verify: () => [['restic', 'check', '--read-data']],
    listFiles: () => [['restic', 'ls', 'latest']],
    listSnapshots: () => [['restic', 'snapshots']],
    find: (_, pattern) => [['restic', 'find', pattern]],
    diff: (_, older, newer) => [['restic', 'diff', older, newer]],
    forgetAndPrune: (_, keep) => [['restic', 'forget', '--keep-last', String(keep), '--prune']],
  },
  hasCommand: (name) => name in restic.commands,
  snapshotIds: {
    argv: ['restic', 'snapshots', '--json'],
    parse: (text) => JSON.parse(text).map(({ id }) => id),
  },
}
