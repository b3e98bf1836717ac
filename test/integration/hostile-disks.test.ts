import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Host } from '../../src/inventory/inventory.ts'
import { type SshdHost, usersMissing } from '../helpers/sshd.ts'
import { assertTold, visit } from './hostile-fixture.ts'

const skip = usersMissing || (spawnSync('unshare', ['--mount', 'true']).status === 0 ? false : 'needs to mount')

/** A small disk in the home, with remoteDir on it. */
function onDisk(options: string) {
  return (host: SshdHost, entry: Host) => {
    const disk = join(host.home, 'disk')
    mkdirSync(disk)
    execFileSync('mount', ['-t', 'tmpfs', '-o', `${options},uid=${host.uid}`, 'tmpfs', disk])
    entry.remoteDir = '~/disk/cpn'
    return () => void execFileSync('umount', [disk])
  }
}

/** The home mounted in another way. */
function homeWith(option: string) {
  return ({ home }: SshdHost) => {
    execFileSync('mount', ['--bind', home, home])
    execFileSync('mount', ['-o', `remount,bind,${option}`, home])
    return () => void execFileSync('umount', [home])
  }
}

test('a full disk', { skip }, async () => {
  const error = await visit({}, { prepare: onDisk('size=1m') })
  assertTold(error, 'CPN_ERR_HOST_CHECK', /\/disk has \d MB free and needs \d+ MB/, /Free space there/)
})

test('a disk without inodes', { skip }, async () => {
  const error = await visit({}, { prepare: onDisk('size=2g,nr_inodes=5') })
  assertTold(error, 'CPN_ERR_HOST_CHECK', /\/disk has room for \d more files \(inodes\)/, /df -i/)
})

test('a home from which nothing may run', { skip }, async () => {
  const error = await visit({}, { prepare: homeWith('noexec') })
  assertTold(error, 'CPN_ERR_HOST_CHECK', /\/home is mounted noexec/, /remoteDir/)
})

test('a home that is read-only', { skip }, async () => {
  const error = await visit({}, { prepare: homeWith('ro') })
  assertTold(error, 'CPN_ERR_HOST_CHECK', /\/home is mounted read-only/, /remoteDir/)
})
