import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { displayName, joinName, type RawName } from '../../../src/encoding/index.ts'
import { listNodes, resolvePath } from '../../../src/library/index.ts'
import { createScene, rawPath } from '../backup/scene.ts'

async function scene() {
  const { source, run, repository } = await createScene()
  mkdirSync(join(source, 'a/b'), { recursive: true })
  writeFileSync(join(source, 'a/b/deep'), 'x')
  writeFileSync(join(source, 'a/file'), 'x')
  writeFileSync(rawPath(source, Buffer.from([0xff])), 'raw')
  symlinkSync('a', join(source, 'link'))
  const { snapshot } = await run()
  const list = async (path: RawName | undefined, options = {}): Promise<string[]> => {
    const names: string[] = []
    for await (const entry of listNodes(repository, snapshot, { path, ...options }))
      names.push(displayName(entry.path).replace(source, ''))
    return names
  }
  return { repository, snapshot, source, list }
}

describe('listNodes()', () => {
  test('gives the folder itself, then everything below in order of names', async () => {
    const { source, list } = await scene()
    expect(await list(source)).toEqual(['', '/a', '/a/b', '/a/b/deep', '/a/file', '/link', '/\\xff'])
    expect(await list(`${source}/a/`)).toEqual(['/a', '/a/b', '/a/b/deep', '/a/file'])
  })

  test('of the whole snapshot begins below the root', async () => {
    const { source, list } = await scene()
    const top = `/${source.split('/')[1]}`
    for (const path of [undefined, '/', '', '.', '//'] as const) {
      const names = await list(path)
      expect(names[0]).toBe(top)
      expect(names.at(-1)).toBe('/\\xff')
    }
  })

  test('goes one level deep when asked to', async () => {
    const { source, list } = await scene()
    expect(await list(join(source, 'a'), { isRecursive: false })).toEqual(['/a', '/a/b', '/a/file'])
  })

  test('of a file, a link or a raw name gives it alone', async () => {
    const { source, list } = await scene()
    expect(await list(join(source, 'a/file'))).toEqual(['/a/file'])
    expect(await list(join(source, 'link'))).toEqual(['/link'])
    expect(await list(joinName(source, Buffer.from([0xff])))).toEqual(['/\\xff'])
  })

  test('ends when it is aborted', async () => {
    const { source, list } = await scene()
    const controller = new AbortController()
    controller.abort()
    await expect(list(source, { signal: controller.signal })).rejects.toMatchObject({ code: 'INTERRUPTED' })
  })
})

describe('resolvePath()', () => {
  test.each(['none', 'a/none', 'a/file/below', 'link/file', '..', 'a/../a'])(
    'of %s says that it is not there, and what is',
    async (name) => {
      const { repository, snapshot, source } = await scene()
      const found = resolvePath(repository, snapshot, `${source}/${name}`)
      await expect(found).rejects.toMatchObject({
        code: 'NO_SUCH_PATH',
        hint: expect.stringContaining(`/${source.split('/')[1]}`),
      })
    },
  )

  test('shows names that could steer a terminal in a form that cannot', async () => {
    const { repository, snapshot } = await scene()
    await expect(resolvePath(repository, snapshot, '/\u001b[2J')).rejects.toMatchObject({
      message: expect.stringContaining('\\x1b[2J'),
    })
  })
})
