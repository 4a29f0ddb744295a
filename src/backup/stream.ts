import { nameBytes, type RawName } from '../encoding/index.ts'
import { HoldfastError } from '../errors/index.ts'
import type { Repository } from '../repository/index.ts'
import { createDirectoryWriter, writeContent } from '../tree/index.ts'
import { runBackup } from './backup.ts'
import { createContentStore } from './content-store.ts'
import type { BackupOptions, BackupResult } from './options.ts'

/**
 * Back up one stream of bytes as a snapshot of one file.
 *
 * @param name of the file in the snapshot's root
 * @param open starts the stream; called again should the run have to begin anew, and may refuse that by throwing
 * @throws HoldfastError FAILED when the stream fails: then no snapshot is made
 */
export async function backupStream(
  repository: Repository,
  name: string,
  open: () => AsyncIterable<Uint8Array>,
  options: BackupOptions = {},
): Promise<BackupResult> {
  if (/^\.{0,2}$|[/\0]/.test(name) || nameBytes(name).length > 255) {
    throw new HoldfastError('USAGE', `${JSON.stringify(name)} cannot be the name of a file`, {
      hint: 'give --stdin-filename one name without a slash',
    })
  }
  const path: RawName = `/${name}`
  return await runBackup(repository, [path], options, async (writer, tally) => {
    const contents = createContentStore(repository, writer, options.signal)
    const content = await contents.store(openStream(open))
    contents.flush()
    const nowNs = BigInt(Date.now()) * 1_000_000n
    const directory = createDirectoryWriter(writer)
    directory.add({
      type: 'file',
      name,
      mode: 0o644,
      uid: process.getuid?.() ?? 0,
      gid: process.getgid?.() ?? 0,
      user: '',
      group: '',
      mtimeNs: nowNs,
      ctimeNs: nowNs,
      atimeNs: null,
      xattrs: [],
      inode: 0n,
      links: 1,
      fileSystem: null,
      sizeBytes: BigInt(content.sizeBytes),
      racy: true,
      holes: [],
      content: writeContent(writer, content.ids),
    })
    tally.countFile(path, 'new', content.sizeBytes)
    return { tree: directory.finish(), isUnchanged: false }
  })
}

/** The stream's own errors as FAILED; those of who takes its pieces are not touched. */
async function* openStream(open: () => AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of open()) yield piece
  } catch (cause) {
    if (cause instanceof HoldfastError) throw cause
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new HoldfastError('FAILED', `the stream broke off: ${message}`, {
      hint: 'no snapshot was made',
      cause,
    })
  }
}
