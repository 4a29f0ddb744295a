import { isAbsolute, join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openBackend, parseLocation } from '../../../src/backend/index.ts'
import { hasCode } from '../../../src/errors/index.ts'
import { expectCode } from '../../contract/backend-contract.ts'

describe('parseLocation', () => {
  it.each([
    ['/srv/backup', '/srv/backup'],
    ['backup', '/home/ann/backup'],
    ['./a/../b', '/home/ann/b'],
    ['.', '/home/ann'],
    ['/srv/s3:x', '/srv/s3:x'],
    ['./s3:x', '/home/ann/s3:x'],
    ['a/b:c', '/home/ann/a/b:c'],
    ['sftp', '/home/ann/sftp'],
    [':x', '/home/ann/:x'],
    ['~/x', '/home/ann/~/x'],
  ])('%s is the path %s', (text, path) => {
    expect(parseLocation(text, '/home/ann')).toEqual({ kind: 'local', path })
  })

  it.each(['C:\\repo', 'c:/repo', 'd:repo'])('the drive of %s is not a scheme', (text) => {
    expect(parseLocation(text)).toMatchObject({ kind: 'local' })
  })

  it.each([
    ['sftp:user@host:/path', 'sftp', 'user@host:/path'],
    ['sftp://user@host:22/path', 'sftp', '//user@host:22/path'],
    ['s3:https://host:9000/bucket/prefix', 's3', 'https://host:9000/bucket/prefix'],
    ['S3:host/bucket', 's3', 'host/bucket'],
    ['rest:http://host/', 'rest', 'http://host/'],
    ['rclone:remote:path', 'rclone', 'remote:path'],
  ])('%s is an address', (text, kind, address) => {
    expect(parseLocation(text)).toEqual({ kind, address })
  })

  it.each(['', 'sftp:', 'sft:host:/path', 'https://host/x', 'b2:bucket', 'a\0b'])(
    '%j is refused as USAGE',
    (text) => {
      let error: unknown
      try {
        parseLocation(text)
      } catch (thrown) {
        error = thrown
      }
      expect(hasCode(error, 'USAGE')).toBe(true)
    },
  )

  it('whatever stands after ./ is a path below the working directory', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z0-9:.+-]{1,20}$/), (name) => {
        fc.pre(name !== '.' && name !== '..')
        const location = parseLocation(`./${name}`, '/home/ann')
        expect(location).toEqual({ kind: 'local', path: join('/home/ann', name) })
      }),
    )
  })

  it('a local path is absolute', () => {
    const location = parseLocation('x')
    expect(location.kind === 'local' && isAbsolute(location.path)).toBe(true)
  })
})

describe('openBackend', () => {
  it.each(['sftp:host:/path', 's3:https://host/bucket', 'rest:http://host/', 'rclone:remote:path'])(
    'says that %s is not in this version',
    async (location) => {
      await expectCode(openBackend(location), 'UNSUPPORTED')
    },
  )
})
