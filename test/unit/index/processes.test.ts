import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { chunkId } from '../../../src/encoding/index.ts'
import type { ClientIndex } from '../../../src/index/index.ts'
import { filesOf, idOf, indexFile, packOf } from './build-facts.ts'
import { checkKey, openIndex, temporaryDirectory } from './temporary-index.ts'

const script = new URL('process-run.mjs', import.meta.url).pathname
const ROUNDS = 30

describe('processes that share an index', () => {
  let directory: string
  let remove: () => void
  beforeEach(async () => {
    ;({ directory, remove } = temporaryDirectory())
    await (await openIndex(directory)).close()
  })
  afterEach(() => remove())

  const start = (...options: string[]): ChildProcess => {
    const [mode, ...rest] = options
    const options_ = [script, mode!, directory, checkKey.toString(), ...rest]
    return spawn(process.execPath, options_, { stdio: ['pipe', 'pipe', 'inherit'] })
  }
  const ended = async (child: ChildProcess) => {
    child.stdout?.resume()
    if (child.exitCode !== null || child.signalCode !== null) return [child.exitCode, child.signalCode]
    return await once(child, 'exit')
  }
  const isKnown = (index: ClientIndex, pack: string) => {
    const ids = Array.from({ length: 60 }, (_, number) =>
      chunkId(createHash('sha256').update(`${pack} ${number}`).digest()),
    )
    const answers = new Set(ids.map((id) => index.has(id)))
    expect(answers.size).toBe(1)
    return answers.has(true)
  }

  test.skipIf(process.platform !== 'linux')(
    'those that begin it at once hold one and the same, and none throws it away (held files are seen on Linux only)',
    async () => {
      const begin = new URL('begin-run.mjs', import.meta.url).pathname
      for (let round = 0; round < 3; round++) {
        rmSync(directory, { recursive: true })
        const atMs = Date.now() + 400
        const children = [0, 1, 2].map((number) =>
          spawn(process.execPath, [begin, directory, checkKey.toString(), `${atMs + 3 * number}`]),
        )
        const said = await Promise.all(children.map((child) => once(createInterface(child.stdout), 'line')))
        for (const child of children) child.stdin.end()
        expect(await Promise.all(children.map(ended))).toEqual(children.map(() => [0, null]))
        expect(new Set(said.map(([line]) => line)).size).toBe(1)
        expect(JSON.parse(said[0]![0] as string)).toMatchObject({ notices: [] })
      }
    },
  )

  test('two write the same facts while a third reads: loads are seen whole, all facts are there at the end', async () => {
    const reader = start('read')
    await once(createInterface(reader.stdout!), 'line')
    const writers = [start('write', String(ROUNDS), '0'), start('write', String(ROUNDS), '0')]
    for (const writer of writers) expect(await ended(writer)).toEqual([0, null])
    reader.stdin!.write('stop')
    expect(await ended(reader)).toEqual([0, null])
    const index = await openIndex(directory)
    for (let round = 0; round < ROUNDS; round++) {
      expect(isKnown(index, `good ${round} 0`)).toBe(true)
      expect(isKnown(index, `bad ${round} 0`)).toBe(false)
    }
    const rows = [...index.chunks()]
    expect(new Set(rows.map((row) => row.number)).size).toBe(rows.length)
    for (const row of rows) expect(row.homes).toHaveLength(1)
    await index.close()
  })

  test('resets of one do not harm the other', async () => {
    const reader = start('read')
    await once(createInterface(reader.stdout!), 'line')
    const writers = [start('write', String(ROUNDS), '4'), start('write', String(ROUNDS), '0')]
    for (const writer of writers) expect(await ended(writer)).toEqual([0, null])
    reader.stdin!.write('stop')
    expect(await ended(reader)).toEqual([0, null])
    const index = await openIndex(directory)
    for (let round = 0; round < ROUNDS; round++) expect(isKnown(index, `bad ${round} 0`)).toBe(false)
    await index.close()
  })

  test('an index whose writer was killed opens with what was taken in', async () => {
    for (const rounds of [1, 3, 4, 7]) {
      const writer = start('write', '1000', '0')
      const lines = createInterface(writer.stdout!)
      let done = -1
      for await (const line of lines) {
        done = Number(line)
        if (done === rounds) break
      }
      writer.kill('SIGKILL')
      await ended(writer)
      const index = await openIndex(directory)
      for (let round = 0; round <= done; round++) {
        expect(isKnown(index, `good ${round} 0`)).toBe(true)
        expect(isKnown(index, `bad ${round} 0`)).toBe(false)
      }
      await index.close()
    }
  })

  test('worker threads read on while the index is written and closed, and may be stopped at any time', async () => {
    const door = new URL('../../../dist/index/index.js', import.meta.url).href
    const code = `
      const { parentPort, workerData } = require('node:worker_threads')
      import(workerData.door).then(({ openIndexReader }) => {
        const reader = openIndexReader(workerData.address, workerData.checkKey)
        parentPort.on('message', async (id) => {
          if (id === undefined) {
            await reader.close()
            parentPort.close()
          } else {
            reader.renew()
            parentPort.postMessage(reader.has(id))
          }
        })
        parentPort.postMessage('ready')
      })`
    const index = await openIndex(directory)
    const startWorker = async () => {
      const worker = new Worker(code, {
        eval: true,
        workerData: { door, address: index.address(), checkKey },
      })
      expect(await once(worker, 'message')).toEqual(['ready'])
      return worker
    }
    const ask = async (worker: Worker, name: string) => {
      worker.postMessage(idOf(name))
      return (await once(worker, 'message'))[0] as boolean
    }
    const [first, second] = [await startWorker(), await startWorker()]
    expect(await ask(first, 'a')).toBe(false)
    await index.update(filesOf([indexFile('1', { packs: [packOf('p', [['a', 'b']])] })]))
    expect([await ask(first, 'a'), await ask(second, 'b')]).toEqual([true, true])
    await second.terminate()
    await index.update(filesOf([indexFile('2', { condemned: [packOf('p', []).id] })]))
    expect(await ask(first, 'a')).toBe(false)
    await index.close()
    expect(await ask(first, 'b')).toBe(false)
    first.postMessage(undefined)
    expect(await once(first, 'exit')).toEqual([0])
    const again = await openIndex(directory)
    expect(again.isCondemned(packOf('p', []).id)).toBe(true)
    await again.close()
  })

  test('an index without its sidecar is looked through and opened while another process writes', async () => {
    const writer = start('write', String(ROUNDS), '5')
    const lines = createInterface(writer.stdout!)
    for await (const _ of lines) {
      rmSync(join(directory, 'clean'), { force: true })
      const index = await openIndex(directory)
      expect(isKnown(index, 'bad 0 0')).toBe(false)
      await index.close()
    }
    expect(await ended(writer)).toEqual([0, null])
  })
})
