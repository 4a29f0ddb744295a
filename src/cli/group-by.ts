import { HoldfastError } from '../errors/index.ts'
import type { GroupKey } from '../index.ts'

const keys: Readonly<Record<string, GroupKey>> = {
  host: 'host',
  hosts: 'host',
  path: 'paths',
  paths: 'paths',
  tag: 'tags',
  tags: 'tags',
}

/** Read `host,paths,tags`; an empty text groups by nothing. @throws HoldfastError USAGE */
export function parseGroupBy(text: string): readonly GroupKey[] {
  const words = text.split(',').map((word) => word.trim())
  return words
    .filter((word) => word !== '')
    .map((word) => {
      const key = keys[word]
      if (key !== undefined) return key
      throw new HoldfastError('USAGE', `cannot group by ${JSON.stringify(word)}`, {
        hint: 'write host, paths or tags, with commas between them',
      })
    })
}
