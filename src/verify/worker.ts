import {
  type BlockCheckKeys,
  type BlockFindings,
  type BlockRange,
  createBlockChecker,
} from '../repository/worker.ts'
import { serveThread } from '../threads/index.ts'

// A thread that checks blocks.
serveThread<BlockCheckKeys, BlockRange, BlockFindings>((keys) => ({ run: createBlockChecker(keys) }))
