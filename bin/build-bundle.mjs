// Puts what the command line and its threads load into few files: Node takes a third of a millisecond for each module,
// and a command needs 240. tsc has built dist/ before. The command line is replaced by one that holds its modules, with what
// commands share, and what is loaded on demand, in dist/chunks/; each worker by one file with all it needs. Packages are left
// outside.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const dist = fileURLToPath(new URL('../dist', import.meta.url))
const CHUNKS = 'chunks'

/** What threads are started with, relative to dist. The repository's `worker.js` is a door, no program. */
const workers = readdirSync(dist, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('/worker.js') && path !== 'repository/worker.js')
  .sort()

/** Modules find files beside them by their own address, wherever their code is. Every output is one folder deep. */
const keepAddresses = {
  name: 'keep-addresses',
  transform(code, path) {
    if (!code.includes('import.meta.url')) return null
    const address = `new URL('../${relative(dist, path)}', import.meta.url).href`
    return code.replaceAll('import.meta.url', address)
  },
}

/** @param inputs programs that share chunks @param options of the output */
async function bundle(inputs, options) {
  const made = await rolldown({
    cwd: dist,
    input: Object.fromEntries(inputs.map((path) => [path.slice(0, -'.js'.length), join(dist, path)])),
    platform: 'node',
    external: /^[^./]/,
    treeshake: { moduleSideEffects: false },
    plugins: [keepAddresses],
  })
  const { output } = await made.generate({ format: 'esm', entryFileNames: '[name].js', ...options })
  await made.close()
  return output
}

const outputs = await bundle(['cli/index.js'], { chunkFileNames: `${CHUNKS}/[name].js` })
for (const worker of workers) outputs.push(...(await bundle([worker], { codeSplitting: false })))
rmSync(join(dist, CHUNKS), { recursive: true, force: true })
for (const { fileName, code } of outputs) {
  mkdirSync(dirname(join(dist, fileName)), { recursive: true })
  writeFileSync(join(dist, fileName), code)
}
