import { describe, expect, test } from 'vitest'
import { WriteQueue } from '../../../src/repository/index.ts'

describe('WriteQueue', () => {
  test('counts in memory that is shared, in whole KiB, down to nothing again', () => {
    const queue = new WriteQueue()
    const same = new WriteQueue(queue.memory)
    queue.add(1)
    same.add(5000)
    expect([queue.bytes, same.bytes]).toEqual([6 * 1024, 6 * 1024])
    queue.remove(5000)
    same.remove(1)
    expect(queue.bytes).toBe(0)
  })

  test('waitForRoom() goes on at once while there is room, and when all is aborted', () => {
    const queue = new WriteQueue()
    queue.add(32 << 20)
    queue.waitForRoom(() => false)
    queue.add(1)
    let asked = 0
    queue.waitForRoom(() => ++asked === 2)
    expect(asked).toBe(2)
  })
})
