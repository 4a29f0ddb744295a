import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createRepositorySandbox, type Sandbox } from './harness.ts'

interface Key {
  readonly current: boolean
  readonly id: string
  readonly method: string
  readonly label: string
  readonly created: string
}

async function listKeys(
  sandbox: Sandbox,
  env: Record<string, string | undefined> = {},
): Promise<readonly Key[]> {
  return (await sandbox.json<readonly Key[]>(['key', 'list'], { env }))[0]!
}

/** A password in a file, and the environment that opens with it. */
function password(sandbox: Sandbox, name: string): { file: string; env: Record<string, string | undefined> } {
  const file = join(sandbox.home, name)
  writeFileSync(file, `${name} horse\n`)
  return { file, env: { HOLDFAST_KEY_FILE: undefined, HOLDFAST_PASSWORD_FILE: file } }
}

test('keys are added, listed, changed and removed', async () => {
  const sandbox = await createRepositorySandbox()
  const [first, second] = [password(sandbox, 'first'), password(sandbox, 'second')]

  const added = await sandbox.ok(['key', 'add', '--new-password-file', first.file, '--label', 'laptop'])
  expect(added.stdout).toMatch(/^added key [0-9a-f]{8}, which a password opens$/m)
  const keys = await listKeys(sandbox, first.env)
  expect(keys).toHaveLength(2)
  expect(keys.find((key) => key.current)).toMatchObject({ method: 'password', label: 'laptop' })
  const table = (await sandbox.ok(['key', 'list'])).stdout
  expect(table).toMatch(/^\*[0-9a-f]{8} {2}key file /m)
  expect(table).toMatch(/^ [0-9a-f]{8} {2}password .* laptop$/m)

  const changed = await sandbox.json(['key', 'passwd', '--new-password-file', second.file], {
    env: first.env,
  })
  expect(changed.at(-1)).toMatchObject({
    message_type: 'changed',
    old_id: keys.find((key) => key.current)!.id,
  })
  expect((await sandbox.run(['snapshots'], { env: first.env })).code).toBe(12)
  const after = await listKeys(sandbox, second.env)
  expect(after.find((key) => key.current)).toMatchObject({ method: 'password', label: 'laptop' })
  expect(after).toHaveLength(2)

  const [inUse, other] = [after.find((key) => key.current)!, after.find((key) => !key.current)!]
  const refused = await sandbox.run(['key', 'remove', inUse.id], { env: second.env })
  expect(refused.code).toBe(1)
  expect(refused.stderr).toContain('cannot remove itself')
  await sandbox.ok(['key', 'remove', other.id.slice(0, 12)], { env: second.env })
  expect((await sandbox.run(['snapshots'])).code).toBe(12)
})

test('a new secret is one key file or password; a key file is made where there is none', async () => {
  const sandbox = await createRepositorySandbox()
  const none = await sandbox.run(['key', 'add'])
  expect(none.code).toBe(2)
  expect(none.stderr).toContain('there is no terminal')
  const both = ['--new-key-file', 'a', '--new-password-file', 'b']
  expect((await sandbox.run(['key', 'add', ...both])).stderr).toContain('--new-key-file')
  const empty = join(sandbox.home, 'empty')
  writeFileSync(empty, '\n')
  expect((await sandbox.run(['key', 'add', '--new-password-file', empty])).code).toBe(2)
  expect((await sandbox.run(['key', 'remove', 'ffffffffffff'])).code).toBe(2)
  expect(await listKeys(sandbox)).toHaveLength(1)

  const path = join(sandbox.home, 'second.key')
  const made = await sandbox.ok(['key', 'add', '--new-key-file', path])
  expect(made.stderr).toContain(`made the key file ${path}`)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  await sandbox.ok(['snapshots'], { env: { HOLDFAST_KEY_FILE: path } })
  const used = await sandbox.ok(['key', 'passwd', '--new-key-file', path])
  expect(used.stderr).not.toContain('made the key file')
  expect((await sandbox.run(['snapshots'])).code).toBe(12)
})

test('key export prints the key file in use, which opens the repository when saved', async () => {
  const sandbox = await createRepositorySandbox()
  const { stdout, stderr } = await sandbox.ok(['key', 'export'])
  expect(stdout).toMatch(/^HOLDFAST KEY\n([0-9a-f]{4}[ \n])+$/)
  expect(stderr).toContain(sandbox.repository)
  const sheet = join(sandbox.home, 'sheet')
  // As a person types it: other breaks, capitals.
  writeFileSync(sheet, stdout.toUpperCase().replaceAll('\n', '\r\n'))
  await sandbox.ok(['snapshots'], { env: { HOLDFAST_KEY_FILE: sheet } })
  expect(await listKeys(sandbox)).toHaveLength(1)

  const wrong = stdout.replace(/[0-9a-f]{4}\n$/, (digits) => (digits === '0000\n' ? '1111\n' : '0000\n'))
  writeFileSync(sheet, wrong)
  const typo = await sandbox.run(['snapshots'], { env: { HOLDFAST_KEY_FILE: sheet } })
  expect(typo.code).toBe(12)
  expect(typo.stderr).toContain('check for typing errors')

  const target = join(sandbox.home, 'target')
  await sandbox.ok(['key', 'export', '--target', target])
  expect(statSync(target).mode & 0o777).toBe(0o600)
  await sandbox.ok(['snapshots'], { env: { HOLDFAST_KEY_FILE: target } })
  expect((await sandbox.run(['key', 'export', '--target', target])).code).toBe(1)
})

test('key export makes a key of its own where a password is in use', async () => {
  const sandbox = await createRepositorySandbox()
  const { file, env } = password(sandbox, 'only')
  await sandbox.ok(['key', 'passwd', '--new-password-file', file])
  const sheet = join(sandbox.home, 'sheet')
  const { stdout, stderr } = await sandbox.ok(['key', 'export'], { env })
  writeFileSync(sheet, stdout)
  const keys = await listKeys(sandbox, { HOLDFAST_KEY_FILE: sheet })
  expect(keys).toHaveLength(2)
  expect(keys.find((key) => key.current)).toMatchObject({ method: 'key-file', label: 'recovery sheet' })

  const id = /made key ([0-9a-f]{8})/.exec(stderr)![1]!
  await sandbox.ok(['key', 'remove', id], { env })
  expect((await sandbox.run(['snapshots'], { env: { HOLDFAST_KEY_FILE: sheet } })).code).toBe(12)
})
