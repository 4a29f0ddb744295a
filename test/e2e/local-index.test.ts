import { readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createRepositorySandbox, type Sandbox, writeFiles } from './harness.ts'

/** The folder of the repository's index in the cache. */
function indexFolder({ cache }: Sandbox): string {
  const [name] = readdirSync(cache)
  return join(cache, name!)
}

const noise = Buffer.from(Array.from({ length: 65_536 }, (_, at) => (at * 167 + 13) % 256))

test('a local index that is lost or damaged is built again, in one line and without harm', async () => {
  const sandbox = await createRepositorySandbox()
  const { source, ok } = sandbox
  writeFiles(source, { 'a.txt': 'hello', 'sub/b.txt': 'world' })
  await ok(['backup', source])
  const folder = indexFolder(sandbox)
  const data = join(folder, 'data.mdb')

  const damages: readonly (readonly [name: string, damage: () => void, isTold: boolean])[] = [
    ['removed', () => rmSync(folder, { recursive: true }), false],
    ['truncated', () => truncateSync(data, 5000), true],
    ['emptied', () => truncateSync(data, 0), true],
    ['overwritten with noise', () => writeFileSync(data, noise), true],
    ['left by another version', () => writeFileSync(join(folder, 'clean'), 'holdfast 99\n'), false],
  ]
  for (const [name, damage, isTold] of damages) {
    for (const args of [
      ['dump', `latest:${source}/a.txt`],
      ['backup', source],
    ]) {
      damage()
      const ended = await ok(args)
      const lines = ended.stderr.split('\n').filter((line) => line !== '')
      expect(lines.length, `${name}: ${ended.stderr}`).toBeLessThanOrEqual(1)
      if (isTold) expect(lines, name).toEqual([expect.stringContaining('rebuilding it')])
      if (args[0] === 'dump') expect(ended.stdout, name).toBe('hello')
      else expect(ended.stdout, name).toContain('files    0 new')
    }
  }
})

test('--no-cache keeps nothing, and --cache-dir chooses where', async () => {
  const { ok, source, cache, home } = await createRepositorySandbox()
  writeFiles(source, { 'a.txt': 'hello' })
  rmSync(cache, { recursive: true })
  await ok(['backup', source, '--no-cache'])
  expect(readdirSync(home)).not.toContain('cache')
  await ok(['snapshots', '--cache-dir', join(home, 'elsewhere')])
  expect(readdirSync(join(home, 'elsewhere'))).toHaveLength(1)
})
