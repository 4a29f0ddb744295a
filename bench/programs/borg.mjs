import { spawnSync } from 'node:child_process'

/** An archive's name is the moment to a microsecond, so that names sort by time. */
const ARCHIVE = '::{now:%Y-%m-%dT%H:%M:%S.%f}'

/** Two of them: borg's default compression, and the one nearest to what Holdfast and restic use. */
function createBorg(name, compression) {
  const latest = {
    usedBy: ['restore', 'restoreFolder', 'listFiles'],
    argv: ['borg', 'list', '--short', '--last', '1'],
    parse: (text) => text.trim(),
  }
  return {
    name,
    isThere: () => spawnSync('borg', ['--version']).status === 0,
    version: () => spawnSync('borg', ['--version'], { encoding: 'utf8' }).stdout.trim().split(' ')[1],
    environment: ({ home, repository, password }) => ({
      BORG_REPO: repository,
      BORG_BASE_DIR: home,
      BORG_PASSCOMMAND: `cat ${password}`,
      BORG_RELOCATED_REPO_ACCESS_IS_OK: 'yes',
      LC_ALL: 'C.UTF-8',
    }),
    commands: {
      create: () => [['borg', 'init', '--encryption', 'repokey-blake2']],
      backup: (_, source) => [['borg', 'create', ...compression, ARCHIVE, source]],
      restore: ({ latest: archive }, target) => [{ argv: ['borg', 'extract', `::${archive}`], cwd: target }],
      restoreFolder: ({ latest: archive }, target, folder) => [
        { argv: ['borg', 'extract', `::${archive}`, folder.slice(1)], cwd: target },
      ],
      verify: () => [['borg', 'check', '--verify-data']],
      listFiles: ({ latest: archive }) => [['borg', 'list', '--short', `::${archive}`]],
      listSnapshots: () => [['borg', 'list']],
      diff: (_, older, newer) => [['borg', 'diff', `::${older}`, newer]],
      forgetAndPrune: (_, keep) => [
        ['borg', 'prune', '--keep-last', String(keep)],
        ['borg', 'compact'],
      ],
    },
    hasCommand(command) {
      return command in this.commands
    },
    latest,
    snapshotIds: {
      argv: ['borg', 'list', '--short'],
      parse: (text) => text.trim().split('\n'),
    },
  }
}

export const borg = createBorg('borg', [])
export const borgZstd = createBorg('borg-zstd', ['--compression', 'zstd,3'])
