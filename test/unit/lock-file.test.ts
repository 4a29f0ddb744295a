import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

interface LockedPackage {
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

test.each(['package-lock.json', 'test/fuzz/guided/package-lock.json'])(
  '%s has the optional packages of every platform, without which npm ci refuses it',
  (lock) => {
    const text = readFileSync(new URL(`../../${lock}`, import.meta.url), 'utf8')
    const { packages } = JSON.parse(text) as { packages: Record<string, LockedPackage> }
    const missing = Object.entries(packages).flatMap(([place, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) => !(`node_modules/${name}` in packages) && !(`${place}/node_modules/${name}` in packages),
      ),
    )
    expect(missing).toEqual([])
    // Where packages come from is the machine's own matter.
    expect(text).not.toContain('"resolved"')
  },
)
