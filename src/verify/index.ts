/**
 * Verify: structure and data against what they should be (docs/format.md), and which snapshots and paths are
 * touched where they are not. Reads only; removes and repairs nothing in the repository.
 */
export type { NamesOptions, NamesReport } from './names.ts'
export { verifyNames } from './names.ts'
export type {
  FoundProblem,
  Note,
  Problem,
  ProblemKind,
  Subset,
  TouchedSnapshot,
  VerifyCounts,
  VerifyOptions,
  VerifyProgress,
  VerifyReport,
} from './options.ts'
export { verify } from './verify.ts'
