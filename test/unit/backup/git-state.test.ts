import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readGitState } from '../../../src/backup/git-state.ts'
import { tempDirectory } from './scene.ts'

const commit = '0123456789abcdef0123456789abcdef01234567'

function workTree(files: Readonly<Record<string, string>>): string {
  const folder = tempDirectory()
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, '.git', name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
  return folder
}

describe('readGitState()', () => {
  test('of a branch gives its commit, also from packed refs', () => {
    const head = 'ref: refs/heads/feature/x\n'
    expect(readGitState(workTree({ HEAD: head, 'refs/heads/feature/x': `${commit}\n` }))).toEqual({
      commit,
      branch: 'feature/x',
    })
    const packed = `# pack-refs with: peeled\n${'f'.repeat(40)} refs/heads/feature/xy\n${commit} refs/heads/feature/x\n`
    expect(readGitState(workTree({ HEAD: head, 'packed-refs': packed }))).toEqual({
      commit,
      branch: 'feature/x',
    })
  })

  test('of a detached head has no branch; of a branch without commits no commit', () => {
    expect(readGitState(workTree({ HEAD: `${commit}\n` }))).toEqual({ commit, branch: '' })
    expect(readGitState(workTree({ HEAD: 'ref: refs/heads/main\n' }))).toEqual({ commit: '', branch: 'main' })
  })

  test('takes SHA-256 commits too', () => {
    const long = 'a'.repeat(64)
    expect(readGitState(workTree({ HEAD: long }))).toEqual({ commit: long, branch: '' })
  })

  test('of what is no work tree is null', () => {
    expect(readGitState(tempDirectory())).toBeNull()
    expect(readGitState(join(tempDirectory(), 'none'))).toBeNull()
    const folder = tempDirectory()
    writeFileSync(join(folder, '.git'), 'gitdir: /etc\n')
    expect(readGitState(folder)).toBeNull()
    expect(readGitState(join(folder, '.git'))).toBeNull()
  })

  test.each([
    'ref: refs/heads/../../secret',
    'ref: refs/heads/..',
    'ref: refs/remotes/origin/main',
    'ref: /etc/passwd',
    `ref: refs/heads/${'x'.repeat(300)}`,
    'ref: refs/heads/a\0b',
    '0123',
    '',
  ])('a HEAD of %j is not followed', (head) => {
    expect(readGitState(workTree({ HEAD: head, '../secret': commit }))).toBeNull()
  })

  test('a ref that holds anything but a commit does not get into the snapshot', () => {
    const folder = workTree({ HEAD: 'ref: refs/heads/main', 'refs/heads/main': 'root:secret' })
    expect(readGitState(folder)).toEqual({ commit: '', branch: 'main' })
  })

  test('a HEAD that is a fifo, a folder or a symbolic link is not read', () => {
    const fifo = workTree({ x: '' })
    execFileSync('mkfifo', [join(fifo, '.git', 'HEAD')])
    expect(readGitState(fifo)).toBeNull()
    expect(readGitState(workTree({ 'HEAD/x': '' }))).toBeNull()
    const link = workTree({ target: commit })
    symlinkSync('target', join(link, '.git', 'HEAD'))
    expect(readGitState(link)).toBeNull()
  })

  test('files of hostile size are not read', () => {
    const folder = workTree({ HEAD: 'ref: refs/heads/main', 'packed-refs': '' })
    truncateSync(join(folder, '.git', 'packed-refs'), 2 ** 33)
    expect(readGitState(folder)).toEqual({ commit: '', branch: 'main' })
  })
})
