import { readFileSync } from 'node:fs'

/** The program's version, as package.json has it. Imports nothing else: it is all that `--version` loads. */
export function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
