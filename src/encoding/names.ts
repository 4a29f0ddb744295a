/**
 * A file name or path as the operating system has it: a string where its bytes are valid UTF-8, else the
 * bytes themselves. Strings are the fast and common case; no name is ever changed on its way in or out.
 */
export type RawName = string | Buffer

/** The bytes of a name. */
export function nameBytes(name: RawName): Buffer {
  return typeof name === 'string' ? Buffer.from(name, 'utf8') : name
}

/** The name for these bytes: a string where they round-trip as UTF-8. Copies where it stays a Buffer. */
export function nameFromBytes(bytes: Uint8Array): RawName {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const text = view.toString('utf8')
  if (!text.includes('\ufffd')) return text
  return Buffer.from(text, 'utf8').equals(view) ? text : Buffer.from(view)
}

/** Order of raw bytes, the order of nodes in a tree: negative, zero or positive. */
export function compareNames(left: RawName, right: RawName): number {
  if (typeof left === 'string' && typeof right === 'string') {
    const least = Math.min(left.length, right.length)
    let at = 0
    while (at < least && left.charCodeAt(at) === right.charCodeAt(at)) at++
    if (at === least) return left.length - right.length
    const [one, other] = [left.charCodeAt(at), right.charCodeAt(at)]
    // UTF-16 order equals UTF-8 order but for surrogates against U+E000..U+FFFF.
    if (one < 0xd800 && other < 0xd800) return one - other
  }
  return Buffer.compare(nameBytes(left), nameBytes(right))
}

/** `directory/name`; a string only when both are. The root is `/`. */
export function joinName(directory: RawName, name: RawName): RawName {
  if (typeof directory === 'string' && typeof name === 'string') {
    return directory.endsWith('/') ? directory + name : `${directory}/${name}`
  }
  const left = nameBytes(directory)
  const slash = left.at(-1) === 0x2f ? Buffer.alloc(0) : Buffer.from('/')
  return Buffer.concat([left, slash, nameBytes(name)])
}

/** Control characters, and those that turn the direction of what follows. */
const STEERING = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

/** Letters, digits and marks of ASCII: most names. */
const PLAIN = /^[ -~]*$/

/**
 * A name for people and JSON: invalid bytes and control characters become `\xNN`, marks that turn the direction
 * of text `\uNNNN`, so that a terminal or a log line cannot be steered by a file's name.
 */
export function displayName(name: RawName): string {
  if (typeof name === 'string') return escapeControl(name)
  let text = ''
  for (let at = 0; at < name.length; ) {
    const length = utf8SequenceLength(name, at)
    if (length === 0) text += `\\x${name[at++]!.toString(16).padStart(2, '0')}`
    else {
      text += escapeControl(name.toString('utf8', at, at + length))
      at += length
    }
  }
  return text
}

function escapeControl(text: string): string {
  if (PLAIN.test(text)) return text
  return text.replace(STEERING, (unit) => {
    const code = unit.charCodeAt(0)
    return code < 0x100
      ? `\\x${code.toString(16).padStart(2, '0')}`
      : `\\u${code.toString(16).padStart(4, '0')}`
  })
}

/** Length in bytes of the valid UTF-8 sequence at this place, or 0. */
function utf8SequenceLength(bytes: Buffer, at: number): number {
  const first = bytes[at]!
  const length =
    first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0
  if (length === 0 || at + length > bytes.length) return 0
  const view = bytes.subarray(at, at + length)
  return Buffer.from(view.toString('utf8'), 'utf8').equals(view) ? length : 0
}
