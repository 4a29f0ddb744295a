// The cutter in AssemblyScript: the same cuts as plain-cutter.ts, whose comments hold here too. It has no data
// and allocates nothing: the memory is the caller's, with the table of 256 u32 at address 0.

const TABLE: usize = 0

/**
 * Write the ends of the chunks in [window, window + filled) to `ends`, as offsets from `window`; returns how
 * many. There must be room for filled / minimum + 1 of them.
 */
export function cut(
  window: usize,
  ends: usize,
  filled: u32,
  last: bool,
  minimum: u32,
  normal: u32,
  maximum: u32,
  strictLimit: u32,
  looseLimit: u32,
): u32 {
  let count: u32 = 0
  let start: u32 = 0
  while (start < filled) {
    const left = filled - start
    const reach = min(left, maximum)
    const turn = min(reach, normal)
    const base = window + start
    let end: usize = 0
    if (reach > minimum) {
      end = scan(base + minimum - 1, base + turn, strictLimit)
      if (!end) end = scan(base + turn, base + reach, looseLimit)
    }
    if (end) start = <u32>(end - window)
    else if (left >= maximum) start += maximum
    else if (last) start = filled
    else break
    store<u32>(ends + (count << 2), start)
    count++
  }
  return count
}

// Eight steps a turn: the loop's own work is then small beside the two loads a byte needs.
function scan(from: usize, to: usize, limit: u32): usize {
  let hash: u32 = 0
  for (let at = from - 31; at < from; at++) hash = step(hash, load<u8>(at))
  let at = from
  for (; at + 8 <= to; at += 8) {
    hash = step(hash, load<u8>(at))
    if (hash < limit) return at + 1
    hash = step(hash, load<u8>(at, 1))
    if (hash < limit) return at + 2
    hash = step(hash, load<u8>(at, 2))
    if (hash < limit) return at + 3
    hash = step(hash, load<u8>(at, 3))
    if (hash < limit) return at + 4
    hash = step(hash, load<u8>(at, 4))
    if (hash < limit) return at + 5
    hash = step(hash, load<u8>(at, 5))
    if (hash < limit) return at + 6
    hash = step(hash, load<u8>(at, 6))
    if (hash < limit) return at + 7
    hash = step(hash, load<u8>(at, 7))
    if (hash < limit) return at + 8
  }
  for (; at < to; at++) {
    hash = step(hash, load<u8>(at))
    if (hash < limit) return at + 1
  }
  return 0
}

// @ts-ignore: a decorator of AssemblyScript
@inline
function step(hash: u32, byte: u8): u32 {
  return (hash << 1) + load<u32>(<usize>byte << 2, TABLE)
}
