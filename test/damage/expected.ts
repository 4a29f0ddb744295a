import { join } from 'node:path'
import { HoldfastError } from '../../src/errors/index.ts'
import { fileName, overName, sessionName } from '../../src/repository/index.ts'
import { type VerifyOptions, type VerifyReport, verify } from '../../src/verify/index.ts'
import { openShelf, type Shelf } from './shelf.ts'

/** What a report says of one file, as tests compare it: paths by the number of the run whose snapshot it is. */
export interface Finding {
  readonly kind: string
  readonly isNeeded: boolean | undefined
  readonly touched: Readonly<Record<number, readonly string[]>>
}

export type Findings = Readonly<Record<string, Finding>>

/** Everything that is lost with a file of the shelf, were every byte of it lost. */
export interface Loss {
  readonly name: string
  readonly isNeeded: boolean | undefined
  readonly touched: Readonly<Record<number, readonly string[]>>
}

/** Paths of the shelf's snapshots. */
export function shelfPaths(shelf: Shelf): Record<'one' | 'two' | 'three' | 'steady' | 'deep', string> {
  const at = (...parts: string[]): string => join(shelf.source, ...parts)
  return {
    one: at('one.bin'),
    two: at('two.bin'),
    three: at('three.bin'),
    steady: at('deep', 'steady.bin'),
    deep: at('deep'),
  }
}

/** The data packs of the shelf, by run, with what is lost with each. */
export function dataLosses(shelf: Shelf): Loss[] {
  const { one, two, three, steady } = shelfPaths(shelf)
  const touched = [
    { 0: [steady, one], 1: [steady, one], 2: [steady, one] },
    { 1: [two] },
    { 2: [three] },
    {},
    {},
  ]
  return shelf.runs.map(({ dataPack }, run) => ({
    name: fileName('data', dataPack),
    isNeeded: run < 3,
    touched: touched[run]!,
  }))
}

/** The tree packs, likewise. The folder and the long chunk list that never change are stored by the first run alone. */
export function treeLosses(shelf: Shelf): Loss[] {
  const { deep, one } = shelfPaths(shelf)
  const touched = [{ 0: ['/'], 1: [deep, one], 2: [deep, one] }, { 1: ['/'] }, { 2: ['/'] }, {}, {}]
  return shelf.runs.map(({ treePack }, run) => ({
    name: fileName('tree', treePack),
    isNeeded: run < 3,
    touched: touched[run]!,
  }))
}

/** The index files, likewise: each lists one data and one tree pack. */
export function indexLosses(shelf: Shelf): Loss[] {
  const { one, deep } = shelfPaths(shelf)
  const touched = [{ 0: ['/'], 1: [deep, one], 2: [deep, one] }, { 1: ['/'] }, { 2: ['/'] }, {}, {}]
  return shelf.runs.map(({ indexFile }, run) => ({
    name: fileName('index', indexFile),
    isNeeded: run < 3,
    touched: touched[run]!,
  }))
}

export function snapshotLosses(shelf: Shelf): Loss[] {
  return shelf.runs.slice(0, 3).map(({ snapshot }, run) => ({
    name: fileName('snapshot', snapshot),
    isNeeded: true,
    touched: { [run]: ['/'] },
  }))
}

/** Files with which no part of a snapshot can be lost, by kind; two or more of each but the config. */
export function plainFiles(shelf: Shelf): Record<'session' | 'over' | 'pending' | 'settings', string[]> {
  return {
    session: shelf.sessions.map(sessionName),
    over: shelf.over.map(overName),
    pending: shelf.pending.map((id) => fileName('pending', id)),
    settings: shelf.settings.map((id) => fileName('settings', id)),
  }
}

/** A file that is wrong, with all that is lost with it. */
export function wholly(kind: string, { name, isNeeded, touched }: Loss): Findings {
  return { [name]: { kind, isNeeded, touched } }
}

/** Two files that are wrong: what is below a lost root is not seen, so nothing more is said of that snapshot. */
export function bothWholly(kind: string, left: Loss, right: Loss): Findings {
  const seen = (loss: Loss, other: Loss): Loss => {
    const touched = Object.entries(loss.touched).filter(
      ([run, paths]) => paths[0] === '/' || other.touched[Number(run)]?.[0] !== '/',
    )
    const isUnknown = !loss.isNeeded && Object.values(other.touched).some((paths) => paths[0] === '/')
    return { ...loss, isNeeded: isUnknown ? undefined : loss.isNeeded, touched: Object.fromEntries(touched) }
  }
  return { ...wholly(kind, seen(left, right)), ...wholly(kind, seen(right, left)) }
}

/** A file that is wrong, though nothing is lost with it. */
export function harmlessly(kind: string, name: string, isNeeded: boolean | undefined): Findings {
  return { [name]: { kind, isNeeded, touched: {} } }
}

/** Open the shelf's repository, verify it, close it. */
export async function verifyShelf(shelf: Shelf, options: VerifyOptions = {}): Promise<VerifyReport> {
  const repository = await openShelf(shelf)
  try {
    return await verify(repository, options)
  } finally {
    await repository.close()
  }
}

export function findingsOf(shelf: Shelf, report: VerifyReport): Findings {
  const findings: Record<string, Finding> = {}
  for (const { file, kind, isNeeded, snapshots } of report.problems) {
    const touched: Record<number, readonly string[]> = {}
    for (const { id, paths } of snapshots) {
      touched[shelf.runs.findIndex((run) => run.snapshot === id)] = paths.map(String)
    }
    findings[file] = { kind, isNeeded, touched }
  }
  return findings
}

export function detailsOf(report: VerifyReport, file: string): readonly string[] {
  return report.problems.find((problem) => problem.file === file)?.details ?? []
}

/** The error that a promise rejects with, when it is one for users. */
export async function rejection(promise: Promise<unknown>): Promise<HoldfastError | undefined> {
  try {
    await promise
    return undefined
  } catch (error) {
    if (error instanceof HoldfastError) return error
    throw error
  }
}
