import { createHash } from 'node:crypto'

/** A set of byte strings that keeps 16 bytes of hash of each: about 32 bytes a member. */
export interface FingerprintSet {
  /** @returns true when it was not in the set */
  add(...parts: readonly Uint8Array[]): boolean
}

const FINGERPRINT_WORDS = 4
const FIRST_SLOTS = 1024

export function createFingerprintSet(): FingerprintSet {
  let slots = FIRST_SLOTS
  let words = new Uint32Array(slots * FINGERPRINT_WORDS)
  let count = 0

  /** The slot that holds the fingerprint at `at` of `source`, or the empty one where it belongs. */
  const slotOf = (source: Uint32Array, at: number): number => {
    for (let slot = source[at]! & (slots - 1); ; slot = (slot + 1) & (slots - 1)) {
      const place = slot * FINGERPRINT_WORDS
      const isSame =
        words[place] === source[at] &&
        words[place + 1] === source[at + 1] &&
        words[place + 2] === source[at + 2] &&
        words[place + 3] === source[at + 3]
      if (isSame || isEmpty(words, place)) return place
    }
  }
  const grow = () => {
    const old = words
    slots *= 2
    words = new Uint32Array(slots * FINGERPRINT_WORDS)
    for (let at = 0; at < old.length; at += FINGERPRINT_WORDS) {
      if (!isEmpty(old, at)) words.set(old.subarray(at, at + FINGERPRINT_WORDS), slotOf(old, at))
    }
  }

  return {
    add(...parts) {
      const hash = createHash('sha256')
      for (const part of parts) hash.update(part)
      const fingerprint = new Uint32Array(new Uint8Array(hash.digest()).buffer, 0, FINGERPRINT_WORDS)
      const place = slotOf(fingerprint, 0)
      if (!isEmpty(words, place)) return false
      words.set(fingerprint, place)
      if (++count * 2 > slots) grow()
      return true
    },
  }
}

/** No hash is taken for an empty slot: that its first 16 bytes are all zero does not happen. */
function isEmpty(words: Uint32Array, at: number): boolean {
  return (words[at]! | words[at + 1]! | words[at + 2]! | words[at + 3]!) === 0
}
