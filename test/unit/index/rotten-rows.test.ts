import { expect, test } from 'vitest'
import { createRowCheck } from '../../../src/index/check.ts'
import { openEnvironment } from '../../../src/index/environment.ts'
import { encodeName, encodePack, idKey, listedPack, packKey } from '../../../src/index/rows.ts'
import { filesOf, indexFile, packOf } from './build-facts.ts'
import { checkKey, openIndex, temporaryDirectory } from './temporary-index.ts'

const pack = packOf('p', [['a']])

/** What a row that rots said of a pack would be lost if it was written over: that it is condemned, or its number. */
test.each([
  ['names', idKey(pack.id), encodeName(0)],
  ['packs', packKey(0), encodePack(listedPack(pack))],
] as const)('a rotten row of %s is not written over: the index is begun anew', async (table, key, row) => {
  const { directory, remove } = temporaryDirectory()
  const first = await openIndex(directory)
  await first.update(filesOf([indexFile('1', { packs: [pack] })]))
  await first.close()
  const environment = openEnvironment(directory, createRowCheck(checkKey))
  environment.write(() => {
    const rotten = Buffer.from(row)
    rotten[5]! ^= 1
    environment.tables[table].putSync(key, rotten)
  })
  await environment.close()

  const index = await openIndex(directory)
  expect(() => index.markLost([pack.id])).toThrow(expect.objectContaining({ code: 'IO' }))
  const condemning = indexFile('2', { condemned: [pack.id] })
  expect(await index.update(filesOf([condemning]))).toBe('rebuild-needed')
  await index.close()
  // Whoever opens it next finds what is rotten, also when this process ends before it has rebuilt it.
  const notices: string[] = []
  const again = await openIndex(directory, { onNotice: (message) => notices.push(message) })
  expect(notices).toEqual([expect.stringContaining('was damaged')])
  expect(await again.update(filesOf([indexFile('1', { packs: [pack] }), condemning]))).toBe('updated')
  expect(again.pack(pack.id)?.state).toBe('condemned')
  await again.close()
  remove()
})
