/**
 * Tree: directories and chunk lists as content-addressed pages (docs/format.md, "Trees"). Pure: stores and
 * reads through the one-method interfaces TreeSink and TreeSource.
 */
export type { NodeChange } from './compare-nodes.ts'
export { compareNodes, isSameContentRef, isSameMetadata } from './compare-nodes.ts'
export type { ContentRun } from './content.ts'
export { parseContentPage, readContent, rootPage, writeContent } from './content.ts'
export type { DirectoryPage, DirectoryWriter, OpenedPage } from './directory.ts'
export {
  createDirectoryWriter,
  DirectoryPages,
  findInDirectory,
  openDirectoryPage,
  readDirectory,
} from './directory.ts'
export type {
  ContentRef,
  DeviceNode,
  DirectoryNode,
  FileNode,
  Hole,
  InodeFields,
  Node,
  NodeType,
  PipeNode,
  SymlinkNode,
  Xattr,
} from './node.ts'
export { boundedTime, boundedXattrs, MAXIMUM_NAME_BYTES, nodeTypes, nodeValue, parseNode } from './node.ts'
export type { NodePlace } from './node-bytes.ts'
export { nameOfStored, TREE_ID_BYTES, writeNode } from './node-bytes.ts'
export type { Child, TreeSink, TreeSource } from './pages.ts'
export { boundaryHash, splitIds } from './pages.ts'
export type { ReachVisitor } from './reach.ts'
export { visitTree } from './reach.ts'
export type { RewriteRules } from './rewrite.ts'
export { rewriteTree } from './rewrite.ts'
export { StoredNodes } from './stored-nodes.ts'
export type { WalkEntry, WalkOptions } from './walk.ts'
export { findNode, splitPath, TreeWalker, walkTree, walkTreeInBatches } from './walk.ts'
