// Opens an index at a given moment, says which files it holds open, and ends with its standard input.
//
// node begin-run.mjs <directory> <key> <ms since 1970>
import { fstatSync, readdirSync, readlinkSync } from 'node:fs'
import { openLmdbIndex } from '../../../dist/index/index.js'

const [directory, key, at] = process.argv.slice(2)
const notices = []
while (Date.now() < Number(at));
await openLmdbIndex({ directory, checkKey: Buffer.from(key), onNotice: (message) => notices.push(message) })
const held = {}
for (const fd of readdirSync('/proc/self/fd')) {
  try {
    const path = readlinkSync(`/proc/self/fd/${fd}`)
    const name = /(data|lock)\.mdb/.exec(path)?.[1]
    if (name !== undefined)
      held[name] = `${fstatSync(Number(fd)).ino}${path.endsWith(' (deleted)') ? ', deleted' : ''}`
  } catch {
    // The one that the list was read by.
  }
}
console.log(JSON.stringify({ held, notices }))
process.stdin.resume().on('end', () => process.exit(0))
