import { spawn, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { createSandbox, type Sandbox } from './harness.ts'

const binary = fileURLToPath(new URL('../../bin/holdfast.js', import.meta.url))
// script(1) of util-linux gives a command a terminal.
const hasScript = spawnSync('script', ['--version']).stdout?.toString().includes('util-linux') ?? false

/** Run with a terminal, and type an answer at each prompt. @returns the exit code and what the terminal showed */
function runOnTerminal(
  { env }: Sandbox,
  args: readonly string[],
  answers: readonly string[],
): Promise<{ code: number | null; shown: string }> {
  const command = [process.execPath, binary, ...args].map((word) => `'${word}'`).join(' ')
  const { HOLDFAST_KEY_FILE: _, ...rest } = env
  const child = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], { env: rest })
  const left = [...answers]
  let shown = ''
  child.stdout.on('data', (data: Buffer) => {
    shown += data.toString('utf8')
    if (shown.endsWith(': ') && left.length > 0) child.stdin.write(left.shift()!)
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, shown }))
  })
}

test.skipIf(!hasScript)('passwords are asked for on a terminal, and never shown', async () => {
  const sandbox = createSandbox()
  const differ = await runOnTerminal(sandbox, ['init'], ['first\r', 'second\r'])
  expect(differ).toMatchObject({ code: 2, shown: expect.stringContaining('the two passwords differ') })

  const made = await runOnTerminal(sandbox, ['init'], ['open sesamx\x7fe\r', 'open sesame\r'])
  expect(made).toMatchObject({ code: 0, shown: expect.stringContaining('made repository') })
  expect(made.shown).not.toContain('sesam')

  const opened = await runOnTerminal(sandbox, ['snapshots'], ['nonsense\x15open sesame\r'])
  expect(opened).toMatchObject({ code: 0, shown: expect.stringContaining('0 snapshots') })
  expect(opened.shown).not.toContain('sesam')

  const wrong = await runOnTerminal(sandbox, ['snapshots'], ['open barley\r'])
  expect(wrong.code).toBe(12)
  expect(wrong.shown).not.toContain('barley')

  expect((await runOnTerminal(sandbox, ['snapshots'], ['op\x03'])).code).toBe(130)
})
