import { createRepositorySandbox, type Sandbox } from './harness.ts'

/** A sandbox with an empty repository for all tests of a file, for use in `beforeAll`. */
export async function createSharedSandbox(): Promise<{
  readonly sandbox: Sandbox
  readonly remove: () => void
}> {
  const cleanUps: (() => void)[] = []
  const sandbox = await createRepositorySandbox((cleanUp) => cleanUps.push(cleanUp))
  return { sandbox, remove: () => cleanUps.forEach((cleanUp) => void cleanUp()) }
}
