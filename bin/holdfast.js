#!/usr/bin/env node
const words = process.argv.slice(2)
if (words.length === 1 && ['--version', '-V'].includes(words[0])) {
  const { readVersion } = await import('../dist/cli/version.js')
  // A reader that is gone wants nothing more.
  process.stdout.on('error', () => {})
  process.stdout.write(`${readVersion()}\n`)
} else {
  const { main } = await import('../dist/cli/index.js')
  await main()
}
