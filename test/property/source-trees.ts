import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { displayName, nameFromBytes } from '../../src/encoding/index.ts'

/** A folder: what is in it by name, as text of one unit a byte. */
export interface Folder {
  readonly [name: string]: Folder | { readonly content: Buffer } | { readonly link: string }
}

/** Bytes that follow from a number and do not compress; the same number gives the start of the same bytes. */
function bytesOf(seed: number, lengthBytes: number): Buffer {
  const parts: Buffer[] = []
  for (let count = 0; count * 64 < lengthBytes; count++)
    parts.push(createHash('sha512').update(`${seed} ${count}`).digest())
  return Buffer.concat(parts).subarray(0, lengthBytes)
}

/** Few different contents, so that they meet again in other places and with other lengths. */
export const anyContent: fc.Arbitrary<Buffer> = fc
  .tuple(fc.nat(4), fc.constantFrom(0, 1, 100, 5000, 70_000, 200_000))
  .map(([seed, lengthBytes]) => bytesOf(seed, lengthBytes))

const anyName = fc.constantFrom('a', 'b', 'c', 'ä', 'long name with spaces', '\xff\xfe', '.hidden', 'x\ny')

/** Small trees with names that are UTF-8 and others. */
export const anyFolder: fc.Arbitrary<Folder> = fc.letrec<{ folder: Folder; entry: Folder[string] }>(
  (tie) => ({
    folder: fc.dictionary(anyName, tie('entry'), { maxKeys: 5 }),
    entry: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      { weight: 5, arbitrary: anyContent.map((content) => ({ content })) },
      { weight: 1, arbitrary: fc.constantFrom('a', '../b', '/nowhere').map((link) => ({ link })) },
      { weight: 2, arbitrary: tie('folder') },
    ),
  }),
).folder

const isContent = (entry: Folder[string]): entry is { readonly content: Buffer } =>
  Buffer.isBuffer((entry as { content?: unknown }).content)
const isLink = (entry: Folder[string]): entry is { readonly link: string } =>
  typeof (entry as { link?: unknown }).link === 'string'

/** Make a directory hold exactly this. */
export function putFolder(directory: string, folder: Folder): void {
  for (const name of readdirSync(directory, { encoding: 'buffer' }))
    rmSync(below(Buffer.from(directory), name), { recursive: true, force: true })
  writeInto(Buffer.from(directory), folder)
}

function writeInto(directory: Buffer, folder: Folder): void {
  for (const [name, entry] of Object.entries(folder)) {
    const path = below(directory, Buffer.from(name, 'latin1'))
    if (isContent(entry)) writeFileSync(path, entry.content)
    else if (isLink(entry)) symlinkSync(entry.link, path)
    else {
      mkdirSync(path)
      writeInto(path, entry)
    }
  }
}

function below(directory: Buffer, name: Uint8Array): Buffer {
  return Buffer.concat([directory, Buffer.from('/'), name])
}

/** What a folder holds, in a form to compare: a line for each name, in no order that matters. */
export function describeFolder(folder: Folder, path = ''): string[] {
  return Object.entries(folder)
    .flatMap(([name, entry]) => {
      const at = join(path, displayName(nameFromBytes(Buffer.from(name, 'latin1'))))
      if (isContent(entry)) return [describeFile(at, entry.content)]
      if (isLink(entry)) return [`${at} -> ${entry.link}`]
      return [`${at}/`, ...describeFolder(entry, at)]
    })
    .sort()
}

export function describeFile(path: string, content: Uint8Array): string {
  return `${path} ${content.length} ${createHash('sha256').update(content).digest('hex').slice(0, 16)}`
}
