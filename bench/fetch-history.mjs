// Gets the real histories that the question `history` backs up, from the npm registry:
//
//   node bench/fetch-history.mjs DIR
//   npm run bench -- history --history DIR/typescript --history DIR/iconify-json
//
// Ten releases of typescript (23 to 40 MiB each) and five of @iconify/json (465 MiB each). What is there already is kept.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'

const histories = [
  {
    name: 'typescript',
    folder: 'typescript',
    versions: ['5.0.2', '5.1.3', '5.2.2', '5.3.2', '5.4.2', '5.5.2', '5.6.2', '5.7.2', '5.8.2', '5.9.2'],
  },
  {
    name: '@iconify/json',
    folder: 'iconify-json',
    versions: ['2.2.515', '2.2.520', '2.2.525', '2.2.530', '2.2.535'],
  },
]

function runOrFail(program, args, cwd) {
  const { status } = spawnSync(program, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}`)
}

/** A version's files appear whole under its name. */
function fetchVersion(name, version, target) {
  const work = mkdtempSync(`${target}.`)
  try {
    runOrFail('npm', ['pack', '--silent', `${name}@${version}`], work)
    const [archive] = readdirSync(work)
    runOrFail('tar', ['-xzf', archive], work)
    renameSync(join(work, 'package'), target)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

const [root] = process.argv.slice(2)
if (root === undefined) {
  console.error('fetch-history: name a folder')
  process.exit(1)
}
for (const { name, folder, versions } of histories) {
  const place = join(resolve(root), folder)
  mkdirSync(place, { recursive: true })
  for (const version of versions) {
    const target = join(place, version)
    if (!existsSync(target)) fetchVersion(name, version, target)
    console.log(target)
  }
}
