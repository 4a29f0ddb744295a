import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { createRepositorySandbox, createSandbox, parseLines, writeFiles } from './harness.ts'

const binary = fileURLToPath(new URL('../../bin/holdfast.js', import.meta.url))
const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))

describe('the program', () => {
  test('tells its version and its commands', async () => {
    const { ok, run } = createSandbox()
    expect((await ok(['--version'])).stdout).toBe(`${version}\n`)
    const help = (await ok(['--help'])).stdout
    expect(help).toMatch(/^ {2}backup +back up/m)
    expect((await ok(['help'])).stdout).toBe(help)
    const ofBackup = (await ok(['help', 'backup'])).stdout
    expect(ofBackup).toContain('--one-file-system')
    expect((await ok(['backup', '--help'])).stdout).toBe(ofBackup)
    const nothing = await run([])
    expect(nothing.code).toBe(2)
    expect(nothing.stderr).toContain('Usage: holdfast')
  })

  test.each(['--help', '--version'])('%s loads no native part', async (option) => {
    const script = `
      import { readFileSync } from 'node:fs'
      process.on('exit', () => {
        const isNative = readFileSync('/proc/self/maps', 'utf8').includes('.node\\n')
        process.stderr.write(isNative ? 'native' : 'plain')
      })`
    const hook = `data:text/javascript;base64,${Buffer.from(script).toString('base64')}`
    const child = spawn(process.execPath, ['--import', hook, binary, option])
    const stderr: Buffer[] = []
    child.stderr.on('data', (data: Buffer) => stderr.push(data))
    await new Promise((resolve) => child.on('close', resolve))
    expect(Buffer.concat(stderr).toString('utf8')).toBe('plain')
  })

  test('offers the nearest name for what it does not know', async () => {
    const { run } = createSandbox()
    const command = await run(['snapshot'])
    expect(command.code).toBe(2)
    expect(command.stderr).toContain('did you mean snapshots?')
    const option = await run(['snapshots', '--jso', '--json'])
    expect(option.code).toBe(2)
    expect(parseLines(option.stderr)).toEqual([
      {
        message_type: 'exit_error',
        code: 2,
        message: "unknown option '--jso'",
        hint: 'did you mean --json?',
      },
    ])
  })

  test('with -q prints errors only, with -v says that locks mean nothing', async () => {
    const { ok, run, source } = await createRepositorySandbox()
    writeFiles(source, { a: '1' })
    expect(await ok(['backup', source, '-q'])).toEqual({ code: 0, stdout: '', stderr: '' })
    expect((await ok(['-q', 'snapshots'])).stdout).toBe('')
    expect((await run(['-q', 'ls', 'abcd'])).stderr).toContain('there is no snapshot abcd')
    expect((await ok(['snapshots', '--no-lock', '--retry-lock', '5m'])).stderr).toBe('')
    expect((await ok(['snapshots', '-v', '--no-lock'])).stderr).toContain('there are no locks')
  })

  test('shows where an error came from with --debug only', async () => {
    const { run } = createSandbox()
    expect((await run(['snapshots'])).stderr).not.toContain('    at ')
    expect((await run(['snapshots', '--debug'])).stderr).toContain('    at ')
  })

  test('ends quietly when nobody reads what it prints', async () => {
    const sandbox = await createRepositorySandbox()
    const names = Array.from(
      { length: 3000 },
      (_, at) => `a-rather-long-name-of-a-file-so-that-pipes-fill-${at}`,
    )
    writeFiles(sandbox.source, Object.fromEntries(names.map((name) => [name, ''])))
    await sandbox.ok(['backup', sandbox.source, '-q'])
    const ended = await sandbox.run(['ls', 'latest'], { started: (child) => child.stdout?.destroy() })
    expect(ended).toEqual({ code: 0, stdout: '', stderr: '' })
  })

  test('takes arguments that are no UTF-8', async () => {
    const sandbox = await createRepositorySandbox()
    const { source, run } = sandbox
    writeFiles(source, { a: '1' })
    // A shell is needed to give such an argument: Node gives only text.
    const name = `${source}/$(printf 'raw\\377')`
    const script = `printf raw > "${name}"; '${process.execPath}' '${binary}' backup -v "${name}"; '${process.execPath}' '${binary}' dump "latest:${name}"`
    const shell = await runShell(script, sandbox.env)
    expect(shell).toContain('raw\\xff\n')
    expect(shell.endsWith('saved\nraw')).toBe(true)
    const tag = await run(['backup', source, '--tag', 'x'])
    expect(tag.code).toBe(0)
  })
})

function runShell(script: string, env: Readonly<Record<string, string>>): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('sh', ['-c', script], { env: { ...env } })
    const stdout: Buffer[] = []
    child.stdout.on('data', (data: Buffer) => stdout.push(data))
    child.stderr.on('data', (data: Buffer) => stdout.push(data))
    child.on('error', reject)
    child.on('close', () => resolve(Buffer.concat(stdout).toString('utf8')))
  })
}
