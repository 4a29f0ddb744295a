import { execFileSync } from 'node:child_process'
import fs, { type FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Backend, openBackend } from '../../../src/backend/index.ts'
import { DamagedError, HoldfastError } from '../../../src/errors/index.ts'
import { backendContract, expectCode, failure, listed } from '../../contract/backend-contract.ts'

const owner = 'a1'

describe('local backend', () => {
  backendContract(async () => {
    const directory = await fs.mkdtemp(join(tmpdir(), 'holdfast-backend-'))
    return {
      open: () => openBackend(join(directory, 'repository'), { create: true }),
      remove: () => fs.rm(directory, { recursive: true, force: true }),
    }
  })
})

describe('local directory', () => {
  let top: string
  let base: string
  let backend: Backend

  beforeEach(async () => {
    top = await fs.mkdtemp(join(tmpdir(), 'holdfast-local-'))
    base = join(top, 'deep', 'repository')
    backend = await openBackend(base, { create: true })
  })

  afterEach(async () => {
    vi.restoreAllMocks()
    await fs.rm(top, { recursive: true, force: true })
  })

  it('is not made before the first put', async () => {
    await expectCode(backend.get('config'), 'NO_SUCH_FILE')
    expect(await listed(backend, '')).toEqual({})
    await backend.remove('config')
    expect(await fs.readdir(top)).toEqual([])
  })

  it('has files of mode 0600 in directories of mode 0700', async () => {
    await backend.put('data/ab/1', Buffer.from('x'), { owner })
    await backend.putNew('config', Buffer.from('x'), { owner })
    const staged = await backend.stage(owner)
    await staged.commit('index/1')
    for (const path of ['.', 'data', 'data/ab', 'index', 'tmp']) {
      expect((await fs.stat(join(base, path))).mode & 0o777).toBe(0o700)
    }
    for (const path of ['data/ab/1', 'config', 'index/1']) {
      expect((await fs.stat(join(base, path))).mode & 0o777).toBe(0o600)
    }
  })

  describe('order of durability', () => {
    it('put: bytes synced, then renamed, then the directory synced; new directories synced above', async () => {
      const events = await recordEvents(top)
      await backend.put('data/ab/1', Buffer.from('x'), { owner })
      expect(events).toEqual([
        'mkdir deep',
        'sync .',
        'mkdir deep/repository',
        'sync deep',
        'mkdir deep/repository/tmp',
        'sync deep/repository',
        'write TEMP',
        'mkdir deep/repository/data',
        'sync deep/repository',
        'mkdir deep/repository/data/ab',
        'sync deep/repository/data',
        'sync TEMP',
        'rename TEMP deep/repository/data/ab/1',
        'sync deep/repository/data/ab',
      ])
      events.length = 0
      await backend.put('data/ab/2', Buffer.from('x'), { owner })
      expect(events).toEqual([
        'write TEMP',
        'sync TEMP',
        'rename TEMP deep/repository/data/ab/2',
        'sync deep/repository/data/ab',
      ])
    })

    it('putNew: bytes synced, then linked, then the directory synced', async () => {
      await backend.put('keys/1', Buffer.from('x'), { owner })
      const events = await recordEvents(top)
      await backend.putNew('config', Buffer.from('x'), { owner })
      expect(events).toEqual([
        'write TEMP',
        'sync TEMP',
        'link TEMP deep/repository/config',
        'unlink TEMP',
        'sync deep/repository',
      ])
    })

    it('stage: the same, with any number of writes', async () => {
      await backend.put('index/1', Buffer.from('x'), { owner })
      const events = await recordEvents(top)
      const staged = await backend.stage(owner)
      await staged.append(Buffer.from('x'))
      await staged.append(Buffer.from('y'))
      await staged.commit('index/2')
      expect(events).toEqual([
        'write TEMP',
        'write TEMP',
        'sync TEMP',
        'rename TEMP deep/repository/index/2',
        'sync deep/repository/index',
      ])
    })

    it('remove: the directory synced after', async () => {
      await backend.put('index/1', Buffer.from('x'), { owner })
      const events = await recordEvents(top)
      await backend.remove('index/1')
      expect(events).toEqual(['unlink deep/repository/index/1', 'sync deep/repository/index'])
    })

    it('a directory that another client made is synced above, too', async () => {
      await fs.mkdir(join(base, 'index'), { recursive: true })
      const events = await recordEvents(top)
      await backend.put('index/1', Buffer.from('x'), { owner })
      const before = events.slice(0, events.indexOf('sync TEMP'))
      expect(before.slice(before.indexOf('mkdir deep/repository/index'))).toEqual([
        'mkdir deep/repository/index',
        'sync deep/repository',
      ])
    })
  })

  describe('when the system fails', () => {
    it.each(['ENOSPC', 'EACCES', 'EROFS', 'EIO'])(
      '%s is IO with the path and a hint, and nothing is left',
      async (code) => {
        await backend.put('index/1', Buffer.from('x'), { owner })
        for (const step of ['write', 'sync', 'rename'] as const) {
          await failOnce(step, code)
          const error = await failure(backend.put('index/2', Buffer.from('y'), { owner }))
          vi.restoreAllMocks()
          expect(error).toBeInstanceOf(HoldfastError)
          expect(error).toMatchObject({
            code: 'IO',
            message: expect.stringContaining(base),
            hint: expect.any(String),
          })
          expect(await listed(backend, '')).toEqual({ 'index/1': 1 })
        }
      },
    )

    it('a failed append ends the staged file and removes it', async () => {
      const staged = await backend.stage(owner)
      await staged.discard()
      await failOnce('write', 'ENOSPC')
      const failing = await backend.stage(owner)
      await expectCode(failing.append(Buffer.from('x')), 'IO')
      expect(await listed(backend, 'tmp')).toEqual({})
      await expect(failing.commit('index/1')).rejects.toThrow(/committed or discarded/)
      await failing.discard()
    })

    it.each(['EIO', 'EACCES'])('get, list and remove turn %s into IO', async (code) => {
      await backend.put('index/1', Buffer.from('x'), { owner })
      vi.spyOn(fs, 'open').mockRejectedValueOnce(systemError(code))
      await expectCode(backend.get('index/1'), 'IO')
      vi.spyOn(fs, 'readdir').mockRejectedValueOnce(systemError(code))
      await expectCode(listed(backend, 'index'), 'IO')
      vi.spyOn(fs, 'stat').mockRejectedValueOnce(systemError(code))
      await expectCode(listed(backend, 'index'), 'IO')
      vi.spyOn(fs, 'unlink').mockRejectedValueOnce(systemError(code))
      await expectCode(backend.remove('index/1'), 'IO')
    })

    it('a signal aborted while bytes are written leaves nothing', async () => {
      const controller = new AbortController()
      const open = fs.open.bind(fs)
      vi.spyOn(fs, 'open').mockImplementation(async (...call) => {
        const handle = await open(...call)
        const { write } = handle
        handle.write = (async (...args: Parameters<typeof write>) => {
          controller.abort()
          return write.apply(handle, args)
        }) as never
        return handle
      })
      for (const name of ['index/1', 'index/2']) {
        await expectCode(backend.put(name, Buffer.from('x'), { owner }, controller.signal), 'INTERRUPTED')
        await expectCode(backend.putNew(name, Buffer.from('x'), { owner }, controller.signal), 'INTERRUPTED')
      }
      expect(await listed(backend, '')).toEqual({})
    })

    it('a directory that cannot be made is IO', async () => {
      await fs.symlink('nowhere', join(top, 'dangling'))
      await fs.writeFile(join(top, 'file'), 'x')
      for (const path of ['dangling/repository', 'file/repository', 'file']) {
        const blocked = await openBackend(join(top, path), { create: true })
        await expectCode(blocked.put('config', Buffer.from('x'), { owner }), 'IO')
      }
    })

    it('short writes and short reads are carried on', async () => {
      const open = fs.open.bind(fs)
      vi.spyOn(fs, 'open').mockImplementation(async (...call) => {
        const handle = await open(...call)
        const { read, write } = handle
        handle.write = (async (bytes: Uint8Array, from: number, length: number, at: number) =>
          (write as unknown as Transfer).call(handle, bytes, from, Math.min(length, 7), at)) as never
        handle.read = (async (bytes: Uint8Array, from: number, length: number, at: number) =>
          (read as unknown as Transfer).call(handle, bytes, from, Math.min(length, 5), at)) as never
        return handle
      })
      const bytes = Buffer.from('a text that is longer than one write or read')
      await backend.put('config', bytes, { owner })
      expect((await backend.get('config')).equals(bytes)).toBe(true)
      expect((await backend.getRange('config', 3, 20)).equals(bytes.subarray(3, 23))).toBe(true)
    })

    it('a directory that cannot be synced by its file system is no failure', async () => {
      await backend.put('index/1', Buffer.from('x'), { owner })
      const open = fs.open.bind(fs)
      vi.spyOn(fs, 'open').mockImplementation(async (...call) => {
        const handle = await open(...call)
        if ((await handle.stat()).isDirectory()) handle.sync = () => Promise.reject(systemError('EINVAL'))
        return handle
      })
      await backend.put('index/2', Buffer.from('y'), { owner })
      expect(Object.keys(await listed(backend, 'index'))).toHaveLength(2)
    })

    it('a file that shrinks while it is read is damage', async () => {
      await backend.put('index/1', Buffer.alloc(100), { owner })
      const open = fs.open.bind(fs)
      vi.spyOn(fs, 'open').mockImplementation(async (...call) => {
        const handle = await open(...call)
        const { stat } = handle
        handle.stat = (async () => {
          const status = await stat.call(handle)
          await fs.truncate(join(base, 'index/1'), 60)
          return status
        }) as never
        return handle
      })
      await expect(backend.get('index/1')).rejects.toBeInstanceOf(DamagedError)
    })
  })

  describe('without hard links', () => {
    beforeEach(() => {
      vi.spyOn(fs, 'link').mockImplementation(() => Promise.reject(systemError('EPERM')))
    })

    it('putNew still stores, once, and leaves nothing temporary', async () => {
      await backend.putNew('config', Buffer.from('first'), { owner })
      await expectCode(backend.putNew('config', Buffer.from('second'), { owner }), 'ALREADY_EXISTS')
      expect((await backend.get('config')).toString()).toBe('first')
      expect(await listed(backend, '')).toEqual({ config: 5 })
    })

    it('of many at once exactly one wins', async () => {
      const outcomes = await Promise.allSettled(
        Array.from({ length: 8 }, (_, number) =>
          backend.putNew('config', Buffer.alloc(9000, number), { owner }),
        ),
      )
      const winners = outcomes.flatMap((outcome, number) => (outcome.status === 'fulfilled' ? [number] : []))
      expect(winners).toHaveLength(1)
      expect((await backend.get('config')).equals(Buffer.alloc(9000, winners[0]))).toBe(true)
    })

    it('it syncs the file and its directory', async () => {
      await backend.put('keys/1', Buffer.from('x'), { owner })
      const events = await recordEvents(top)
      await backend.putNew('config', Buffer.from('x'), { owner })
      const named = events.slice(events.indexOf('write deep/repository/config'))
      expect(named).toEqual([
        'write deep/repository/config',
        'sync deep/repository/config',
        'unlink TEMP',
        'sync deep/repository',
      ])
    })

    it('a write that fails leaves no part of the file', async () => {
      await backend.put('keys/1', Buffer.from('x'), { owner })
      const open = fs.open.bind(fs)
      vi.spyOn(fs, 'open').mockImplementation(async (...call) => {
        const handle = await open(...call)
        if (String(call[0]).endsWith('config')) handle.sync = () => Promise.reject(systemError('ENOSPC'))
        return handle
      })
      await expectCode(backend.putNew('config', Buffer.from('x'), { owner }), 'IO')
      expect(await listed(backend, '')).toEqual({ 'keys/1': 1 })
    })

    it('what does not read back as it was written is IO', async () => {
      const readFile = fs.readFile.bind(fs)
      vi.spyOn(fs, 'readFile').mockImplementation(async (path, options) => {
        return String(path).endsWith('config') ? Buffer.from('other') : readFile(path, options as never)
      })
      await expectCode(backend.putNew('config', Buffer.from('mine'), { owner }), 'IO')
    })
  })

  describe('a repository that is not there', () => {
    it('an absent or empty directory, or a file, is NO_REPOSITORY when it is opened', async () => {
      const file = join(top, 'file')
      await fs.writeFile(file, 'x')
      for (const path of [join(top, 'none'), file, join(file, 'below')]) {
        await expectCode(openBackend(path), 'NO_REPOSITORY')
      }
      await fs.mkdir(base, { recursive: true })
      await expectCode(openBackend(base), 'NO_REPOSITORY')
      await backend.put('config', Buffer.from('x'), { owner })
      expect((await (await openBackend(base)).get('config')).toString()).toBe('x')
    })

    it('a disk that goes away is never taken for an empty repository, nor written to', async () => {
      await backend.put('config', Buffer.from('x'), { owner })
      await backend.put('snapshots/1', Buffer.from('x'), { owner })
      const opened = await openBackend(base)
      await opened.put('snapshots/2', Buffer.from('x'), { owner })
      await fs.rename(base, join(top, 'away'))
      for (const mountPoint of [false, true]) {
        if (mountPoint) await fs.mkdir(base)
        await expectCode(opened.get('config'), 'NO_REPOSITORY')
        await expectCode(listed(opened, 'snapshots'), 'NO_REPOSITORY')
        await expectCode(opened.remove('snapshots/1'), 'NO_REPOSITORY')
        await expectCode(opened.put('snapshots/3', Buffer.from('x'), { owner }), 'IO')
        await expectCode(opened.stage(owner), 'IO')
      }
      expect(await fs.readdir(base)).toEqual([])
    })

    it('nor does a listing end early when it goes away meanwhile', async () => {
      await backend.put('snapshots/1', Buffer.from('x'), { owner })
      const opened = await openBackend(base)
      const { readdir } = fs
      vi.spyOn(fs, 'readdir').mockImplementationOnce((async (path: string, options: never) => {
        const entries = await readdir(path, options)
        await fs.rename(base, join(top, 'away'))
        return entries
      }) as never)
      await expectCode(listed(opened, 'snapshots'), 'NO_REPOSITORY')
    })

    it('nor is one that goes away before the first put', async () => {
      await backend.put('config', Buffer.from('x'), { owner })
      const opened = await openBackend(base)
      await fs.rename(base, join(top, 'away'))
      await fs.mkdir(base)
      await expectCode(opened.put('snapshots/1', Buffer.from('x'), { owner }), 'NO_REPOSITORY')
      expect(await fs.readdir(base)).toEqual([])
      await fs.rmdir(base)
      await fs.rename(join(top, 'away'), base)
      await opened.put('snapshots/1', Buffer.from('x'), { owner })
      expect(await listed(opened, 'snapshots')).toEqual({ 'snapshots/1': 1 })
    })
  })

  describe('foreign files', () => {
    it('what cannot be a stored file is passed over', async () => {
      await backend.put('data/ab/1', Buffer.from('x'), { owner })
      for (const path of ['lost+found', '.snapshots', 'data/@eaDir', 'data/a/b/c']) {
        await fs.mkdir(join(base, path), { recursive: true })
        await fs.writeFile(join(base, path, 'file'), 'x')
      }
      execFileSync('mkfifo', [join(base, 'data', 'pipe')])
      await fs.symlink('nowhere', join(base, 'data', 'dangling'))
      await fs.symlink('loop', join(base, 'data', 'loop'))
      await fs.writeFile(Buffer.concat([Buffer.from(join(base, 'data/')), Buffer.from([0xff, 0xfe])]), 'x')
      await fs.writeFile(join(base, 'data', 'foreign name.txt'), 'xy')
      expect(await listed(backend, '')).toEqual({ 'data/ab/1': 1, 'data/foreign name.txt': 2 })
      await expectCode(backend.get('data/pipe'), 'NO_SUCH_FILE')
      for (const name of ['data/pipe', 'data/none', 'data/loop', 'data/ab/1/x']) {
        expect(backend.fillNow?.(name, 0, Buffer.alloc(1))).toBe(false)
      }
      expect(backend.fillNow?.('data/ab/1', 0, Buffer.alloc(1))).toBe(true)
      expect(backend.fillNow?.('data/ab/1', 0, Buffer.alloc(2))).toBe(false)
      expect(() => backend.fillNow?.('data/ab/1', -1, Buffer.alloc(1))).toThrow(/range/)
    })

    it('links to files and directories are followed, and one that leads round ends', async () => {
      await backend.put('data/ab/1', Buffer.from('x'), { owner })
      await fs.rename(join(base, 'data/ab'), join(top, 'elsewhere'))
      await fs.symlink(join(top, 'elsewhere'), join(base, 'data/ab'))
      await fs.symlink(join(top, 'elsewhere', '1'), join(base, 'data/2'))
      expect(await listed(backend, 'data')).toEqual({ 'data/ab/1': 1, 'data/2': 1 })
      expect((await backend.get('data/ab/1')).toString()).toBe('x')
      await fs.symlink('.', join(top, 'elsewhere', 'round'))
      expect(Object.keys(await listed(backend, 'data')).sort()).toEqual([
        'data/2',
        'data/ab/1',
        'data/ab/round/1',
      ])
    })
  })
})

/** The one of the overloads of read and write that the backend uses. */
type Transfer = (bytes: Uint8Array, from: number, length: number, at: number) => Promise<unknown>
type Step = 'write' | 'sync' | 'rename'

/** The next call of this kind on a file fails once with the code, as the system would report it. */
async function failOnce(step: Step, code: string): Promise<void> {
  if (step === 'rename') {
    vi.spyOn(fs, 'rename').mockRejectedValueOnce(systemError(code))
    return
  }
  const open = fs.open.bind(fs)
  vi.spyOn(fs, 'open').mockImplementationOnce(async (...call) => {
    const handle = await open(...call)
    handle[step] = () => Promise.reject(systemError(code))
    return handle
  })
}

/** An error as node:fs gives it. */
function systemError(code: string): Error {
  const errno = { EPERM: -1, EIO: -5, EACCES: -13, EINVAL: -22, ENOSPC: -28, EROFS: -30 }[code]
  if (errno === undefined) throw new Error(`no number is known for ${code}`)
  return Object.assign(new Error(`${code}: failed`), { code, errno, syscall: 'test' })
}

/** What reaches the disk from here on, in order, with paths relative to `top` and temporary files as TEMP. */
async function recordEvents(top: string): Promise<string[]> {
  const events: string[] = []
  const short = (path: unknown) =>
    (relative(top, String(path)) || '.').replace(/.*\/tmp\/a1-[0-9a-f]{16}$/, 'TEMP')
  const { link, mkdir, open, rename, unlink } = fs
  vi.spyOn(fs, 'mkdir').mockImplementation((async (path: string, options: object) => {
    try {
      await mkdir(path, options)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw error
      events.push(`mkdir ${short(path)}`)
      throw error
    }
    events.push(`mkdir ${short(path)}`)
  }) as never)
  vi.spyOn(fs, 'rename').mockImplementation(async (from, to) => {
    events.push(`rename ${short(from)} ${short(to)}`)
    await rename(from, to)
  })
  if (!vi.isMockFunction(link)) {
    vi.spyOn(fs, 'link').mockImplementation(async (from, to) => {
      events.push(`link ${short(from)} ${short(to)}`)
      await link(from, to)
    })
  }
  vi.spyOn(fs, 'unlink').mockImplementation(async (path) => {
    events.push(`unlink ${short(path)}`)
    await unlink(path)
  })
  vi.spyOn(fs, 'open').mockImplementation(async (path, flags, mode) => {
    const handle: FileHandle = await open(path, flags, mode)
    const { sync, write } = handle
    handle.sync = async () => {
      await sync.call(handle)
      events.push(`sync ${short(path)}`)
    }
    handle.write = (async (...call: Parameters<typeof write>) => {
      events.push(`write ${short(path)}`)
      return write.apply(handle, call)
    }) as never
    return handle
  })
  return events
}
