import { statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { expect, test } from 'vitest'
import { networkFileSystem, refuseNetworkFileSystem } from '../../../src/index/file-systems.ts'

test('file systems whose maps and locks do not hold between machines are told by their numbers', () => {
  for (const type of [0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x65735546]) {
    expect(networkFileSystem(type)).toBeDefined()
  }
  // CIFS as a signed number.
  expect(networkFileSystem(-11_317_950)).toBe('CIFS')
  // ext4, XFS, btrfs, tmpfs, ZFS, overlay.
  for (const type of [0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x2fc12fc1, 0x794c7630]) {
    expect(networkFileSystem(type)).toBeUndefined()
  }
})

test.skipIf(networkFileSystem(statfsSync(tmpdir()).type) !== undefined)(
  'a local directory is accepted',
  () => {
    expect(() => refuseNetworkFileSystem(tmpdir())).not.toThrow()
  },
)
