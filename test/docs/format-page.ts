import { readFileSync } from 'node:fs'

/** docs/format.md taken apart: what it says in tables and dumps. */
export const page: string = readFileSync(new URL('../../docs/format.md', import.meta.url), 'utf8')

/** Rows of a table, cells trimmed, without backticks; the row of column names left out. */
export type Rows = readonly (readonly string[])[]

/** The first table after a text that is in the page once. */
export function tableAfter(text: string): Rows {
  const parts = page.split(text)
  if (parts.length !== 2) throw new Error(`the page has ${parts.length - 1} times: ${text}`)
  const lines = parts[1]!.split('\n')
  const from = lines.findIndex((line) => line.startsWith('|'))
  const length = lines.slice(from).findIndex((line) => !line.startsWith('|'))
  return lines.slice(from + 2, from + length).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replace(/^`(.*)`$/, '$1')),
  )
}

/** The first dump after a text that is in the page once. */
export function dumpAfter(text: string): Buffer {
  const [, after, more] = page.split(text)
  if (after === undefined || more !== undefined) throw new Error(`not once in the page: ${text}`)
  const lines = /```text\n([\s\S]*?)```/.exec(after)![1]!.trimEnd().split('\n')
  const parts = lines.map((line) => {
    const [offset, hex] = line.split('  ')
    return { offset: Number.parseInt(offset!, 16), bytes: Buffer.from(hex!, 'hex') }
  })
  const bytes = Buffer.concat(parts.map((part) => part.bytes))
  let at = 0
  for (const part of parts) {
    if (part.offset !== at) throw new Error(`the dump after ${text} has a wrong offset: ${part.offset}`)
    at += part.bytes.length
  }
  return bytes
}

/** A number as the page writes it. */
export function numberOf(text: string): number {
  return Number(text.replaceAll(',', ''))
}

/** One field of a record: what the page says its type is. */
export interface FieldType {
  readonly index: number
  readonly isNullable: boolean
  /** `uint`, `int`, `wide`, `size`, `bool`, `bytes`, `text`, `array`, `record`, or '' for one that depends. */
  readonly name: string
  readonly isExact: boolean
  readonly least: number | undefined
  readonly most: number | undefined
}

const fieldType =
  /^(uint|int|wide|size|bool|bytes|text|array|record)(?: (≤|=|≥) ([\d,]+)| (-?\d+) to (-?\d+))?( or nil)?$/

/** The fields of a record, from the first table after its name. */
export function fieldsOf(text: string): FieldType[] {
  return tableAfter(text).map(([index, type]) => {
    if (type === '')
      return { index: Number(index), isNullable: false, name: '', isExact: false, least: 0, most: 0 }
    const match = fieldType.exec(type!)
    if (match === null) throw new Error(`not a type: ${type}`)
    const [, name, relation, limit, from, to, nullable] = match
    const number = limit === undefined ? undefined : numberOf(limit)
    return {
      index: Number(index),
      isNullable: nullable !== undefined,
      name: name!,
      isExact: relation === '=',
      least: relation === '≥' ? number : from === undefined ? undefined : Number(from),
      most: relation === '≥' ? undefined : (number ?? (to === undefined ? undefined : Number(to))),
    }
  })
}

/** What the program says of a value of another type: its checks name their limits (`Fields`). */
export function complaintOf(field: FieldType): RegExp {
  const { most, least } = field
  switch (field.name) {
    case 'uint':
      return new RegExp(`a number from 0 to ${most}$`)
    case 'int':
      return new RegExp(`a number from ${least} to ${most}$`)
    case 'wide':
      return /a 64-bit number in range$/
    case 'size':
      return /a size$/
    case 'bool':
      return /true or false$/
    case 'bytes':
      return new RegExp(field.isExact ? `not ${most} bytes$` : `at most ${most} bytes$`)
    case 'text':
      return /a text$/
    case 'array':
      return new RegExp(`at most ${most} values$`)
    default:
      return /values$|record$|not \d+$/
  }
}

const limits: ReadonlyMap<string, number> = new Map(
  tableAfter('## Limits').map(([name, value]) => [name!, numberOf(value!)]),
)

export function limitNames(): string[] {
  return [...limits.keys()]
}

/** A number of "Limits". */
export function limitOf(name: string): number {
  const value = limits.get(name)
  if (value === undefined) throw new Error(`the page has no limit ${name}`)
  return value
}
