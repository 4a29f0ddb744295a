// Builds zstd's binding where npm did not: its own install step downloads a binary, which a closed network
// refuses. Node's headers are taken from node's own prefix where they are, else node-gyp finds them.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const require = createRequire(import.meta.url)
const folder = dirname(require.resolve('zstd-napi/package.json'))
try {
  require('zstd-napi')
} catch {
  const prefix = dirname(dirname(process.execPath))
  const headers = existsSync(join(prefix, 'include', 'node', 'node_api.h')) ? [`--nodedir=${prefix}`] : []
  const gyp =
    process.env.npm_config_node_gyp ??
    join(dirname(process.execPath), '..', 'lib/node_modules/npm/node_modules/node-gyp/bin/node-gyp.js')
  execFileSync(process.execPath, [gyp, 'rebuild', '--silent', ...headers], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  require('zstd-napi')
}
