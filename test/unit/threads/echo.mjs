import { DamagedError, HoldfastError } from '../../../dist/errors/index.js'
import { serveThread } from '../../../dist/threads/index.js'

serveThread(({ greeting }, { isAborted, emit }) => ({
  run({ ask, value }) {
    if (ask === 'damage') throw new DamagedError('data/ab/ab', 'its hash is wrong', { hint: 'look' })
    if (ask === 'usage') throw new HoldfastError('USAGE', 'no', { hint: 'say yes' })
    if (ask === 'missing') {
      throw Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT', errno: -2, syscall: 'open' })
    }
    if (ask === 'exit') process.exit(3)
    if (ask === 'throwLater')
      setImmediate(() => {
        throw new Error('broken')
      })
    if (ask === 'event') emit({ value })
    if (ask === 'spin') {
      while (!isAborted());
      throw new HoldfastError('INTERRUPTED', 'interrupted')
    }
    return ask === 'bytes' ? new Uint8Array(value) : `${greeting} ${value}`
  },
  transferOf: (answer) => (answer instanceof Uint8Array ? [answer.buffer] : []),
  finish() {
    if (greeting === 'sick') throw new HoldfastError('FAILED', 'the end was bad')
    emit({ value: 'bye' })
  },
}))
