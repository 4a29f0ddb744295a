import { createMemoryIndex } from '../../../src/index/index.ts'
import { clientIndexContract } from '../../contract/client-index-contract.ts'

clientIndexContract('memory', async () => {
  const index = createMemoryIndex()
  return { index, close: () => index.close() }
})
