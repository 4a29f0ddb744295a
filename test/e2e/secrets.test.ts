import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createSandbox, type Sandbox, writeFiles } from './harness.ts'
import { flipBit, storedFiles } from './stored-files.ts'

const PASSWORD = 'correct-horse-0xC0FFEE'
const NEXT = 'battery-staple-0xBEEF'

/** Forms in which a secret could be shown. */
function formsOf(secret: Buffer): string[] {
  return [
    secret.toString('hex'),
    secret.toString('base64'),
    secret.toString('base64url'),
    secret.toString('latin1'),
  ]
}

/** Commands as people use them, and as they go wrong. */
function commandsOf(sandbox: Sandbox): readonly (readonly string[])[] {
  const missing = join(sandbox.home, 'nowhere')
  return [
    ['backup', sandbox.source],
    ['backup', '--dry-run', sandbox.source],
    ['backup', missing],
    ['snapshots'],
    ['ls', 'latest'],
    ['ls', 'no-such-snapshot'],
    ['find', '*'],
    ['diff', 'latest', ':live'],
    ['dump', 'latest', join(sandbox.source, 'file')],
    ['stats'],
    ['verify', '--read-data'],
    ['key', 'list'],
    ['cat', 'config'],
    ['cat', 'masterkey'],
    ['list', 'keys'],
    ['cache'],
    ['forget', '--keep-last', '1', '--prune'],
    ['repair', 'index'],
    ['restore', 'latest', '--target', join(sandbox.home, 'target')],
    ['--no-such-option'],
    ['no-such-command'],
  ]
}

test('no command shows a password or a key, whatever goes wrong, in any form of output', {
  timeout: 240_000,
}, async () => {
  const sandbox = createSandbox()
  writeFiles(sandbox.source, { file: 'content' })
  await sandbox.ok(['init'])
  const keyText = readFileSync(sandbox.keyFile, 'utf8')
  const withKey = {}
  const wrong = join(sandbox.home, 'wrong')
  writeFileSync(
    wrong,
    keyText.replace(/[A-Za-z0-9]{4}\s*$/, (end) => [...end].reverse().join('')),
  )
  const shown: string[] = []
  const collect = async (args: readonly string[], env: Record<string, string | undefined>): Promise<void> => {
    const { stdout, stderr } = await sandbox.run([...args, '--debug'], { env })
    shown.push(stdout, stderr)
  }
  for (const args of commandsOf(sandbox)) {
    await collect(args, withKey)
    if (process.env.HOLDFAST_LONG) await collect([...args, '--json', '-v', '-v'], withKey)
  }
  const password = { HOLDFAST_KEY_FILE: undefined, HOLDFAST_PASSWORD: PASSWORD }
  await sandbox.ok(['key', 'add', '--new-password-file', fileWith(sandbox, PASSWORD)])
  await collect(['snapshots'], password)
  await collect(['snapshots'], { ...password, HOLDFAST_PASSWORD: NEXT })
  await collect(['key', 'passwd', '--new-password-file', fileWith(sandbox, NEXT)], password)
  await collect(['snapshots', '--json'], password)
  await collect(['snapshots'], {
    ...password,
    HOLDFAST_PASSWORD: undefined,
    HOLDFAST_PASSWORD_COMMAND: `echo ${NEXT}; exit 1`,
  })
  await collect(['snapshots'], { HOLDFAST_KEY_FILE: wrong })
  await collect(['snapshots', '--key-file', join(sandbox.home, 'none')], {})
  for (const name of ['keys', 'snapshots', 'index'])
    for (const file of storedFiles(sandbox, name)) flipBit(file)
  for (const args of commandsOf(sandbox).slice(0, 12)) await collect(args, withKey)

  const [master, keyBytes] = [await masterKeyOf(sandbox), Buffer.from(keyText.replace(/[^0-9a-zA-Z]/g, ''))]
  const all = shown.join('\n')
  for (const secret of [NEXT, ...(master === undefined ? [] : formsOf(master))])
    expect(all).not.toContain(secret)
  // The command that gives a password is the user's own text, and may be shown; what it prints may not.
  expect(all.replaceAll(`echo ${NEXT}`, '')).not.toContain(NEXT)
  expect(all).not.toContain(PASSWORD)
  for (const line of keyText.split('\n').filter((one) => /^[0-9A-Z-]{20,}/i.test(one)))
    expect(all).not.toContain(line.trim())
  expect(all).not.toContain(keyBytes.toString('latin1'))
})

function fileWith(sandbox: Sandbox, text: string): string {
  const path = join(sandbox.home, `file-${text.length}`)
  writeFileSync(path, text)
  return path
}

/** The master key, as the library has it in memory. */
async function masterKeyOf(sandbox: Sandbox): Promise<Buffer | undefined> {
  const { openRepository, readKeyFile } = await import('../../src/index.ts')
  try {
    const repository = await openRepository({
      location: sandbox.repository,
      secret: readKeyFile(sandbox.keyFile),
      cacheDirectory: null,
    })
    return repository.masterKey
  } catch {
    return undefined
  }
}

test('key files, caches and repositories are for their user alone, whatever the umask', async () => {
  const before = process.umask(0)
  try {
    const sandbox = createSandbox()
    writeFiles(sandbox.source, { file: 'content' })
    await sandbox.ok(['init'])
    await sandbox.ok(['backup', sandbox.source])
    expect(statSync(sandbox.keyFile).mode & 0o777).toBe(0o600)
    for (const folder of [sandbox.cache, sandbox.repository]) {
      for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
        const mode = statSync(join(entry.parentPath, entry.name)).mode & 0o777
        expect([entry.name, mode.toString(8)]).toEqual([entry.name, entry.isDirectory() ? '700' : '600'])
      }
    }
    mkdirSync(join(sandbox.home, 'default'))
    const home = { HOLDFAST_REPOSITORY: undefined, HOLDFAST_KEY_FILE: undefined }
    await sandbox.ok(['backup', sandbox.source], { env: home })
    expect(statSync(join(sandbox.home, '.config/holdfast/default.key')).mode & 0o777).toBe(0o600)
  } finally {
    process.umask(before)
  }
})
