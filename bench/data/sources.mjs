import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { makeImage, makeRandomFile } from './large-files.mjs'
import { makeLargeDirectory, makeTinyFiles } from './tiny-files.mjs'
import { ageTree, copyTree } from './trees.mjs'

const SYSTEM_TREES = ['/usr/share', '/usr/lib']
const MAXIMUM_FILE_BYTES = 16 * 1024 * 1024

/** Each function gives the path of data that the workshop makes once. */

/** Copies of /usr/share and /usr/lib without files over 16 MiB. */
export function systemTrees(workshop) {
  return workshop.once('system trees', (place) => copySystemTrees(workshop, place))
}

function copySystemTrees({ amounts }, place) {
  for (const tree of SYSTEM_TREES.filter((path) => existsSync(path))) {
    copyTree(tree, join(place, tree), {
      maximumFileBytes: MAXIMUM_FILE_BYTES,
      maximumFiles: amounts.treeFiles,
      maximumBytes: amounts.treeBytes,
    })
  }
  return place
}

/** A copy of the system trees for questions that change it; the second release of it is made with `ageTree`. */
export function changingTrees(workshop, name) {
  return workshop.once(name, (place) => copySystemTrees(workshop, place))
}

export function tinyFiles(workshop) {
  return workshop.once('tiny files', (place) => {
    makeTinyFiles(place, { count: workshop.amounts.tinyFiles })
    return place
  })
}

/** Files of at most 500 bytes, as many as `count` says. */
export function growingFiles(workshop, count) {
  return workshop.once(`growing files: ${count}`, (place) => {
    makeTinyFiles(place, { count, maximumBytes: 500, seed: 'growing files' })
    return place
  })
}

export function largeDirectory(workshop) {
  return workshop.once('large directory', (place) => {
    makeLargeDirectory(place, { count: workshop.amounts.directoryEntries })
    return place
  })
}

export function randomFile(workshop) {
  return workshop.once('random file', (place) => {
    mkdirSync(place)
    makeRandomFile(join(place, 'random'), workshop.amounts.largeFileBytes)
    return place
  })
}

/** @returns the folder; the image in it is `image`, as large as the scale's large files */
export function image(workshop) {
  return workshop.once('disk image', (place) => {
    mkdirSync(place)
    makeImage(join(place, 'image'), workshop.amounts.largeFileBytes)
    return place
  })
}

export function nodeModules(workshop) {
  return workshop.once('node_modules', (place) => {
    copyTree(workshop.nodeModules, place, {
      maximumFiles: workshop.amounts.treeFiles,
      maximumBytes: workshop.amounts.treeBytes,
    })
    return place
  })
}

/**
 * The versions of a package, each a folder, oldest first. Where no history was given, made ones take its place: the system
 * trees, changed in 5 % of their files from version to version.
 * @returns `{ place, versions }`: a version is moved to `place` to be backed up there
 */
export function history(workshop, folder) {
  return workshop.once(`history: ${basename(folder)}`, (root) => {
    mkdirSync(root)
    const place = join(root, 'package')
    if (folder !== MADE) return { place, versions: copyVersions(folder, root) }
    const versions = [1, 2, 3].map((version) => join(root, `version-${version}`))
    versions.forEach((version, at) => {
      if (at === 0) copySystemTrees(workshop, version)
      else copyTree(versions[at - 1], version, {})
      if (at > 0) ageTree(version, { share: 0.05, seed: `version ${at}` })
    })
    return { place, versions }
  })
}

/** In place of a history's folder. */
export const MADE = 'made'

function copyVersions(folder, root) {
  const byNumber = new Intl.Collator('en', { numeric: true })
  return readdirSync(folder)
    .sort(byNumber.compare)
    .map((name) => {
      copyTree(join(folder, name), join(root, name), {})
      return join(root, name)
    })
}
