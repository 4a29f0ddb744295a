import { readFileSync } from 'node:fs'
import { systemCode } from '../errors/index.ts'
import type { RawName } from '../index.ts'

/**
 * Arguments are bytes; Node turns those that are not UTF-8 into U+FFFD. Here such a byte becomes the lone
 * surrogate U+DC00 + byte (as Python has it), which no valid text holds, so that it survives the parser and
 * `rawName` can turn it back.
 */
const ESCAPE_BASE = 0xdc00
const ESCAPED = /[\udc80-\udcff]/u

/** This process's arguments, after the script's name. Where /proc is missing, invalid bytes are lost. */
export function readArguments(): string[] {
  const decoded = process.argv.slice(2)
  if (!decoded.some((text) => text.includes('\ufffd'))) return decoded
  try {
    return decodeArguments(readFileSync('/proc/self/cmdline'), decoded.length)
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    return decoded
  }
}

/** @param commandLine NUL-terminated arguments @param count how many of the last ones are wanted */
export function decodeArguments(commandLine: Buffer, count: number): string[] {
  const parts: Buffer[] = []
  for (let from = 0; from < commandLine.length; ) {
    const end = commandLine.indexOf(0, from)
    const to = end < 0 ? commandLine.length : end
    parts.push(commandLine.subarray(from, to))
    from = to + 1
  }
  return parts.slice(parts.length - count).map(decode)
}

/** True for text that stands for bytes that are no UTF-8. */
export function isRaw(text: string): boolean {
  return ESCAPED.test(text)
}

/** The name that an argument stands for. */
export function rawName(argument: string): RawName {
  if (!isRaw(argument)) return argument
  return Buffer.concat(
    [...argument].map((unit) => {
      const code = unit.codePointAt(0) ?? 0
      return ESCAPED.test(unit) ? Buffer.of(code - ESCAPE_BASE) : Buffer.from(unit, 'utf8')
    }),
  )
}

function decode(bytes: Buffer): string {
  const text = bytes.toString('utf8')
  if (!text.includes('\ufffd') || Buffer.from(text, 'utf8').equals(bytes)) return text
  let decoded = ''
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at)
    if (length > 0) decoded += bytes.toString('utf8', at, at + length)
    else decoded += String.fromCharCode(ESCAPE_BASE + bytes[at]!)
    at += Math.max(length, 1)
  }
  return decoded
}

/** Bytes of the valid UTF-8 sequence that starts here, or 0. */
function sequenceLength(bytes: Buffer, at: number): number {
  for (let length = 1; length <= 4 && at + length <= bytes.length; length++) {
    const part = bytes.subarray(at, at + length)
    const text = part.toString('utf8')
    if ([...text].length === 1 && Buffer.from(text, 'utf8').equals(part)) return length
  }
  return 0
}
