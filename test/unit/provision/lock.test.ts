import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { ancestorsFact, lockScript, unlockScript } from '../../../src/provision/lock.ts'
import { removeScript } from '../../../src/provision/remove-script.ts'

const root = mkdtempSync(join(tmpdir(), 'cpn-lock-'))
after(() => rmSync(root, { recursive: true, force: true }))

function sh(script: string): { status: number | null; stdout: string; stderr: string } {
  return spawnSync('/bin/sh', ['-c', script], { encoding: 'utf8' })
}

function ancestors(output: string): number[] {
  return output
    .slice(output.indexOf('=') + 1)
    .trim()
    .split(' ')
    .map(Number)
}

const here = ancestors(sh(ancestorsFact).stdout)

function take(dir: string, token: string, above = here) {
  return sh(lockScript(dir, above, { token, name: `owner of ${token}` }))
}

test('a lock is held until it is given back', () => {
  const dir = join(root, 'held', '.cpn')
  assert.equal(take(dir, 'one').status, 0)
  const second = take(dir, 'two')
  assert.deepEqual([second.status, second.stdout.trim()], [75, 'owner of one'])
  sh(unlockScript(dir, 'two'))
  assert.ok(existsSync(join(dir, 'lock')))
  sh(unlockScript(dir, 'one'))
  assert.equal(existsSync(join(dir, 'lock')), false)
  assert.equal(take(dir, 'three').status, 0)
})

test('a lock whose connection is gone is taken over', async () => {
  const dir = join(root, 'gone')
  // Stands for a connection: commands descend from it, and it ends with a lock in place.
  const connection = spawn(
    '/bin/sh',
    ['-c', `(${ancestorsFact}); read -r line; sh -c "$0"; exit 0`, lockOfChild(dir)],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  )
  await once(connection.stdout, 'data')
  connection.stdin.end('\n')
  await once(connection, 'exit')
  assert.ok(existsSync(join(dir, 'lock', 'owner')))
  assert.equal(take(dir, 'mine').status, 0)
  assert.deepEqual(readdirSync(dir), ['lock'])
})

// The pid of the parent is what an earlier command of the same connection would have seen.
function lockOfChild(dir: string): string {
  const script = lockScript(dir, [4_000_000], { token: 'theirs', name: 'gone' })
  return script.replace(' 4000000 ', ' $PPID ').replace("' $PPID '", '" $PPID "')
}

test('a lock without an owner was left by a crash and does not block for ever', () => {
  const dir = join(root, 'empty')
  mkdirSync(join(dir, 'lock'), { recursive: true })
  assert.equal(take(dir, 'mine').status, 0)
})

test('who gives the lock back while it is looked at is named all the same', () => {
  const dir = join(root, 'looked-at')
  assert.equal(take(dir, 'theirs').status, 0)
  // The second time that the hour is asked for, the owner has been read.
  const bin = join(root, 'bin')
  mkdirSync(bin)
  const date = '[ -e "$0.asked" ] && rm -rf lock\n: >"$0.asked"\nPATH=/usr/bin:/bin exec date "$@"'
  writeFileSync(join(bin, 'date'), `#!/bin/sh\n${date}\n`, { mode: 0o755 })
  const script = lockScript(dir, here, { token: 'mine', name: 'owner of mine' })
  const { status, stdout } = sh(`PATH=${bin}:$PATH\n${script}`)
  assert.equal(existsSync(join(dir, 'lock')), false)
  assert.deepEqual([status, stdout.trim()], [75, 'owner of theirs'])
})

test('where the owner cannot be seen, a lock is held for an hour', () => {
  const dir = join(root, 'unseen')
  const now = Math.floor(Date.now() / 1000)
  mkdirSync(join(dir, 'lock'), { recursive: true })
  const owner = (time: number) => `token=theirs\npid=0\nborn=\ntime=${time}\nname=them\n`
  writeFileSync(join(dir, 'lock', 'owner'), owner(now - 600))
  assert.equal(take(dir, 'mine').status, 75)
  writeFileSync(join(dir, 'lock', 'owner'), owner(now - 4000))
  assert.equal(take(dir, 'mine').status, 0)
})

test('a folder that cannot be made is no lock', () => {
  writeFileSync(join(root, 'file'), '')
  const result = take(join(root, 'file', '.cpn'), 'mine')
  assert.equal(result.status, 1)
  assert.match(result.stderr, /file/)
})

function remove(dir: string) {
  return sh(removeScript(dir, 'abcdefghjkmn', { token: 'remover', name: 'a remover' }))
}

test('nothing is removed while somebody has the lock; what killed commands left of locks goes with the rest', () => {
  const dir = join(root, 'locked')
  assert.equal(take(dir, 'theirs').status, 0)
  mkdirSync(join(dir, 'fleets/abcdefghjkmn'), { recursive: true })
  mkdirSync(join(dir, 'lock.123'))
  const refused = remove(dir)
  assert.deepEqual([refused.status, refused.stdout.trim()], [75, 'owner of theirs'])
  assert.ok(existsSync(join(dir, 'fleets/abcdefghjkmn')))
  sh(unlockScript(dir, 'theirs'))
  const removed = remove(dir)
  assert.deepEqual([removed.status, removed.stdout], [0, 'removed\n'], removed.stderr)
  assert.equal(existsSync(dir), false)
})

test('folders that were made above remoteDir go with it, older ones stay', () => {
  const old = join(root, 'old')
  mkdirSync(old)
  const dir = join(old, "it's", 'made', '.cpn')
  assert.equal(take(dir, 'one').status, 0)
  sh(unlockScript(dir, 'one'))
  mkdirSync(join(dir, 'fleets/other'), { recursive: true })
  remove(dir)
  assert.ok(existsSync(join(dir, 'fleets/other')))
  rmSync(join(dir, 'fleets/other'), { recursive: true })
  assert.equal(remove(dir).stdout, 'absent\n')
  assert.deepEqual(readdirSync(old), [])
})

test('where no lock can be made for want of room, removing goes on', { skip: fullDiskMissing() }, () => {
  const disk = join(root, 'disk')
  const dir = join(disk, '.cpn')
  const mount = 'mount -t tmpfs -o size=256k,nr_inodes=8 none "$1"'
  const script = `${mount} && mkdir -p "$2/fleets/abcdefghjkmn" && for i in 1 2 3 4 5 6 7 8; do touch "$2/blob$i" 2>/dev/null || break; done
mkdir "$2/lock" 2>/dev/null && exit 9
/bin/sh -c "$3"; ls "$2" | grep -v blob; exit 0`
  mkdirSync(disk)
  const remover = removeScript(dir, 'abcdefghjkmn', { token: 'remover', name: 'a remover' })
  const args = ['--mount', '/bin/sh', '-c', script, 'sh', disk, dir, remover]
  const { status, stdout } = spawnSync('unshare', args, { encoding: 'utf8' })
  assert.deepEqual([status, stdout], [0, 'removed\n'])
})

function fullDiskMissing(): string | false {
  const { status } = spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt'])
  return status === 0 ? false : 'needs root, to fill a disk of its own'
}
