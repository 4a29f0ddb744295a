import { statfsSync } from 'node:fs'
import { HoldfastError } from '../errors/index.ts'

/** Linux's magic numbers of file systems on which shared memory maps and locks do not hold between machines. */
const networkFileSystems: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB'],
  [0x65735546, 'FUSE'],
  [0x01021997, '9P'],
  [0x00c36400, 'Ceph'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'AFS'],
  [0x73757245, 'Coda'],
])

/** Name of the network file system with this number of statfs(2), else undefined. FUSE counts: sshfs is one. */
export function networkFileSystem(type: number): string | undefined {
  return networkFileSystems.get(type >>> 0)
}

/** @throws HoldfastError UNSUPPORTED when the directory, which exists, is on a network file system */
export function refuseNetworkFileSystem(directory: string): void {
  if (process.platform !== 'linux') return
  const name = networkFileSystem(statfsSync(directory).type)
  if (name === undefined) return
  throw new HoldfastError('UNSUPPORTED', `the local index cannot be kept on ${name}: ${directory}`, {
    hint: 'choose a directory on a local disk with --cache-dir, or use --no-cache',
  })
}
