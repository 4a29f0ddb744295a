import { serveThread } from '../threads/index.ts'
import type { BatchAnswer, BatchSettings, BatchTask } from './batch.ts'
import { createBatchWriter } from './batch-writer.ts'

serveThread<BatchSettings, BatchTask, BatchAnswer>((settings, { isAborted }) =>
  createBatchWriter(settings, isAborted),
)
