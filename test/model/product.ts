import { pathToFileURL } from 'node:url'

/**
 * The rooms under test, as one value: the sources, or a built copy in which one rule of the prune protocol is
 * switched off.
 */
export interface Product {
  readonly backend: typeof import('../../src/backend/index.ts')
  readonly crypto: typeof import('../../src/crypto/index.ts')
  readonly index: typeof import('../../src/index/index.ts')
  readonly repository: typeof import('../../src/repository/index.ts')
  readonly tree: typeof import('../../src/tree/index.ts')
  readonly snapshot: typeof import('../../src/snapshot/index.ts')
  readonly backup: typeof import('../../src/backup/index.ts')
  readonly forget: typeof import('../../src/forget/index.ts')
  readonly prune: typeof import('../../src/prune/index.ts')
  readonly repair: typeof import('../../src/repair/index.ts')
  readonly copy: typeof import('../../src/copy/index.ts')
}

export async function loadSources(): Promise<Product> {
  return {
    backend: await import('../../src/backend/index.ts'),
    crypto: await import('../../src/crypto/index.ts'),
    index: await import('../../src/index/index.ts'),
    repository: await import('../../src/repository/index.ts'),
    tree: await import('../../src/tree/index.ts'),
    snapshot: await import('../../src/snapshot/index.ts'),
    backup: await import('../../src/backup/index.ts'),
    forget: await import('../../src/forget/index.ts'),
    prune: await import('../../src/prune/index.ts'),
    repair: await import('../../src/repair/index.ts'),
    copy: await import('../../src/copy/index.ts'),
  }
}

/** @param directory with the built rooms, as `npm run build` leaves them in dist/ */
export async function loadBuilt(directory: string): Promise<Product> {
  const room = (name: string): Promise<never> =>
    import(/* @vite-ignore */ `${pathToFileURL(directory)}/${name}/index.js`) as Promise<never>
  return {
    backend: await room('backend'),
    crypto: await room('crypto'),
    index: await room('index'),
    repository: await room('repository'),
    tree: await room('tree'),
    snapshot: await room('snapshot'),
    backup: await room('backup'),
    forget: await room('forget'),
    prune: await room('prune'),
    repair: await room('repair'),
    copy: await room('copy'),
  }
}
