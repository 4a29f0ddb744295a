/**
 * File system: everything on the side of the user's data. Reading it for a backup (names, status, extended
 * attributes, holes, owners, what is left out) and writing it for a restore (held folders, new nodes, metadata).
 * docs/metadata.md lists what is kept. Calls are synchronous, which is the faster way in worker threads.
 *
 * Knows nothing of repositories: durable writing of their files belongs to the backend. What Node lacks comes
 * from libc through the optional package koffi, loaded when first needed; `capabilities` says what is missing.
 */
export { capabilities } from './capabilities.ts'
export type { SpecialType } from './create.ts'
export { createFile, createHardLink, createSpecialFile, createSymlink } from './create.ts'
export { descriptorLimit } from './descriptor-limit.ts'
export type { NameKey } from './directory.ts'
export { nameOfKey, readNameBatches, readNameKeys, readNames } from './directory.ts'
export { createExcluder, parseExcludeFile } from './excludes.ts'
export type { FolderAddress } from './folder-address.ts'
export { closeIn, createFileIn, openFileIn, removeIn, renameIn } from './folder-address.ts'
export type { HeldDirectory } from './held-directory.ts'
export { holdDirectory } from './held-directory.ts'
export type { Hole } from './holes.ts'
export { findHoles } from './holes.ts'
export { makeDirectories } from './make-directories.ts'
export type { Marker } from './markers.ts'
export { cacheDirectoryMarker, hasMarker, parseMarker } from './markers.ts'
export type { ApplyOptions, FileMetadata, Metadata, Owner } from './metadata.ts'
export { applyMetadata, applyToNewFile, ownerOf } from './metadata.ts'
export { createFileSystemNumbers, fileSystemType } from './mounts.ts'
export { checkName } from './names.ts'
export type { OwnerNames } from './owners.ts'
export { createOwnerNames } from './owners.ts'
export type { Problem } from './problem.ts'
export { fillFrom, openForReading, readLink, readSmallFile } from './reading.ts'
export type { FileStatus, FileType } from './status.ts'
export { readStatus, statusOf } from './status.ts'
export { clockTime } from './times.ts'
export type { Xattr } from './xattrs.ts'
export { givesAcl, readXattrs } from './xattrs.ts'
