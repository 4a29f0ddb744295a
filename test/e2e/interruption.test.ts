import { randomFillSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createRepositorySandbox, writeFiles } from './harness.ts'

test('SIGINT ends a backup with 130; the repository is whole and the next backup succeeds', async () => {
  const sandbox = await createRepositorySandbox()
  const content = (): Uint8Array => randomFillSync(new Uint8Array(64 * 1024))
  const names = Array.from({ length: 1500 }, (_, at) => `folder-${at % 10}/file-${at}`)
  writeFiles(sandbox.source, Object.fromEntries(names.map((name) => [name, content()])))

  // With -v the first files that are done are printed while most are still to come.
  const ended = await sandbox.run(['backup', sandbox.source, '-v'], {
    started: (child) => child.stdout?.once('data', () => child.kill('SIGINT')),
  })
  expect(ended.code).toBe(130)
  expect(ended.stderr).toContain('interrupted')
  expect(ended.stdout).not.toContain('saved')

  expect((await sandbox.ok(['snapshots'])).stdout).toBe('0 snapshots\n')
  await sandbox.ok(['verify'])
  await sandbox.ok(['backup', sandbox.source])
  await sandbox.ok(['verify', '--read-data'])
  const target = join(sandbox.home, 'target')
  await sandbox.ok(['restore', `latest:${sandbox.source}/folder-3`, '-t', target])
  const same = readFileSync(join(target, 'file-3')).equals(
    readFileSync(join(sandbox.source, 'folder-3/file-3')),
  )
  expect(same).toBe(true)
})

test.each(['SIGINT', 'SIGTERM'] as const)('%s ends what waits for stdin', async (signal) => {
  const sandbox = await createRepositorySandbox()
  const ended = await sandbox.run(['backup', '--stdin', '--json', '-q'], {
    input: null,
    // More than a pipe holds: it is written once the program reads; then nothing more comes.
    started: (child) => child.stdin?.write(Buffer.alloc(4 * 1024 * 1024), () => child.kill(signal)),
  })
  expect(ended.code).toBe(130)
  expect(JSON.parse(ended.stderr)).toMatchObject({ message_type: 'exit_error', code: 130 })
  expect((await sandbox.ok(['snapshots'])).stdout).toBe('0 snapshots\n')
})

test('SIGTERM ends the command whose output is backed up, too', async () => {
  const sandbox = await createRepositorySandbox()
  const ended = await sandbox.run(
    ['backup', '--stdin-from-command', '--', 'sh', '-c', 'echo $$ >&2; exec sleep 600'],
    {
      started: (child) => child.stderr?.once('data', () => child.kill('SIGTERM')),
    },
  )
  expect(ended.code).toBe(130)
  expect(() => process.kill(Number.parseInt(ended.stderr, 10), 0)).toThrow('ESRCH')
})
