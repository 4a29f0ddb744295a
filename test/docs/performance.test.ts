import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'

const root = new URL('../..', import.meta.url).pathname

function runBench(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, ['bench/run.mjs', ...args], { cwd: root, encoding: 'utf8' })
}

interface Result {
  readonly question: string
  readonly cases: readonly { readonly programs: Readonly<Record<string, { readonly runs: unknown[] }>> }[]
}

test('every question can be asked, leaves its results and nothing else', { timeout: 300_000 }, () => {
  const work = mkdtempSync(join(tmpdir(), 'bench-test-'))
  onTestFinished(() => rmSync(work, { recursive: true, force: true }))
  const results = join(work, 'results')
  const { status, stderr } = runBench(
    ...['--scale', 'tiny', '--pairs', '1', '--no-warm-up', '--programs', 'holdfast', '--secret', 'key-file'],
    ...['--work', work, '--results', results, '--node-modules', join(root, 'bench')],
  )
  expect(status, stderr).toBe(0)
  expect(stderr).toContain('Holdfast is measured alone')
  expect(readdirSync(work)).toEqual(['results'])
  const questions = readdirSync(join(root, 'bench/questions')).map((file) => file.replace('.mjs', ''))
  const answered = readdirSync(results).map((file) => {
    const result = JSON.parse(readFileSync(join(results, file), 'utf8')) as Result
    for (const { programs } of result.cases) expect(programs.holdfast!.runs).toHaveLength(1)
    return result.question
  })
  expect(answered.sort()).toEqual(questions.sort())
})

test('the pages and the chart say what bench/results do', () => {
  const { status, stderr } = runBench('--check-docs')
  expect(status, stderr).toBe(0)
})
