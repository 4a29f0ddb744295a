import { isUtf8 } from 'node:buffer'
import { spawnSync } from 'node:child_process'
import { HoldfastError, systemCode } from '../errors/index.ts'
import { createKeyFile, readKeyFile, readSmallFile, type Secret } from '../index.ts'
import type { Context } from './context.ts'
import { askHidden } from './prompt.ts'

/** The ways to give a secret without a prompt; at most one of them. */
export interface SecretSources {
  readonly password?: string | undefined
  readonly passwordFile?: string | undefined
  readonly passwordCommand?: string | undefined
  readonly keyFile?: string | undefined
}

/** How the sources are called where the user gives them. */
type SourceNames = Readonly<Partial<Record<keyof SecretSources, string>>>

interface NamedSources {
  readonly sources: SecretSources
  readonly names: SourceNames
}

const optionNames: SourceNames = {
  passwordFile: '--password-file',
  passwordCommand: '--password-command',
  keyFile: '--key-file',
}
const newOptionNames: SourceNames = {
  passwordFile: '--new-password-file',
  passwordCommand: '--new-password-command',
  keyFile: '--new-key-file',
}
const variableNames: SourceNames = {
  password: 'HOLDFAST_PASSWORD',
  passwordFile: 'HOLDFAST_PASSWORD_FILE',
  passwordCommand: 'HOLDFAST_PASSWORD_COMMAND',
  keyFile: 'HOLDFAST_KEY_FILE',
}

/** What opens the other of two repositories; `HOLDFAST_TO_…` or `HOLDFAST_FROM_…` in the environment. */
function otherNames(side: 'to' | 'from'): { readonly options: SourceNames; readonly variables: SourceNames } {
  const prefix = `HOLDFAST_${side.toUpperCase()}`
  return {
    options: {
      passwordFile: `--${side}-password-file`,
      passwordCommand: `--${side}-password-command`,
      keyFile: `--${side}-key-file`,
    },
    variables: {
      password: `${prefix}_PASSWORD`,
      passwordFile: `${prefix}_PASSWORD_FILE`,
      passwordCommand: `${prefix}_PASSWORD_COMMAND`,
      keyFile: `${prefix}_KEY_FILE`,
    },
  }
}

/** What stands for bytes that are no UTF-8. */
const NOT_TEXT = '\ufffd'
const MAXIMUM_PASSWORD_BYTES = 64 * 1024

const WAYS = 'give --key-file, --password-file or --password-command, or set HOLDFAST_PASSWORD'

/**
 * The secret from options, else from the environment; undefined when neither has one.
 *
 * @throws HoldfastError USAGE when one place gives more than one, IO, WRONG_KEY
 */
export function readGivenSecret(context: Context): Secret | undefined {
  return readSources(givenSources(context))
}

/** The secret that opens a repository: given, or asked for. @throws HoldfastError USAGE without a terminal */
export async function readSecret(context: Context, location: string): Promise<Secret> {
  return readGivenSecret(context) ?? (await askFor(context, location, WAYS))
}

/** The same for the other of two repositories. */
export async function readOtherSecret(
  context: Context,
  location: string,
  side: 'to' | 'from',
  sources: SecretSources,
): Promise<Secret> {
  const { options, variables } = otherNames(side)
  const ways = `give ${Object.values(options).join(', ')}, or set ${variables.password}`
  const given = { sources, names: options }
  const isGiven = givenNames(given).length > 0
  const secret = readSources(isGiven ? given : environmentSources(context, variables))
  return secret ?? (await askFor(context, location, ways))
}

async function askFor({ signal }: Context, location: string, ways: string): Promise<Secret> {
  const typed = await askHidden(`password for ${location}: `, signal)
  if (typed !== undefined) return asPassword(typed, 'the terminal')
  throw new HoldfastError('USAGE', `${location} needs a password or a key file, and there is no terminal`, {
    hint: ways,
  })
}

/** The first secret of a repository: given, or asked for twice. A key file that is not there yet is made. */
export async function readInitialSecret(context: Context): Promise<Secret> {
  return await readOrMake(context, givenSources(context))
}

/** A further secret, by the options `--new-…`; the same otherwise. */
export async function readNewSecret(context: Context, sources: SecretSources): Promise<Secret> {
  return await readOrMake(context, { sources, names: newOptionNames })
}

function givenSources(context: Context): NamedSources {
  const given = { sources: context.options, names: optionNames }
  return givenNames(given).length > 0 ? given : environmentSources(context, variableNames)
}

/** @param names variables of the environment */
function environmentSources({ environment }: Context, names: SourceNames): NamedSources {
  const sources = Object.fromEntries(
    Object.entries(names).map(([source, variable]) => [source, environment[variable]]),
  ) as SecretSources
  return { sources, names }
}

function givenNames({ sources, names }: NamedSources): string[] {
  const keys = Object.keys(names) as (keyof SecretSources)[]
  return keys.filter((key) => sources[key] !== undefined).map((key) => names[key] ?? '')
}

function readSources(given: NamedSources): Secret | undefined {
  checkOne(given)
  const { password, passwordFile, passwordCommand, keyFile } = given.sources
  if (keyFile !== undefined) return readKeyFile(keyFile)
  if (passwordFile !== undefined) return asPassword(readPasswordFile(passwordFile), passwordFile)
  if (passwordCommand !== undefined) return asPassword(runPasswordCommand(passwordCommand), 'the command')
  return password === undefined ? undefined : asPassword(password, given.names.password ?? 'the environment')
}

async function readOrMake(context: Context, given: NamedSources): Promise<Secret> {
  checkOne(given)
  const { keyFile } = given.sources
  if (keyFile !== undefined) return readOrMakeKeyFile(context, keyFile)
  const ways = given.names === newOptionNames ? `give ${Object.values(newOptionNames).join(' or ')}` : WAYS
  return readSources(given) ?? (await askTwice(context, ways))
}

function checkOne(given: NamedSources): void {
  const names = givenNames(given)
  if (names.length < 2) return
  throw new HoldfastError('USAGE', `${names.join(' and ')} are given together`, { hint: 'give one of them' })
}

function readPasswordFile(path: string): string {
  let bytes: Buffer
  try {
    bytes = readSmallFile(path, MAXIMUM_PASSWORD_BYTES)
  } catch (cause) {
    const code = systemCode(cause)
    if (code === undefined) throw cause
    throw new HoldfastError('IO', `the password file ${path} cannot be read (${code})`, { cause })
  }
  if (bytes.length <= MAXIMUM_PASSWORD_BYTES) return isUtf8(bytes) ? bytes.toString('utf8') : NOT_TEXT
  throw new HoldfastError('USAGE', `the password file ${path} is too long to be one`, {
    hint: `a password has at most ${MAXIMUM_PASSWORD_BYTES} bytes`,
  })
}

function runPasswordCommand(command: string): string {
  const { status, signal, error, stdout } = spawnSync(command, {
    shell: true,
    stdio: ['inherit', 'pipe', 'inherit'],
    encoding: 'utf8',
  })
  if (error !== undefined) throw error
  if (status === 0) return stdout
  const how = status === null ? `was ended by ${signal}` : `ended with exit code ${status}`
  throw new HoldfastError('FAILED', `the password command ${how}`, {
    hint: 'run it by itself to see why; it has to print the password and end with 0',
  })
}

/** The first line ending at the end belongs to the file or command, not to the password. */
function asPassword(text: string, source: string): Secret {
  const password = text.replace(/\r?\n$/, '')
  // All bytes that are no UTF-8 become the same character: different passwords would count as one.
  if (password.includes(NOT_TEXT)) {
    throw new HoldfastError('USAGE', `the password that ${source} gives is not valid UTF-8`, {
      hint: 'write it in UTF-8, or use a key file',
    })
  }
  if (password !== '') return { kind: 'password', password }
  throw new HoldfastError('USAGE', `${source} gives an empty password`, { hint: WAYS })
}

async function askTwice(context: Context, ways: string): Promise<Secret> {
  const first = await askHidden('new password: ', context.signal)
  if (first === undefined) {
    throw new HoldfastError('USAGE', 'a new password or key file is needed, and there is no terminal', {
      hint: ways,
    })
  }
  const secret = asPassword(first, 'the terminal')
  const again = await askHidden('the same again: ', context.signal)
  if (again === first) return secret
  throw new HoldfastError('USAGE', 'the two passwords differ', { hint: 'nothing was changed; try again' })
}

function readOrMakeKeyFile(context: Context, path: string): Secret {
  try {
    const secret = createKeyFile(path)
    context.output.note(
      `made the key file ${path}: without it nothing can be read back, so keep a copy elsewhere (holdfast key export)`,
    )
    return secret
  } catch (error) {
    if (error instanceof HoldfastError && error.code === 'ALREADY_EXISTS') return readKeyFile(path)
    throw error
  }
}
