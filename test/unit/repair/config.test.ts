import { beforeEach, describe, expect, test } from 'vitest'
import { createMemoryBackend } from '../../../src/backend/index.ts'
import { chunkerConfig } from '../../../src/backup/index.ts'
import type { Secret } from '../../../src/crypto/index.ts'
import { repairConfig } from '../../../src/repair/index.ts'
import {
  CONFIG_NAME,
  createRepository,
  openRepository,
  type Repository,
} from '../../../src/repository/index.ts'
import { verify } from '../../../src/verify/index.ts'
import { flipped } from '../../damage/shelf.ts'

const secret: Secret = { kind: 'keyFile', bytes: Buffer.alloc(32, 4) }

let files: Map<string, Buffer>
let notices: string[]

async function open(): Promise<Repository> {
  const onNotice = (message: string): unknown => notices.push(message)
  return await openRepository(createMemoryBackend({ files }), { secret, cacheDirectory: null, onNotice })
}

const settingsNames = (): string[] => [...files.keys()].filter((name) => name.startsWith('settings/'))

beforeEach(async () => {
  files = new Map()
  notices = []
  const settings = { compressionLevel: 7, packTargetBytes: 8 * 1024 * 1024 }
  const chunker = chunkerConfig()
  const options = { secret, cacheDirectory: null, chunker, settings, nowMs: 1_700_000_000_000 }
  await (await createRepository(createMemoryBackend({ files }), options)).close()
})

describe('repairConfig()', () => {
  test('leaves what is whole alone', async () => {
    const before = new Map(files)
    expect(await repairConfig(await open())).toEqual({
      config: 'whole',
      damagedSettings: 0,
      isSettingsWritten: false,
    })
    expect(files).toEqual(before)
  })

  test.each([
    ['missing', () => files.delete(CONFIG_NAME)],
    ['damaged', () => files.set(CONFIG_NAME, flipped(files.get(CONFIG_NAME)!, 100))],
    ['damaged', () => files.set(CONFIG_NAME, Buffer.alloc(0))],
  ])('writes a config that is %s again from the copy in the key', async (state, break_) => {
    const { config } = await open()
    break_()
    const broken = await open()
    expect((await verify(broken)).problems.map(({ file }) => file)).toEqual([CONFIG_NAME])
    expect((await repairConfig(broken)).config).toBe(state)
    notices = []
    const repaired = await open()
    expect(repaired.config).toEqual(config)
    expect(notices).toEqual([])
    expect((await verify(repaired)).problems).toEqual([])
    expect((await repairConfig(repaired)).config).toBe('whole')
  })

  test('a crash between remove and put leaves the copy in the key in use', async () => {
    files.set(CONFIG_NAME, Buffer.alloc(0))
    const broken = await open()
    broken.backend.putNew = async () => {
      throw new Error('the machine stopped')
    }
    await expect(repairConfig(broken)).rejects.toThrow('the machine stopped')
    expect(files.has(CONFIG_NAME)).toBe(false)
    expect((await repairConfig(await open())).config).toBe('missing')
    expect((await verify(await open())).problems).toEqual([])
  })

  test('removes damaged settings, and writes those in force when none are whole', async () => {
    const [name] = settingsNames()
    files.set(name!, flipped(files.get(name!)!, 100))
    const broken = await open()
    expect(await repairConfig(broken)).toEqual({
      config: 'whole',
      damagedSettings: 1,
      isSettingsWritten: true,
    })
    expect(settingsNames()).toHaveLength(1)
    expect(settingsNames()).not.toContain(name)
    notices = []
    expect((await open()).settings).toEqual(broken.settings)
    expect(notices).toEqual([])
    expect((await verify(await open())).problems).toEqual([])
  })

  test('keeps whole settings beside damaged ones', async () => {
    const [whole] = settingsNames()
    files.set(`settings/${'ab'.repeat(32)}`, Buffer.from('garbage'))
    const result = await repairConfig(await open())
    expect(result).toMatchObject({ damagedSettings: 1, isSettingsWritten: false })
    expect(settingsNames()).toEqual([whole])
    expect((await open()).settings.compressionLevel).toBe(7)
  })
})
