import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { systemCode } from '../errors/index.ts'

/** Names and numbers of users and groups on this machine. Each answer is looked up once and then kept. */
export interface OwnerNames {
  /** '' when the number has no name. */
  readonly userName: (uid: number) => string
  readonly groupName: (gid: number) => string
  /** undefined when there is none of this name. */
  readonly userId: (name: string) => number | undefined
  readonly groupId: (name: string) => number | undefined
}

export interface OwnerSources {
  readonly passwdPath?: string
  readonly groupPath?: string
  /** The program asked for what the files do not say (directory services); not asked again once it fails to run. */
  readonly getentPath?: string
}

/** A directory service that does not answer in this time is not waited for again. */
const GETENT_TIMEOUT_MS = 5_000

/** Largest id that is one: 2^32 - 1 means "none". */
const MAX_ID = 0xfffffffe

/** Nothing is read until the first question. Never throws: what cannot be read knows no names. */
export function createOwnerNames(sources: OwnerSources = {}): OwnerNames {
  const { passwdPath = '/etc/passwd', groupPath = '/etc/group', getentPath = 'getent' } = sources
  const ask = createGetent(getentPath)
  const users = createRegister(passwdPath, (key) => ask('passwd', key))
  const groups = createRegister(groupPath, (key) => ask('group', key))
  return { userName: users.name, groupName: groups.name, userId: users.id, groupId: groups.id }
}

interface Register {
  readonly name: (id: number) => string
  readonly id: (name: string) => number | undefined
}

function createRegister(path: string, ask: (key: string) => string): Register {
  let names: Map<number, string> | undefined
  const ids = new Map<string, number | undefined>()
  const load = (): Map<number, string> => {
    if (names !== undefined) return names
    names = new Map()
    for (const [name, id] of parse(readText(path))) {
      if (!names.has(id)) names.set(id, name)
      if (!ids.has(name)) ids.set(name, id)
    }
    return names
  }
  return {
    name: (id) => {
      const known = load()
      const found = known.get(id) ?? parse(ask(String(id))).find(([, other]) => other === id)?.[0] ?? ''
      known.set(id, found)
      return found
    },
    id: (name) => {
      load()
      if (ids.has(name)) return ids.get(name)
      // Digits alone would be taken for an id, and a dash for an option.
      const found = /^(\d*$|-)/.test(name)
        ? undefined
        : parse(ask(name)).find(([other]) => other === name)?.[1]
      ids.set(name, found)
      return found
    },
  }
}

/** Lines `name:password:id:…`, of passwd and group alike. */
function parse(text: string): [name: string, id: number][] {
  const found: [string, number][] = []
  for (const line of text.split('\n')) {
    const [name, , id] = line.split(':')
    if (name && id && /^\d{1,10}$/.test(id) && Number(id) <= MAX_ID) found.push([name, Number(id)])
  }
  return found
}

function createGetent(program: string): (database: string, key: string) => string {
  let works = true
  return (database, key) => {
    if (!works || key.includes('\0')) return ''
    const result = spawnSync(program, [database, key], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: GETENT_TIMEOUT_MS,
    })
    if (result.error !== undefined) works = false
    return result.status === 0 ? result.stdout : ''
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT' || code === 'EACCES' || code === 'EPERM') return ''
    throw error
  }
}
