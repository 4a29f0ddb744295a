import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = new URL('../..', import.meta.url).pathname
const readme = join(root, 'README.md')
/** Where the tour takes place, as the page has it. */
const TOUR = '/tmp/my-files'
/** Set it to write what the commands print into the page. */
const isWriting = process.env.HOLDFAST_WRITE_README === '1'

const BLOCK = /```console\n([\s\S]*?)```/g

interface Step {
  readonly command: string
  readonly printed: readonly string[]
}

function stepsOf(block: string): Step[] {
  const steps: { command: string; printed: string[] }[] = []
  for (const line of block.trimEnd().split('\n')) {
    if (line.startsWith('$ ')) steps.push({ command: line.slice(2), printed: [] })
    else steps.at(-1)!.printed.push(line)
  }
  return steps
}

/** Run the tour's commands one after the other in one new home. */
function runTour(steps: readonly Step[]): Step[] {
  // As long as the page's own name for it, so that columns are as wide here as there.
  const home = mkdtempSync(join(tmpdir(), 't-'))
  const bin = mkdtempSync(join(tmpdir(), 'holdfast-bin-'))
  try {
    const shim = `#!/bin/sh\nexec "${process.execPath}" "${root}bin/holdfast.js" "$@"\n`
    writeFileSync(join(bin, 'holdfast'), shim, { mode: 0o755 })
    const env = { PATH: `${bin}:${process.env.PATH}`, HOME: home, TZ: 'UTC' }
    return steps.map(({ command }) => {
      const real = command.replaceAll(TOUR, home)
      const { status, stdout } = spawnSync('bash', ['-c', `exec 2>&1; ${real}`], {
        cwd: home,
        env,
        encoding: 'utf8',
      })
      expect(status, `${command}\n${stdout}`).toBe(0)
      const text = stdout.replaceAll(home, TOUR).trimEnd()
      return { command, printed: text === '' ? [] : text.split('\n').map((line) => line.trimEnd()) }
    })
  } finally {
    for (const place of [home, bin]) rmSync(place, { recursive: true, force: true })
  }
}

/** What differs from run to run: ids, times, sizes, this machine's name, and the widths they give to columns. */
function withoutChance(line: string): string {
  return line
    .replace(/\b[0-9a-f]{64}\b|\b[0-9a-f]{8}\b/g, 'ID')
    .replace(/\d{4}-\d{2}-\d{2}[ T][\d:.]+Z?/g, 'TIME')
    .replace(/\S+@\S+|(?<=TIME +)\S+/g, 'HOST')
    .replace(/[\d.,]+ ?(B|KiB|MiB|ms|s)\b|\b\d+:\d+\b/g, 'AMOUNT')
    .replace(/[-─]{3,}/g, '---')
    .replace(/ +/g, ' ')
}

test("README's tour prints what the page shows", () => {
  const page = readFileSync(readme, 'utf8')
  const blocks = [...page.matchAll(BLOCK)].map((match) => stepsOf(match[1]!))
  const shown = blocks.flat()
  const printed = runTour(shown)
  if (isWriting) {
    let next = 0
    const text = page.replace(BLOCK, (_, block: string) => {
      const lines = stepsOf(block).flatMap(() => {
        const step = printed[next++]!
        return [`$ ${step.command}`, ...step.printed]
      })
      return `\`\`\`console\n${lines.join('\n')}\n\`\`\``
    })
    writeFileSync(readme, text)
    return
  }
  expect(printed.map((step) => step.printed.map(withoutChance))).toEqual(
    shown.map((step) => step.printed.map(withoutChance)),
  )
})

test("README's two commands are those that CI runs", () => {
  const page = readFileSync(readme, 'utf8')
  const ci = readFileSync(join(root, '.ci/run'), 'utf8')
  const commands = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap((match) =>
    match[1]!.trim().split(/ && |\n/),
  )
  expect(commands).toHaveLength(3)
  for (const command of commands) expect(ci).toContain(command)
})
