import {
  appendFileSync,
  copyFileSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { createRandom } from './random.mjs'

/**
 * Copy folders, regular files and symbolic links with their times, in name order, until a limit is met.
 * @param options `{ maximumFileBytes, maximumFiles, maximumBytes }`: larger files are left out; at most so many files and
 *   bytes are copied
 * @returns `{ files, bytes }`
 */
export function copyTree(
  from,
  to,
  { maximumFileBytes = Infinity, maximumFiles = Infinity, maximumBytes = Infinity },
) {
  const copied = { files: 0, bytes: 0 }
  const isFull = () => copied.files >= maximumFiles || copied.bytes >= maximumBytes
  const copyFolder = (source, target) => {
    mkdirSync(target, { recursive: true })
    for (const name of readdirSync(source).sort()) {
      if (isFull()) break
      const [path, copy] = [join(source, name), join(target, name)]
      const stats = lstatSync(path)
      if (stats.isDirectory()) copyFolder(path, copy)
      else if (stats.isSymbolicLink()) {
        symlinkSync(readlinkSync(path), copy)
        lutimesSync(copy, stats.atime, stats.mtime)
      } else if (stats.isFile() && stats.size <= maximumFileBytes) {
        copyFileSync(path, copy)
        utimesSync(copy, stats.atime, stats.mtime)
        copied.files++
        copied.bytes += stats.size
      }
    }
    const stats = lstatSync(source)
    utimesSync(target, stats.atime, stats.mtime)
  }
  copyFolder(from, to)
  return copied
}

/** Every regular file below a folder, in name order. */
function listFiles(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}

/** Change a tree in place as a release does: of its files a share is written on, a fifth of that removed, as much new. */
export function ageTree(folder, { share, seed }) {
  const random = createRandom(seed)
  const files = listFiles(folder)
  for (let change = 0; change < Math.max(3, files.length * share); change++) {
    const path = files[random.below(files.length)]
    if (change % 5 === 3) rmSync(path, { force: true })
    else if (change % 5 === 4)
      writeFileSync(`${path}.${seed}`, `${seed} ${path}\n`.repeat(1 + random.below(200)))
    else appendFileSync(path, `${seed} ${change}\n`)
  }
}

/**
 * The folder whose regular files, all that is below it counted, come nearest to a count; of equals the first by name.
 * @returns `{ folder, files, bytes }`
 */
export function findFolderWith(count, root) {
  let best
  const visit = (folder) => {
    const found = { folder, files: 0, bytes: 0 }
    const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
    for (const entry of entries) {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) {
        const below = visit(path)
        found.files += below.files
        found.bytes += below.bytes
      } else if (entry.isFile()) {
        found.files++
        found.bytes += lstatSync(path).size
      }
    }
    if (best === undefined || Math.abs(found.files - count) < Math.abs(best.files - count)) best = found
    return found
  }
  visit(root)
  return best
}

/** What files take, as their lengths add up, all that is below a folder counted. */
export function sizeOf(folder) {
  return listFiles(folder).reduce((total, path) => total + lstatSync(path).size, 0)
}
