import { readdirSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { describe, expect, test } from 'vitest'

/** Every room, lowest first, with the rooms it may import. docs/architecture.md has the same table. */
const layers: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  threads: ['errors'],
  encoding: ['errors'],
  crypto: ['errors', 'encoding'],
  compression: ['errors'],
  chunker: ['errors'],
  filesystem: ['errors', 'encoding'],
  backend: ['errors', 'encoding', 'filesystem'],
  pack: ['errors', 'encoding', 'crypto', 'compression'],
  index: ['errors', 'encoding', 'crypto', 'filesystem', 'pack'],
  repository: ['errors', 'encoding', 'crypto', 'compression', 'filesystem', 'backend', 'pack', 'index'],
  tree: ['errors', 'encoding'],
  snapshot: ['errors', 'encoding', 'repository', 'tree'],
  backup: [
    'errors',
    'threads',
    'encoding',
    'crypto',
    'chunker',
    'filesystem',
    'repository',
    'tree',
    'snapshot',
  ],
  restore: ['errors', 'threads', 'encoding', 'crypto', 'filesystem', 'repository', 'tree', 'snapshot'],
  verify: ['errors', 'threads', 'encoding', 'crypto', 'repository', 'tree', 'snapshot'],
  forget: ['errors', 'encoding', 'repository', 'tree', 'snapshot'],
  prune: ['errors', 'threads', 'encoding', 'repository', 'tree', 'snapshot'],
  repair: ['errors', 'encoding', 'crypto', 'repository', 'tree', 'snapshot'],
  stats: ['errors', 'encoding', 'repository', 'tree', 'snapshot'],
  copy: ['errors', 'encoding', 'repository', 'tree', 'snapshot', 'backup'],
  find: ['errors', 'encoding', 'repository', 'tree', 'snapshot'],
  diff: ['errors', 'encoding', 'filesystem', 'repository', 'tree'],
  library: [
    'errors',
    'encoding',
    'crypto',
    'filesystem',
    'backend',
    'backup',
    'repository',
    'snapshot',
    'tree',
  ],
  bench: ['errors', 'crypto', 'chunker', 'repository', 'snapshot', 'backup', 'restore', 'verify', 'library'],
  cli: ['errors'],
}
const rooms = Object.keys(layers)

/** Rooms that only these may know. */
const privateRooms: Readonly<Record<string, readonly string[]>> = {
  compression: ['pack', 'repository'],
  pack: ['index', 'repository'],
  index: ['repository'],
}

/** A second door, and the rooms that may use it. */
const secondDoors: Readonly<Record<string, readonly string[]>> = {
  'repository/worker.ts': ['backup', 'restore', 'verify', 'prune', 'bench'],
}

/** The program's own door, beside the rooms: what it may not import. */
const PROGRAM_DOOR = 'index.ts'
const notForProgramDoor = ['cli', ...Object.keys(privateRooms)]

const MAXIMUM_LINES = 400
/** Files that may be longer, each with its reason. */
const longFiles: Readonly<Record<string, string>> = {}

const vagueName = /(^|[-/])(utils?|helpers?|common|misc)([-./]|$)/

/** Paths below src with their text. */
type Sources = ReadonlyMap<string, string>

function readSources(): Sources {
  const root = new URL('../../src/', import.meta.url)
  const paths = readdirSync(root, { recursive: true, encoding: 'utf8' })
  return new Map(
    paths
      .map((path) => path.replaceAll('\\', '/'))
      .filter((path) => path.endsWith('.ts') && !path.startsWith('chunker/assembly/'))
      .map((path) => [path, readFileSync(new URL(path, root), 'utf8')]),
  )
}

const importForms = [
  /^\s*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]/gm,
  /^\s*import\s*['"]([^'"]+)['"]/gm,
  /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g,
  /\brequire(?:\.resolve)?\(\s*['"]([^'"]+)['"]\s*\)/g,
  /\bcreateRequire\([^)]*\)\(\s*['"]([^'"]+)['"]\s*\)/g,
  /\bnew URL\(\s*['"](\.[^'"]+\.[jt]s)['"]/g,
]

/** Everything a file imports, types and worker files included. */
function importsOf(text: string): string[] {
  return importForms.flatMap((form) => [...text.matchAll(form)].map((match) => match[1]!))
}

function roomOf(path: string): string | undefined {
  return path.includes('/') ? path.slice(0, path.indexOf('/')) : undefined
}

/** What is wrong with one import; undefined when nothing is. */
function importProblem(path: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined
  const target = posix.join(posix.dirname(path), specifier)
  const [from, to] = [roomOf(path), roomOf(target)]
  if (target.startsWith('..')) return 'is outside src'
  if (path === PROGRAM_DOOR) {
    if (to === undefined || target !== `${to}/index.ts`) return "is no room's door"
    return notForProgramDoor.includes(to) ? 'is not for the program door' : undefined
  }
  if (from === undefined) return 'is imported by a file in no room'
  if (from === to) return target === `${from}/index.ts` ? 'is the door of the same room' : undefined
  if (target === PROGRAM_DOOR) return from === 'cli' ? undefined : 'is for cli alone'
  if (to === undefined || !(layers[from] ?? []).includes(to)) return 'is not in the table'
  if (target === `${to}/index.ts` || (secondDoors[target] ?? []).includes(from)) return undefined
  return 'is not a door'
}

function findImportProblems(sources: Sources): string[] {
  const problems: string[] = []
  for (const [path, text] of sources) {
    for (const specifier of importsOf(text)) {
      const problem = importProblem(path, specifier)
      if (problem !== undefined) problems.push(`${path}: ${specifier} ${problem}`)
    }
  }
  return problems
}

const sources = readSources()

describe('the table', () => {
  test('has every room lowest first, so that imports go down only', () => {
    for (const [place, room] of rooms.entries()) {
      for (const below of layers[room]!)
        expect(rooms.slice(0, place), `${room} imports ${below}`).toContain(below)
    }
  })

  test('opens private rooms to their owners only', () => {
    for (const [room, owners] of Object.entries(privateRooms)) {
      expect(rooms.filter((other) => layers[other]!.includes(room))).toEqual(owners)
    }
  })
})

describe('src', () => {
  test('has no folder that is not a room, and no file beside them but the program door', () => {
    expect(sources.size).toBeGreaterThan(0)
    for (const path of sources.keys()) {
      const room = roomOf(path)
      if (room === undefined) expect(path).toBe(PROGRAM_DOOR)
      else expect(rooms, path).toContain(room)
    }
  })

  test('imports by the table, through doors only', () => {
    expect(findImportProblems(sources)).toEqual([])
  })

  test('has a door in every room: a doc comment, then exports by name', () => {
    const present = new Set([...sources.keys()].map(roomOf).filter((room) => room !== undefined))
    const wrong = [...present].filter((room) => !sources.get(`${room}/index.ts`)?.startsWith('/**\n'))
    expect(wrong).toEqual([])
    for (const [path, text] of sources) expect(text, path).not.toMatch(/^\s*export\s*(type\s*)?\*/m)
  })

  test('has no vague names', () => {
    expect([...sources.keys()].filter((path) => vagueName.test(path))).toEqual([])
  })

  test('has no file over 400 lines without a reason', () => {
    const lines = (text: string): number => text.trimEnd().split('\n').length
    const long = [...sources].filter(([, text]) => lines(text) > MAXIMUM_LINES).map(([path]) => path)
    expect(long.toSorted()).toEqual(Object.keys(longFiles).toSorted())
  })
})

describe('the check itself', () => {
  test.each([
    ['errors/a.ts', "import { Value } from '../encoding/index.ts'", 'is not in the table'],
    ['errors/a.ts', "import type { Value } from '../encoding/index.ts'", 'is not in the table'],
    ['errors/a.ts', "export type { Value } from '../encoding/index.ts'", 'is not in the table'],
    ['errors/a.ts', "type Value = import('../encoding/index.ts').Value", 'is not in the table'],
    ['errors/a.ts', "const door = await import('../encoding/index.ts')", 'is not in the table'],
    [
      'errors/a.ts',
      "const a = 1\nimport {\n  Value,\n  Other,\n} from '../encoding/index.ts'",
      'is not in the table',
    ],
    ['errors/a.ts', "import '../encoding/index.ts'", 'is not in the table'],
    ['encoding/a.ts', "import { x } from '../errors/error.ts'", 'is not a door'],
    ['encoding/a.ts', "import { x } from './index.ts'", 'is the door of the same room'],
    ['encoding/deep/a.ts', "import { x } from '../index.ts'", 'is the door of the same room'],
    ['tree/a.ts', "import { x } from '../pack/index.ts'", 'is not in the table'],
    ['verify/a.ts', "import { x } from '../prune/index.ts'", 'is not in the table'],
    ['prune/a.ts', "import { x } from '../verify/index.ts'", 'is not in the table'],
    ['forget/a.ts', "import { x } from '../repository/worker.ts'", 'is not a door'],
    ['backup/a.ts', "import { x } from '../repository/packer.ts'", 'is not a door'],
    ['backup/a.ts', "new Worker(new URL('../restore/worker.ts', import.meta.url))", 'is not in the table'],
    ['cli/a.ts', "import { x } from '../backup/index.ts'", 'is not in the table'],
    ['tree/a.ts', "import { x } from '../index.ts'", 'is for cli alone'],
    ['tree/a.ts', "import { x } from '../../package.json'", 'is outside src'],
    ['index.ts', "export { x } from './cli/index.ts'", 'is not for the program door'],
    ['index.ts', "export { x } from './pack/index.ts'", 'is not for the program door'],
    ['index.ts', "export { x } from './backup/backup.ts'", "is no room's door"],
    ['other.ts', "export { x } from './backup/index.ts'", 'is imported by a file in no room'],
  ])('%s: %s', (path, text, problem) => {
    expect(findImportProblems(new Map([[path, text]]))).toEqual([expect.stringContaining(problem)])
  })

  test.each([
    ['encoding/a.ts', "import { x } from '../errors/index.ts'\nimport fs from 'node:fs'\nimport './b.ts'"],
    ['backup/a.ts', "import { x } from '../repository/worker.ts'\nnew URL('./worker.ts', import.meta.url)"],
    [
      'cli/a.ts',
      "import { x } from '../index.ts'\nimport { y } from '../errors/index.ts'\nimport 'commander'",
    ],
    ['index.ts', "export { x } from './backup/index.ts'\nexport type { y } from './errors/index.ts'"],
  ])('%s may: %s', (path, text) => {
    expect(findImportProblems(new Map([[path, text]]))).toEqual([])
  })

  test.each([
    'tree/utils.ts',
    'tree/string-utils.ts',
    'helpers/a.ts',
    'tree/common-parts.ts',
    'tree/misc.ts',
  ])('%s is a vague name', (path) => {
    expect(path).toMatch(vagueName)
  })

  test('names that only hold such a word are fine', () => {
    for (const path of ['tree/uncommon.ts', 'tree/miscible.ts', 'backup/utility-bill.ts']) {
      expect(path).not.toMatch(vagueName)
    }
  })
})
