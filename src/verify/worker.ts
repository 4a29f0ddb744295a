import {
  type BlockFindings,
  type BlockKeys,
  type BlockRange,
  createBlockChecker,
} from '../repository/worker.ts'
import { serveThread } from '../threads/index.ts'

// A thread that checks blocks.
serveThread<BlockKeys, BlockRange, BlockFindings>((keys) => ({ run: createBlockChecker(keys) }))
