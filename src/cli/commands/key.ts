import { type Command, Option } from 'commander'
import { HoldfastError } from '../../errors/index.ts'
import {
  addKey,
  displayName,
  type KeySummary,
  listKeys,
  type Repository,
  removeKey,
  replaceKey,
} from '../../index.ts'
import type { Context } from '../context.ts'
import { formatMoment, shortId } from '../format.ts'
import { withRepository } from '../repository-access.ts'
import { readNewSecret, type SecretSources } from '../secret.ts'
import { formatTable } from '../table.ts'
import { exportKey } from './key-export.ts'
import { keyJson } from './key-json.ts'

interface NewKeyOptions {
  readonly newPasswordFile?: string
  readonly newPasswordCommand?: string
  readonly newKeyFile?: string
  readonly label?: string
}

/** How a key is opened, in words. */
const methods: Readonly<Record<KeySummary['method'], string>> = { password: 'password', keyFile: 'key file' }

export function define(command: Command, context: Context): void {
  const use = async (work: (repository: Repository) => Promise<void>): Promise<void> =>
    await withRepository(context, work)
  command
    .command('list')
    .description('list the keys; * marks the one in use')
    .action(async () => await use(async (repository) => await list(context, repository)))
  addNewKeyOptions(
    command.command('add').description('add a password or key file; every other key stays'),
  ).action(async (options: NewKeyOptions) => await use((repository) => add(context, repository, options)))
  command
    .command('remove')
    .description('remove a key; not the one in use')
    .argument('<id>', 'an id or the beginning of one')
    .action(async (wanted: string) => await use((repository) => remove(context, repository, wanted)))
  addNewKeyOptions(
    command.command('passwd').description('put a new password or key file in the place of the one in use'),
  ).action(async (options: NewKeyOptions) => await use((repository) => change(context, repository, options)))
  command
    .command('export')
    .description('print a recovery sheet: a key as text, to be kept on paper')
    .option('-t, --target <file>', 'write it to a new file, which only its owner can read')
    .action(
      async (options: { readonly target?: string }) =>
        await use((repository) => exportKey(context, repository, options.target)),
    )
}

function addNewKeyOptions(command: Command): Command {
  return command
    .option('--new-password-file <file>', 'read the new password from a file')
    .option('--new-password-command <command>', 'take the new password from what a command prints')
    .option('--new-key-file <file>', 'use this key file; it is made where there is none')
    .addOption(new Option('--label <text>', 'a name for the key, shown by key list'))
}

function sourcesOf(options: NewKeyOptions): SecretSources {
  return {
    passwordFile: options.newPasswordFile,
    passwordCommand: options.newPasswordCommand,
    keyFile: options.newKeyFile,
  }
}

async function list({ output }: Context, repository: Repository): Promise<void> {
  const keys = await listKeys(repository)
  await output.json(keys.map(keyJson))
  const columns = [' ID', 'Opened by', 'User', 'Host', 'Created', 'Label', ''].map((title) => ({ title }))
  const rows = keys.map(({ id, isCurrent, method, info, isDamaged }) => [
    `${isCurrent ? '*' : ' '}${shortId(id)}`,
    info === undefined ? '?' : methods[method],
    displayName(info?.user ?? '?'),
    displayName(info?.host ?? '?'),
    info === undefined ? '?' : formatMoment(info.createdMs),
    displayName(info?.label ?? ''),
    isDamaged ? 'damaged' : '',
  ])
  for (const line of formatTable(columns, rows)) await output.line(line)
}

async function add(
  context: Context,
  repository: Repository,
  { label = '', ...options }: NewKeyOptions,
): Promise<void> {
  const secret = await readNewSecret(context, sourcesOf(options))
  const id = await addKey(repository, secret, { nowMs: Date.now(), label })
  await context.output.json({ message_type: 'added', id })
  await context.output.line(`added key ${shortId(id)}, which a ${methods[secret.kind]} opens`)
}

async function remove({ output }: Context, repository: Repository, wanted: string): Promise<void> {
  const id = await findKey(repository, wanted)
  await removeKey(repository, id)
  await output.json({ message_type: 'removed', id })
  await output.line(`removed key ${shortId(id)}`)
  output.note('Whoever had it may know the master key: a new repository is the only way to change that.')
}

async function change(
  context: Context,
  repository: Repository,
  { label, ...options }: NewKeyOptions,
): Promise<void> {
  const { output } = context
  const old = repository.keyName
  const current = (await listKeys(repository)).find((key) => key.isCurrent)
  const secret = await readNewSecret(context, sourcesOf(options))
  const id = await replaceKey(repository, secret, {
    nowMs: Date.now(),
    label: label ?? current?.info?.label ?? '',
  })
  await output.json({ message_type: 'changed', old_id: old, id })
  await output.line(
    `key ${shortId(id)}, which a ${methods[secret.kind]} opens, takes the place of ${shortId(old)}`,
  )
  output.note(
    'the old key opens nothing any more, nor does a recovery sheet of it: holdfast key export prints a new sheet',
  )
}

async function findKey(repository: Repository, wanted: string): Promise<KeySummary['id']> {
  const found = (await listKeys(repository)).filter((key) => key.id.startsWith(wanted.toLowerCase()))
  if (found.length === 1) return found[0]!.id
  throw new HoldfastError(
    'USAGE',
    found.length === 0
      ? `there is no key ${displayName(wanted)}`
      : `${displayName(wanted)} is the beginning of ${found.length} keys`,
    { hint: 'holdfast key list shows them' },
  )
}
