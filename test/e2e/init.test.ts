import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createSandbox, parseLines } from './harness.ts'

const noKeyFile = { HOLDFAST_KEY_FILE: undefined }

test('init makes a repository and a key file that is not there yet', async () => {
  const sandbox = createSandbox()
  const made = await sandbox.ok([
    'init',
    '--chunker-avg',
    '64K',
    '--pack-size',
    '8M',
    '--compression',
    'better',
  ])
  expect(made.stdout).toContain(`at ${sandbox.repository}`)
  expect(made.stderr).toContain(`made the key file ${sandbox.keyFile}`)
  expect(readFileSync(sandbox.keyFile)).toHaveLength(32)
  expect(statSync(sandbox.keyFile).mode & 0o777).toBe(0o600)

  const again = await sandbox.run(['init'])
  expect(again.code).toBe(1)
  expect(again.stderr).toContain(`there is a repository at ${sandbox.repository} already`)
})

test('init --json gives the id and the place', async () => {
  const sandbox = createSandbox()
  const [made] = await sandbox.json(['init'])
  expect(made).toEqual({
    message_type: 'initialized',
    id: expect.stringMatching(/^[0-9a-f]{32}$/),
    repository: sandbox.repository,
  })
})

test('a password comes from a file, a command or the environment, and a wrong one is told', async () => {
  const sandbox = createSandbox()
  const passwordFile = join(sandbox.home, 'password')
  writeFileSync(passwordFile, 'correct horse\n')
  await sandbox.ok(['init', '--password-file', passwordFile])
  await sandbox.ok(['snapshots'], { env: { ...noKeyFile, HOLDFAST_PASSWORD: 'correct horse' } })
  await sandbox.ok(['snapshots', '--password-command', `cat ${passwordFile}`])
  await sandbox.ok(['snapshots'], { env: { ...noKeyFile, HOLDFAST_PASSWORD_FILE: passwordFile } })

  const wrong = await sandbox.run(['snapshots', '--json'], {
    env: { ...noKeyFile, HOLDFAST_PASSWORD: 'battery staple' },
  })
  expect(wrong.code).toBe(12)
  expect(parseLines(wrong.stderr)).toEqual([
    {
      message_type: 'exit_error',
      code: 12,
      message: `wrong password or key for ${sandbox.repository}`,
      hint: expect.any(String),
    },
  ])
  expect(wrong.stderr).not.toContain('battery')

  const failed = await sandbox.run(['snapshots', '--password-command', 'exit 3'])
  expect(failed.code).toBe(1)
  expect(failed.stderr).toContain('the password command ended with exit code 3')
})

test('without a secret and without a terminal it says how to give one', async () => {
  const sandbox = createSandbox()
  await sandbox.ok(['init'])
  const ended = await sandbox.run(['snapshots'], { env: noKeyFile })
  expect(ended.code).toBe(2)
  expect(ended.stderr).toContain('needs a password or a key file, and there is no terminal')
  expect(ended.stderr).toContain('--password-file')
})

test('two secrets at once are refused', async () => {
  const sandbox = createSandbox()
  const both = await sandbox.run(['init', '--key-file', 'a', '--password-file', 'b'])
  expect(both.code).toBe(2)
  expect(both.stderr).toContain('--password-file and --key-file are given together')
  const variables = await sandbox.run(['init'], { env: { HOLDFAST_PASSWORD: 'x' } })
  expect(variables.code).toBe(2)
  expect(existsSync(sandbox.repository)).toBe(false)
})

test('init needs a place, and one it may write to', async () => {
  const sandbox = createSandbox()
  const nowhere = await sandbox.run(['init'], { env: { HOLDFAST_REPOSITORY: undefined } })
  expect(nowhere.code).toBe(2)
  expect(nowhere.stderr).toContain('--repo')
  writeFileSync(join(sandbox.home, 'file'), '')
  chmodSync(join(sandbox.home, 'file'), 0o400)
  const onFile = await sandbox.run(['init', '--repo', join(sandbox.home, 'file', 'below')])
  expect(onFile.code).toBe(1)
})

test('the repository is named by a file too', async () => {
  const sandbox = createSandbox()
  await sandbox.ok(['init'])
  const file = join(sandbox.home, 'where')
  writeFileSync(file, `${sandbox.repository}\n`)
  const env = { HOLDFAST_REPOSITORY: undefined, HOLDFAST_REPOSITORY_FILE: file }
  expect((await sandbox.ok(['snapshots'], { env })).stdout).toBe('0 snapshots\n')
  const both = await sandbox.run(['snapshots'], { env: { HOLDFAST_REPOSITORY_FILE: file } })
  expect(both.code).toBe(2)
})
