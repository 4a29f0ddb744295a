import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createSandbox, parseLines, writeFiles } from './harness.ts'

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

test('a place that is in use for something else is left alone', async () => {
  const sandbox = createSandbox()
  writeFiles(sandbox.repository, { 'letters/to-home.txt': 'mine' })
  const { code, stderr } = await sandbox.run(['init'])
  expect(code).toBe(1)
  expect(stderr).toContain('is not empty: letters is in it')
  expect(readdirSync(sandbox.repository)).toEqual(['letters'])
})

test('a repository whose keys are gone is not begun anew, and is not taken for none', async () => {
  const sandbox = createSandbox()
  await sandbox.ok(['init'])
  writeFileSync(join(sandbox.source, 'file'), 'content')
  await sandbox.ok(['backup', sandbox.source])
  const away = join(sandbox.home, 'away')
  mkdirSync(away)
  for (const name of ['keys', 'config']) renameSync(join(sandbox.repository, name), join(away, name))
  for (const args of [['snapshots'], ['init']]) {
    const { code, stderr } = await sandbox.run(args)
    expect(code).toBe(20)
    expect(stderr).toContain('put back a file of keys/')
  }
  for (const name of ['keys', 'config']) renameSync(join(away, name), join(sandbox.repository, name))
  await sandbox.ok(['verify', '--read-data'])
})

test('sizes of packs that no repository can have are refused', async () => {
  const sandbox = createSandbox()
  for (const size of ['1K', '2G']) expect((await sandbox.run(['init', '--pack-size', size])).code).toBe(2)
})

test('what is no key file is not read to its end', async () => {
  const { code, stderr } = await createSandbox().run(['init', '--key-file', '/dev/zero'])
  expect(code).toBe(12)
  expect(stderr).toContain('it is too long')
  const password = await createSandbox().run(['init', '--password-file', '/dev/zero'], {
    env: { HOLDFAST_KEY_FILE: undefined },
  })
  expect(password.code).toBe(2)
})

test('a password that is no UTF-8 is refused: all bytes that are none would count as the same', async () => {
  const sandbox = createSandbox()
  const file = join(sandbox.home, 'latin1')
  writeFileSync(file, Buffer.from('p\xe4ss\n', 'latin1'))
  const { code, stderr } = await sandbox.run(['init', '--password-file', file])
  expect(code).toBe(2)
  expect(stderr).toContain('not valid UTF-8')
  const command = await sandbox.run(['init', '--password-command', "printf 'p\\344ss'"])
  expect(command.code).toBe(2)
  expect(existsSync(sandbox.repository)).toBe(false)
})
