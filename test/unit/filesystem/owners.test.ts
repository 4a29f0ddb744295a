import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { OwnerNames } from '../../../src/filesystem/index.ts'
import { createOwnerNames } from '../../../src/filesystem/index.ts'
import { tempDirectory } from './scene.ts'

/** Names from files of our own, and a getent that knows `remote` (4242) and writes down what it was asked. */
function createScene(): { owners: OwnerNames; asked: () => string[] } {
  const at = (name: string): string => join(directory, name)
  const directory = tempDirectory()
  writeFileSync(
    at('passwd'),
    'root:x:0:0:root:/root:/bin/sh\nann:x:1000:1000::/:\nann2:x:1000:1::/:\nbroken:x:\n',
  )
  writeFileSync(at('group'), 'root:x:0:\nstaff:x:50:ann,root\n')
  writeFileSync(at('asked'), '')
  const script = `#!/bin/sh
echo "$@" >> '${at('asked')}'
case "$2" in 4242|remote) echo 'remote:*:4242:4242::/:';; *) exit 2;; esac
`
  writeFileSync(at('getent'), script)
  chmodSync(at('getent'), 0o755)
  const owners = createOwnerNames({
    passwdPath: at('passwd'),
    groupPath: at('group'),
    getentPath: at('getent'),
  })
  return { owners, asked: () => readFileSync(at('asked'), 'utf8').split('\n').slice(0, -1) }
}

test('names and numbers of the files; the first line of a number names it', () => {
  const { owners, asked } = createScene()
  expect([owners.userName(0), owners.userName(1000), owners.groupName(50)]).toEqual(['root', 'ann', 'staff'])
  expect([owners.userId('ann'), owners.userId('ann2'), owners.groupId('staff')]).toEqual([1000, 1000, 50])
  expect(asked()).toEqual([])
})

test('what the files do not say is asked once, in both directions, and kept', () => {
  const { owners, asked } = createScene()
  for (let time = 0; time < 3; time++) {
    expect(owners.userName(4242)).toBe('remote')
    expect(owners.groupId('remote')).toBe(4242)
    expect(owners.userName(77)).toBe('')
    expect(owners.userId('nobody-knows')).toBe(undefined)
  }
  expect(asked()).toEqual(['passwd 4242', 'group remote', 'passwd 77', 'passwd nobody-knows'])
})

test('a name that getent would take for a number or an option has no number', () => {
  const { owners, asked } = createScene()
  for (const name of ['4242', '', '-s', '--help']) expect(owners.userId(name)).toBe(undefined)
  expect(asked()).toEqual([])
})

test('without files and without getent nothing has a name', () => {
  const none = join(tempDirectory(), 'none')
  const owners = createOwnerNames({ passwdPath: none, groupPath: none, getentPath: none })
  expect([owners.userName(0), owners.groupName(0), owners.userId('root')]).toEqual(['', '', undefined])
})

test('this machine calls 0 root', (context) => {
  context.skip(process.platform !== 'linux', 'of Linux')
  expect(createOwnerNames().userName(0)).toBe('root')
  expect(createOwnerNames().groupId('root')).toBe(0)
})
