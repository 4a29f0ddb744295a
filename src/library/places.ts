import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'

/** Folder of all caches: `$XDG_CACHE_HOME/holdfast`. */
export function defaultCacheDirectory(): string {
  return join(baseDirectory('XDG_CACHE_HOME', '.cache'), 'holdfast')
}

/** The embedded default repository: `$XDG_DATA_HOME/holdfast/repository`. */
export function defaultRepositoryLocation(): string {
  return join(baseDirectory('XDG_DATA_HOME', '.local/share'), 'holdfast', 'repository')
}

/** The key file of the embedded default repository: `$XDG_CONFIG_HOME/holdfast/default.key`. */
export function defaultKeyFile(): string {
  return join(baseDirectory('XDG_CONFIG_HOME', '.config'), 'holdfast', 'default.key')
}

/** As the XDG base directory specification has it: relative values are ignored. */
function baseDirectory(variable: string, fallback: string): string {
  const value = process.env[variable]
  return value !== undefined && isAbsolute(value) ? value : join(homedir(), fallback)
}
