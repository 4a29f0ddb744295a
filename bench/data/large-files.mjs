import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { readLines } from './lines.mjs'
import { createNoise, createRandom } from './random.mjs'
import { sampleText } from './tiny-files.mjs'

const MIB = 1024 * 1024
const PAGE_BYTES = 4096
const HEADER_BYTES = 64

/** A file that nothing compresses. */
export function makeRandomFile(path, sizeBytes) {
  const noise = createNoise('random file')
  const file = openSync(path, 'wx')
  for (let done = 0; done < sizeBytes; done += MIB) writeSync(file, noise(Math.min(MIB, sizeBytes - done)))
  closeSync(file)
}

/** Pages as a database or file system has them: a header of its own, then rows, then free space. */
function createPages(seed) {
  const [lines, random, noise] = [readLines(), createRandom(seed), createNoise(seed)]
  return () => {
    const page = Buffer.alloc(PAGE_BYTES)
    noise(HEADER_BYTES).copy(page)
    page.write(sampleText(lines, random, 2000 + random.below(2000)), HEADER_BYTES, 'latin1')
    return page
  }
}

/**
 * A disk image: of its MiB four in ten are holes, one is written zeros, one is noise, the others are structured pages.
 * Its size is a multiple of 1 MiB.
 */
export function makeImage(path, sizeBytes) {
  const [random, noise, nextPage] = [createRandom('image'), createNoise('image'), createPages('image pages')]
  const zeros = Buffer.alloc(MIB)
  const file = openSync(path, 'wx')
  ftruncateSync(file, sizeBytes)
  for (let offset = 0; offset < sizeBytes; offset += MIB) {
    const kind = random.below(10)
    if (kind < 4) continue
    if (kind === 4) writeSync(file, zeros, 0, MIB, offset)
    else if (kind === 5) writeSync(file, noise(MIB), 0, MIB, offset)
    else writeSync(file, Buffer.concat(Array.from({ length: MIB / PAGE_BYTES }, nextPage)), 0, MIB, offset)
  }
  closeSync(file)
}

/** Write new structured pages over some of the image's pages, each chosen with the same chance. */
export function changeImage(path, sizeBytes, { share, seed }) {
  const [random, nextPage] = [createRandom(seed), createPages(`${seed} pages`)]
  const pages = sizeBytes / PAGE_BYTES
  const file = openSync(path, 'r+')
  const chosen = new Set()
  while (chosen.size < Math.round(pages * share)) chosen.add(random.below(pages))
  for (const page of chosen) writeSync(file, nextPage(), 0, PAGE_BYTES, page * PAGE_BYTES)
  closeSync(file)
}
