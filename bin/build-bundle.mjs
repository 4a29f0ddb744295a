// Puts what the command line and its threads load into few files: Node takes a third of a millisecond for each module,
// and a command needs 240. tsc has built dist/ before; each program there is replaced by one that holds its modules,
// with what programs share, and what is loaded on demand, in dist/chunks/. Packages are left outside.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const dist = fileURLToPath(new URL('../dist', import.meta.url))
const CHUNKS = 'chunks'

/** What a process or a thread is started with, relative to dist. The repository's `worker.js` is a door, no program. */
const programs = [
  'cli/index.js',
  ...readdirSync(dist, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('/worker.js') && path !== 'repository/worker.js')
    .sort(),
]

/** Modules find files beside them by their own address, wherever their code is. Every output is one folder deep. */
const keepAddresses = {
  name: 'keep-addresses',
  transform(code, path) {
    if (!code.includes('import.meta.url')) return null
    const address = `new URL('../${relative(dist, path)}', import.meta.url).href`
    return code.replaceAll('import.meta.url', address)
  },
}

const bundle = await rolldown({
  cwd: dist,
  input: Object.fromEntries(programs.map((path) => [path.slice(0, -'.js'.length), join(dist, path)])),
  platform: 'node',
  external: /^[^./]/,
  treeshake: { moduleSideEffects: false },
  plugins: [keepAddresses],
})
const { output } = await bundle.generate({
  format: 'esm',
  entryFileNames: '[name].js',
  chunkFileNames: `${CHUNKS}/[name].js`,
})
await bundle.close()
rmSync(join(dist, CHUNKS), { recursive: true, force: true })
for (const { fileName, code } of output) {
  mkdirSync(dirname(join(dist, fileName)), { recursive: true })
  writeFileSync(join(dist, fileName), code)
}
