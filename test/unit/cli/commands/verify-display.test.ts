import { describe, expect, test } from 'vitest'
import { problemLines } from '../../../../src/cli/commands/verify-display.ts'
import type { FileId, Problem } from '../../../../src/index.ts'

const problem: Problem = {
  file: 'data/ab/ab01',
  kind: 'damaged',
  details: ['block 2 cannot be opened', 'its hash is another'],
  isNeeded: true,
  snapshots: [],
  hint: 'run holdfast backup again',
}
const snapshot = 'c'.repeat(64) as FileId

describe('problemLines()', () => {
  test('says what is wrong, what it touches and what to do', () => {
    const touched = { id: snapshot, paths: ['/home/one', '/home/two'], pathCount: 2 }
    expect(problemLines({ ...problem, snapshots: [touched] })).toEqual([
      'data/ab/ab01 is damaged: block 2 cannot be opened; its hash is another',
      '  snapshot cccccccc lacks 2 files and folders:',
      '    /home/one',
      '    /home/two',
      '  run holdfast backup again',
    ])
  })

  test('counts the paths that it does not print', () => {
    const paths = Array.from({ length: 100 }, (_, at) => `/file-${at}`)
    const lines = problemLines({ ...problem, snapshots: [{ id: snapshot, paths, pathCount: 1234 }] })
    expect(lines.filter((line) => line.startsWith('    /'))).toHaveLength(20)
    expect(lines).toContain('    and 1,214 more')
  })

  test('says when no snapshot needs the file, and nothing where that is not known', () => {
    expect(problemLines({ ...problem, isNeeded: false })).toContain('  no snapshot needs it')
    expect(problemLines({ ...problem, isNeeded: undefined })).not.toContain('  no snapshot needs it')
  })

  test('shows no control character of a path', () => {
    const touched = { id: snapshot, paths: ['/\u001b[2J'], pathCount: 1 }
    expect(problemLines({ ...problem, snapshots: [touched] }).join('')).not.toContain('\u001b')
  })
})
