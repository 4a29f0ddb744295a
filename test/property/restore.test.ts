import {
  chmodSync,
  closeSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  openSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { joinName, nameBytes, nameFromBytes, type RawName } from '../../src/encoding/index.ts'
import { createSpecialFile } from '../../src/filesystem/index.ts'
import type { RestoreProblem } from '../../src/restore/index.ts'
import { restoreWithin } from '../../src/restore/restore.ts'
import {
  CHUNK_AVERAGE_BYTES,
  makeRepository,
  noise,
  readTree,
  takeSnapshot,
  tempDirectory,
} from '../unit/restore/scene.ts'

interface Stamp {
  /** 0 to 0o7777. */
  readonly mode: number
  /** Seconds, with a fraction. */
  readonly mtime: number
}

type Plan =
  | { readonly kind: 'file'; readonly size: number; readonly seed: number; readonly stamp: Stamp }
  | { readonly kind: 'sparse'; readonly size: number; readonly at: number; readonly stamp: Stamp }
  | { readonly kind: 'symlink'; readonly target: Uint8Array; readonly stamp: Stamp }
  | { readonly kind: 'fifo'; readonly stamp: Stamp }
  /** One more name of what was made so many steps ago. */
  | { readonly kind: 'link'; readonly back: number }
  | { readonly kind: 'folder'; readonly below: readonly Named[]; readonly stamp: Stamp }
type Named = readonly [name: RawName, plan: Plan]

const stamp: fc.Arbitrary<Stamp> = fc.record({
  mode: fc.integer({ min: 0, max: 0o7777 }),
  mtime: fc.integer({ min: -2_000_000_000_000, max: 6_000_000_000_000 }).map((ms) => ms / 1000),
})
const isName = (bytes: Uint8Array): boolean =>
  !bytes.includes(0) && !bytes.includes(0x2f) && !/^\.\.?$/.test(Buffer.from(bytes).toString('latin1'))
const name: fc.Arbitrary<RawName> = fc
  .oneof(
    { weight: 4, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 6 }) },
    {
      weight: 2,
      arbitrary: fc.constantFrom('a', 'b', 'ab', 'é', '\u{1f512}', '-', ' ').map((text) => Buffer.from(text)),
    },
    { weight: 1, arbitrary: fc.uint8Array({ minLength: 255, maxLength: 255, min: 1 }) },
  )
  .filter(isName)
  .map(nameFromBytes)
/** About the borders of chunks: 1, 4 and 16 KiB. */
const size = fc.oneof(
  fc.integer({ min: 0, max: 3 }),
  fc
    .tuple(fc.constantFrom(1 / 4, 1, 4, 8), fc.integer({ min: -1, max: 1 }))
    .map(([share, more]) => CHUNK_AVERAGE_BYTES * share + more),
  fc.integer({ min: 0, max: 150_000 }),
)

const { tree } = fc.letrec<{ tree: readonly Named[]; plan: Plan }>((tie) => ({
  tree: fc.uniqueArray(fc.tuple(name, tie('plan')), {
    maxLength: 6,
    selector: ([key]) => nameBytes(key).toString('hex'),
  }),
  plan: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({ kind: fc.constant('file' as const), size, seed: fc.integer({ min: 0, max: 3 }), stamp }),
    fc.record({
      kind: fc.constant('sparse' as const),
      size: fc.integer({ min: 1, max: 300_000 }),
      at: fc.integer({ min: 0, max: 300_000 }),
      stamp,
    }),
    fc.record({
      kind: fc.constant('symlink' as const),
      target: fc.uint8Array({ minLength: 1, maxLength: 40, min: 1 }),
      stamp,
    }),
    fc.record({ kind: fc.constant('fifo' as const), stamp }),
    fc.record({ kind: fc.constant('link' as const), back: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ kind: fc.constant('folder' as const), below: tie('tree'), stamp }),
  ),
}))

function build(directory: RawName, list: readonly Named[], made: RawName[]): void {
  for (const [key, plan] of list) {
    const path = joinName(directory, key)
    if (plan.kind === 'link') {
      const first = made.at(-plan.back)
      if (first !== undefined) linkSync(first, path)
      continue
    }
    if (plan.kind === 'folder') {
      mkdirSync(path)
      build(path, plan.below, made)
    } else {
      makeNode(path, plan)
      made.push(path)
    }
    if (plan.kind === 'symlink') lutimesSync(path, plan.stamp.mtime, plan.stamp.mtime)
    else {
      chmodSync(path, plan.stamp.mode)
      utimesSync(path, plan.stamp.mtime, plan.stamp.mtime)
    }
  }
}

function makeNode(path: RawName, plan: Exclude<Plan, { kind: 'link' | 'folder' }>): void {
  switch (plan.kind) {
    case 'file':
      writeFileSync(path, noise(plan.seed, plan.size))
      break
    case 'sparse': {
      const fd = openSync(path, 'w')
      writeSync(fd, 'data', plan.at)
      closeSync(fd)
      truncateSync(path, plan.size)
      break
    }
    case 'symlink':
      symlinkSync(Buffer.from(plan.target), path)
      break
    case 'fifo':
      createSpecialFile(path, 'fifo')
  }
}

/** Mostly none, since threads take time to start. */
const threads = fc.constantFrom(0, 0, 0, 0, 1, 2, 7)

const limits = fc.record({
  windowNodes: fc.integer({ min: 1, max: 20 }),
  windowPieces: fc.integer({ min: 1, max: 40 }),
  windowBytes: fc.integer({ min: 1, max: 300_000 }),
  openFolders: fc.integer({ min: 2, max: 4 }),
  batchFolders: fc.integer({ min: 1, max: 3 }),
  linkEntries: fc.integer({ min: 1, max: 3 }),
})

describe('restore(backup(tree))', () => {
  test('is the tree: names, content, links, modes, times, in windows of any size', async (context) => {
    context.skip(process.geteuid?.() !== 0, 'a tree with any modes takes root to read')
    await fc.assert(
      fc.asyncProperty(
        tree,
        limits,
        fc.boolean(),
        fc.boolean(),
        threads,
        async (list, bounds, sparse, verify, count) => {
          const source = tempDirectory()
          build(source, list, [])
          const { repository } = await makeRepository()
          const snapshot = await takeSnapshot(repository, source)
          const target = tempDirectory()
          const problems: RestoreProblem[] = []
          const collect = (problem: RestoreProblem): void => void problems.push(problem)
          const told = { onError: collect, onWarning: collect }
          const options = { target, path: source, sparse, verify, threads: count, ...told }
          const first = await restoreWithin(repository, snapshot, options, bounds)
          expect(problems).toEqual([])
          expect(readTree(target)).toEqual(readTree(source))
          expect(first.bytesRestored).toBe(first.totalBytes)
          expect(first.filesRestored).toBe(first.totalFiles)

          const second = await restoreWithin(repository, snapshot, options, bounds)
          expect(problems).toEqual([])
          expect(readTree(target)).toEqual(readTree(source))
          expect(second.bytesRestored).toBe(0)
        },
      ),
      { numRuns: 60 },
    )
  })

  test('is the tree, whatever of another tree is in the target', async (context) => {
    context.skip(process.geteuid?.() !== 0, 'a tree with any modes takes root to read')
    await fc.assert(
      fc.asyncProperty(tree, tree, limits, async (list, other, bounds) => {
        const source = tempDirectory()
        const target = tempDirectory()
        build(source, list, [])
        build(target, other, [])
        const { repository } = await makeRepository()
        const snapshot = await takeSnapshot(repository, source)
        const problems: RestoreProblem[] = []
        const options = { target, path: source, onError: (problem: RestoreProblem) => problems.push(problem) }
        await restoreWithin(repository, snapshot, options, bounds)
        // A folder that is not empty is never removed for something else; all other nodes are as in the source.
        const inTheWay = problems.map(
          ({ path }) => `${nameBytes(path).subarray(source.length).toString('hex')}`,
        )
        expect(problems.every(({ message }) => message.includes('ENOTEMPTY'))).toBe(true)
        const restored = new Map(readTree(target).map((facts) => [facts.path, facts]))
        for (const facts of readTree(source)) {
          if (inTheWay.includes(hexPath(facts.path))) continue
          const { sameAs: _, ...wanted } = facts
          expect(restored.get(facts.path)).toMatchObject(wanted)
        }
      }),
      { numRuns: 40 },
    )
  })
})

/** A path of `readTree` as one string of hex. */
function hexPath(path: string): string {
  return path.replaceAll('/', '2f')
}
