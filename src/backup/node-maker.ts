import { nameBytes, type RawName } from '../encoding/index.ts'
import {
  createFileSystemNumbers,
  createOwnerNames,
  type FileStatus,
  readLink,
  readXattrs,
} from '../filesystem/index.ts'
import {
  boundedTime,
  boundedXattrs,
  type ContentRef,
  type DirectoryNode,
  type FileNode,
  type Hole,
  type InodeFields,
  type Node,
  type Xattr,
} from '../tree/index.ts'

export interface NodeMakerOptions {
  readonly withAtime: boolean
  /** Something about a node that is kept, but not wholly. */
  readonly onWarning: (path: RawName, message: string) => void
}

/** Makes tree nodes of what the file system says. */
export interface NodeMaker {
  file(path: RawName, name: RawName, status: FileStatus, read: FileContent, content: ContentRef): FileNode
  directory(path: RawName, name: RawName, status: FileStatus, tree: DirectoryNode['tree']): DirectoryNode
  /** Everything that is neither; throws the system's errors. */
  other(path: RawName, name: RawName, status: FileStatus): Node
}

interface FileContent {
  readonly sizeBytes: bigint
  readonly xattrs: readonly Xattr[]
  readonly holes: readonly Hole[]
  readonly racy: boolean
}

export function createNodeMaker(options: NodeMakerOptions): NodeMaker {
  const owners = createOwnerNames()
  const fileSystems = createFileSystemNumbers()

  const common = (path: RawName, name: RawName, status: FileStatus, xattrs: readonly Xattr[]) => {
    const kept = boundedXattrs(xattrs)
    if (kept === undefined) options.onWarning(path, 'its extended attributes are too large to be kept')
    const mtimeNs = boundedTime(status.mtimeNs)
    if (mtimeNs !== status.mtimeNs)
      options.onWarning(path, 'its time is beyond those that can be kept: the nearest one is')
    return {
      name,
      mode: status.mode,
      uid: status.uid,
      gid: status.gid,
      user: owners.userName(status.uid),
      group: owners.groupName(status.gid),
      mtimeNs,
      ctimeNs: boundedTime(status.ctimeNs),
      atimeNs: options.withAtime ? boundedTime(status.atimeNs) : null,
      xattrs: kept ?? [],
    }
  }
  const fileSystemOf = (path: RawName, status: FileStatus): bigint | null =>
    status.links > 1 ? fileSystems(status.device, path) : null
  const inode = (path: RawName, status: FileStatus): InodeFields => ({
    inode: status.inode,
    links: status.links,
    fileSystem: fileSystemOf(path, status),
  })
  const xattrsOf = (path: RawName): readonly Xattr[] => {
    const { xattrs, problems } = readXattrs(path)
    for (const problem of problems) options.onWarning(path, problem.message)
    return xattrs
  }

  return {
    file(path, name, status, read, content) {
      const { sizeBytes, holes, racy } = read
      const fields = common(path, name, status, read.xattrs)
      // Without spreading: this is done for every file, and would take longer than all else here.
      return {
        type: 'file',
        name,
        mode: fields.mode,
        uid: fields.uid,
        gid: fields.gid,
        user: fields.user,
        group: fields.group,
        mtimeNs: fields.mtimeNs,
        ctimeNs: fields.ctimeNs,
        atimeNs: fields.atimeNs,
        xattrs: fields.xattrs,
        inode: status.inode,
        links: status.links,
        fileSystem: fileSystemOf(path, status),
        sizeBytes,
        racy,
        holes,
        content,
      }
    },
    directory(path, name, status, tree) {
      return { type: 'directory', ...common(path, name, status, xattrsOf(path)), tree }
    },
    other(path, name, status) {
      const fields = { ...common(path, name, status, xattrsOf(path)), ...inode(path, status) }
      switch (status.type) {
        case 'symlink':
          return { type: 'symlink', ...fields, target: nameBytes(readLink(path)) }
        case 'character':
        case 'block':
          return { type: status.type, ...fields, major: status.major, minor: status.minor }
        case 'fifo':
        case 'socket':
          return { type: status.type, ...fields }
        default:
          throw new Error(`a ${status.type} is not made here`)
      }
    },
  }
}
