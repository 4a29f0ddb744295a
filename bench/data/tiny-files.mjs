import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readLines } from './lines.mjs'
import { createRandom } from './random.mjs'

const FILES_PER_FOLDER = 100

/** Text of lines sampled by a generator of numbers, cut at a length. */
export function sampleText(lines, random, sizeBytes) {
  let text = ''
  while (text.length < sizeBytes) text += `${lines[random.below(lines.length)]}\n`
  return text.slice(0, sizeBytes)
}

/**
 * Files of 0 to `maximumBytes` below a new folder, a hundred in each folder, lines sampled by a seed.
 * @param options `{ count, maximumBytes, seed }`
 */
export function makeTinyFiles(folder, { count, maximumBytes = 2000, seed = 'tiny files' }) {
  const [lines, random] = [readLines(), createRandom(seed)]
  for (let made = 0; made < count; made++) {
    const inFolder = made % FILES_PER_FOLDER
    const within = join(folder, String(Math.floor(made / FILES_PER_FOLDER)).padStart(5, '0'))
    if (inFolder === 0) mkdirSync(within, { recursive: true })
    writeFileSync(join(within, `${inFolder}.txt`), sampleText(lines, random, random.below(maximumBytes + 1)))
  }
}

/** One folder with many entries: nine of ten are empty, the others have a line. */
export function makeLargeDirectory(folder, { count }) {
  const [lines, random] = [readLines(), createRandom('large directory')]
  mkdirSync(folder, { recursive: true })
  for (let made = 0; made < count; made++) {
    const text = made % 10 === 0 ? lines[random.below(lines.length)] : ''
    writeFileSync(join(folder, `entry-${String(made).padStart(7, '0')}`), text)
  }
}
