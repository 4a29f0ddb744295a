import {
  type CopyRange,
  createBlockCopier,
  createSlotAllocator,
  openBlockSlots,
} from '../repository/worker.ts'
import { serveThread } from '../threads/index.ts'
import type { CopiedBlock, CopyThreadSettings } from './copies.ts'

// A thread that copies chunks out of blocks.
serveThread<CopyThreadSettings, CopyRange, undefined, CopiedBlock>((settings, { isAborted, emit }) => {
  const copier = createBlockCopier({
    keys: settings.keys,
    compressionLevel: settings.compressionLevel,
    allocate: createSlotAllocator(openBlockSlots(settings.slots), isAborted),
    addBlock: (kind, block) => emit({ kind, block }),
  })
  return {
    run(range) {
      copier.copy(range)
      return undefined
    },
    finish: () => copier.flush(),
  }
})
