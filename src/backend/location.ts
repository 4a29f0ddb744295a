import { resolve } from 'node:path'
import { HoldfastError } from '../errors/index.ts'

const remoteKinds = ['sftp', 's3', 'rest', 'rclone'] as const

type RemoteKind = (typeof remoteKinds)[number]

/** What `--repo` names: an absolute path, or the address after the scheme of a remote one. */
export type Location =
  | { readonly kind: 'local'; readonly path: string }
  | { readonly kind: RemoteKind; readonly address: string }

/**
 * Read a repository's location (docs/cli.md, `--repo`). A path is resolved against `directory`, by default the
 * working directory. One letter before a colon is a Windows drive, not a scheme; so is no scheme what stands
 * after a slash (`./a:b`).
 * @throws USAGE when it is empty, or begins with a scheme that is not known: a typing error does not become a
 * directory of that name.
 */
export function parseLocation(text: string, directory: string = process.cwd()): Location {
  if (text === '') throw new HoldfastError('USAGE', 'the location of the repository is empty')
  if (text.includes('\0')) throw new HoldfastError('USAGE', 'the location of the repository holds a NUL byte')
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(text)?.[1]
  if (scheme === undefined) return { kind: 'local', path: resolve(directory, text) }
  const kind = remoteKinds.find((known) => known === scheme.toLowerCase())
  if (kind === undefined) {
    throw new HoldfastError('USAGE', `${scheme}: is not a kind of repository`, {
      hint: `use one of ${remoteKinds.map((known) => `${known}:`).join(', ')} or a path; a local path with a colon in its first part is written ./${scheme}:…`,
    })
  }
  const address = text.slice(scheme.length + 1)
  if (address === '') throw new HoldfastError('USAGE', `the address after ${kind}: is empty`)
  return { kind, address }
}
