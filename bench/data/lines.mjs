import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const PLACES = ['/usr/share/doc', '/usr/share', '/usr/include']
const TEXT_NAME = /(^(copyright|README|NEWS|AUTHORS)|\.(txt|md|html|h))$/
const ENOUGH = 50_000

function* walkFiles(folder) {
  let entries
  try {
    entries = readdirSync(folder, { withFileTypes: true })
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'EACCES') return
    throw error
  }
  entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  for (const entry of entries) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* walkFiles(path)
    else if (entry.isFile()) yield path
  }
}

let read

/** Lines of this machine's documentation, in a fixed order: what made text is sampled from. */
export function readLines() {
  read ??= collectLines()
  return read
}

function collectLines() {
  const lines = new Set()
  for (const place of PLACES) {
    for (const path of walkFiles(place)) {
      if (!TEXT_NAME.test(path.slice(path.lastIndexOf('/') + 1))) continue
      for (const line of readFileSync(path, 'utf8').split('\n')) {
        if (line.length > 8 && line.length < 200) lines.add(line)
      }
      if (lines.size >= ENOUGH) return [...lines]
    }
  }
  if (lines.size === 0) throw new Error(`no text was found in ${PLACES.join(', ')}`)
  return [...lines]
}
