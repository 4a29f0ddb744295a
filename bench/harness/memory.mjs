import { readdirSync, readFileSync } from 'node:fs'

const SAMPLE_EVERY_MS = 20

/** A file of /proc; undefined when the process has ended. */
function readProcess(path) {
  try {
    return readFileSync(`/proc/${path}`, 'latin1')
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return undefined
    throw error
  }
}

/** The processes that a process has started and that live; a child may be of any of its threads. */
function childrenOf(pid) {
  let threads
  try {
    threads = readdirSync(`/proc/${pid}/task`)
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return []
    throw error
  }
  return threads
    .map((thread) => readProcess(`${pid}/task/${thread}/children`) ?? '')
    .flatMap((text) => text.split(' ').filter((child) => child !== ''))
}

function descendantsOf(pid) {
  return childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)])
}

function kibibytes(status, name) {
  return Number(status.match(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm'))?.[1] ?? 0)
}

/**
 * Sample the memory of everything a process has started, itself not counted.
 * @returns stops the sampling and gives the peaks of the sums, in bytes: anonymous memory, and pages that a file is
 *   behind (programs, shared memory, LMDB's map), which the system may take back
 */
export function sampleMemory(pid) {
  let [anonymousKib, fileKib] = [0, 0]
  const sample = () => {
    let [anonymous, file] = [0, 0]
    for (const descendant of descendantsOf(pid)) {
      const status = readProcess(`${descendant}/status`) ?? ''
      anonymous += kibibytes(status, 'RssAnon')
      file += kibibytes(status, 'RssFile') + kibibytes(status, 'RssShmem')
    }
    anonymousKib = Math.max(anonymousKib, anonymous)
    fileKib = Math.max(fileKib, file)
  }
  const timer = setInterval(sample, SAMPLE_EVERY_MS)
  return () => {
    clearInterval(timer)
    return { anonymousBytes: anonymousKib * 1024, fileBytes: fileKib * 1024 }
  }
}
