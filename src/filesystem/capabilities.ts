import { hasDescriptorPaths } from './descriptor-paths.ts'
import { native } from './native.ts'

type Capability = { readonly available: true } | { readonly available: false; readonly reason: string }

/** What this machine can do for files. `docs/metadata.md` says what is lost where one is missing. */
export interface Capabilities {
  readonly xattrs: Capability
  /** Times are set to the nanosecond; else to the microsecond. */
  readonly nanoseconds: Capability
  /** Fifos, devices and sockets can be made. */
  readonly specialFiles: Capability
  readonly holes: Capability
  /** Folders are addressed by descriptor, so that none can be swapped and paths can have any length. */
  readonly heldDirectories: Capability
}

/** Loads the native calls to find out. */
export function capabilities(): Capabilities {
  const loaded = native()
  const calls: Capability = loaded.calls ? { available: true } : { available: false, reason: loaded.reason }
  return {
    xattrs: calls,
    nanoseconds: calls,
    specialFiles: calls,
    holes: calls,
    heldDirectories: hasDescriptorPaths()
      ? { available: true }
      : {
          available: false,
          reason:
            process.platform === 'linux' ? '/proc is not mounted' : `not supported on ${process.platform}`,
        },
  }
}
