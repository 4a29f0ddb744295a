/**
 * Holdfast as a library: open or create a repository, back up, list, restore, verify, forget, prune.
 * Every long call takes an AbortSignal and reports progress. docs/library.md has a worked example.
 */
export { openBackend } from './backend/index.ts'
export type {
  BackupExcludes,
  BackupItem,
  BackupOptions,
  BackupProblem,
  BackupProgress,
  BackupResult,
} from './backup/index.ts'
export { backup, backupStream, endPreparation, prepareBackup } from './backup/index.ts'
export type { BenchOptions, BenchProgress, Measurement } from './bench/index.ts'
export { measurePrimitives, measureRoundTrip } from './bench/index.ts'
export type { CopiedSnapshot, CopyOptions, CopyProgress } from './copy/index.ts'
export { copySnapshots } from './copy/index.ts'
export type { Secret } from './crypto/index.ts'
export type {
  Change,
  DiffOptions,
  DiffPlace,
  DiffResult,
  DiffTotals,
  LiveDiffOptions,
} from './diff/index.ts'
export { diff, diffLive } from './diff/index.ts'
export type { ChunkId, FileId, RawName, SessionId } from './encoding/index.ts'
export {
  chunkId,
  compareNames,
  displayName,
  fromHex,
  joinName,
  nameBytes,
  nameFromBytes,
  parseFileId,
  toHex,
} from './encoding/index.ts'
export type { ErrorCode } from './errors/index.ts'
export { DamagedError, exitCodes, HoldfastError } from './errors/index.ts'
export type { Marker } from './filesystem/index.ts'
export { capabilities, parseExcludeFile, parseMarker, readSmallFile } from './filesystem/index.ts'
export type {
  FindConditions,
  FindOptions,
  FoundEntries,
  HistoryOptions,
  PathVersion,
} from './find/index.ts'
export { compileGlob, find, history } from './find/index.ts'
export type {
  Duration,
  ForgetGroup,
  ForgetOptions,
  GroupKey,
  KeepPolicy,
  KeptSnapshot,
  RemovedSnapshots,
} from './forget/index.ts'
export {
  formatDuration,
  groupSnapshots,
  isEmptyPolicy,
  parseDuration,
  parseKeepCount,
  planForget,
  removeSnapshots,
  UNLIMITED,
} from './forget/index.ts'
export type { CreateOptions, ListOptions, OpenOptions } from './library/index.ts'
export {
  createKeyFile,
  createRepository,
  defaultCacheDirectory,
  defaultKeyFile,
  defaultRepositoryLocation,
  formatKeyText,
  listNodes,
  listNodesInBatches,
  listPathLines,
  openRepository,
  readKeyFile,
  resolvePath,
} from './library/index.ts'
export type { PruneOptions, PrunePlan, PruneProgress, PruneResult, WaitingFor } from './prune/index.ts'
export { prune } from './prune/index.ts'
export type {
  RepairConfigResult,
  RepairedPack,
  RepairedSnapshot,
  RepairIndexOptions,
  RepairIndexResult,
  RepairPacksOptions,
  RepairSnapshotsOptions,
} from './repair/index.ts'
export { repairConfig, repairIndex, repairPacks, repairSnapshots } from './repair/index.ts'
export type {
  AddKeyOptions,
  KeySummary,
  NamedFile,
  NamedKind,
  PackContent,
  Repository,
  StoredPack,
} from './repository/index.ts'
export {
  addKey,
  listFiles,
  listKeys,
  listPacks,
  listSessions,
  PROGRAM_VERSION,
  packPlaces,
  parseIndexFile,
  readSession,
  removeKey,
  replaceKey,
} from './repository/index.ts'
export type {
  DumpOptions,
  OverwriteRule,
  RestoreAction,
  RestoreItem,
  RestoreOptions,
  RestoreProblem,
  RestoreProgress,
  RestoreResult,
} from './restore/index.ts'
export { dumpFile, restore } from './restore/index.ts'
export type {
  ChooseOptions,
  GitState,
  ListedSnapshot,
  Snapshot,
  SnapshotArgument,
  SnapshotFilter,
  SnapshotList,
  SnapshotSummary,
} from './snapshot/index.ts'
export {
  chooseSnapshot,
  formatTimeWithOffset,
  listSnapshots,
  machineOffsetMinutes,
  matchesFilter,
  parseSnapshotArgument,
  parseTime,
} from './snapshot/index.ts'
export type { Stats, StatsMode, StatsOptions } from './stats/index.ts'
export { stats } from './stats/index.ts'
export type { FileNode, Node, WalkEntry } from './tree/index.ts'
export { walkTree } from './tree/index.ts'
export type {
  FoundProblem,
  NamesOptions,
  NamesReport,
  Note,
  Problem,
  ProblemKind,
  Subset,
  TouchedSnapshot,
  VerifyCounts,
  VerifyProgress,
  VerifyReport,
} from './verify/index.ts'
export { verify, verifyNames } from './verify/index.ts'
