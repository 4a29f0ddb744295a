import { HoldfastError } from '../../errors/index.ts'
import type { Subset } from '../../index.ts'
import { parseSize } from '../values.ts'

/** Read `2/7`, `10%` or `5G`. @throws HoldfastError USAGE */
export function parseSubset(text: string): Subset {
  const part = /^(\d{1,9})\/(\d{1,9})$/.exec(text)
  if (part !== null) {
    const [number, total] = [Number(part[1]), Number(part[2])]
    if (number >= 1 && number <= total) return { kind: 'part', number, total }
    throw new HoldfastError('USAGE', `${text} is no part of the packs`, {
      hint: 'write n/t with n from 1 to t, such as 2/7',
    })
  }
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(text)?.[1]
  if (percent === undefined) {
    const bytes = parseSize(text)
    if (bytes > 0) return { kind: 'bytes', bytes }
  } else if (Number(percent) > 0 && Number(percent) <= 100) {
    return { kind: 'percent', percent: Number(percent) }
  }
  throw new HoldfastError('USAGE', `${text} of the packs is nothing to read`, {
    hint: 'write n/t, a percentage above 0% up to 100%, or a size such as 5G',
  })
}
