import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ClientIndex, LmdbIndexOptions } from '../../../src/index/index.ts'
import { openLmdbIndex } from '../../../src/index/index.ts'

export const checkKey: Buffer = Buffer.from('a key of this test alone')

/** A new directory, and the path of an index in it. */
export function temporaryDirectory(): { readonly directory: string; remove(): void } {
  const parent = mkdtempSync(join(tmpdir(), 'holdfast-index-'))
  return {
    directory: join(parent, 'index'),
    remove: () => rmSync(parent, { recursive: true, force: true }),
  }
}

/** Open an index that must not have been damaged, unless notices are asked for. */
export function openIndex(directory: string, options: Partial<LmdbIndexOptions> = {}): Promise<ClientIndex> {
  const onNotice = (message: string) => {
    throw new Error(`unexpected notice: ${message}`)
  }
  return openLmdbIndex({ directory, checkKey, onNotice, ...options })
}
