import { HoldfastError } from '../errors/index.ts'

const BINARY_STEPS = ['', 'k', 'm', 'g', 't']

/** Read a size: `4096`, `64K`, `1.5G`, `32 MiB`; units count by 1024. @returns bytes @throws USAGE */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?) ?([kmgt]?)(?:i?b)?$/i.exec(text.trim())
  const sizeBytes = Number(match?.[1]) * 1024 ** BINARY_STEPS.indexOf(match?.[2]?.toLowerCase() ?? '')
  if (match !== null && Number.isSafeInteger(Math.round(sizeBytes))) return Math.round(sizeBytes)
  throw new HoldfastError('USAGE', `cannot read ${JSON.stringify(text)} as a size`, {
    hint: 'write bytes, or a number with K, M, G or T, such as 512K or 1.5G',
  })
}

/** Read a whole number from `least` up to `most`. @throws USAGE */
export function parseWholeNumber(text: string, least: number = 0, most: number = 999_999_999): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : -1
  if (value >= least && value <= most) return value
  const range = most === 999_999_999 ? `${least} up` : `${least} to ${most}`
  throw new HoldfastError('USAGE', `cannot read ${JSON.stringify(text)} as a number`, {
    hint: `write a whole number from ${range}`,
  })
}

/** For options that may be given several times: `.option(flags, text, collect)`. */
export function collect(value: string, values: readonly string[] = []): readonly string[] {
  return [...values, value]
}
