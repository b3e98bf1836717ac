import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { lockName, lockOut, outOwner, outOwners } from '../../../src/runs/run-lock.ts'
import { pinnedNode, start } from '../../helpers/program.ts'
import { repositoryRoot } from '../../helpers/shared.ts'
import { tempFolder } from '../../helpers/temp-folder.ts'

test('an OUT has one owner, who is named, until the lock is given back', () => {
  using folder = tempFolder()
  const dir = join(folder.path, 'odd #name?', 'locks')
  assert.equal(outOwner(dir, '/out'), undefined)
  const lock = lockOut(dir, '/out')
  assert.deepEqual([outOwner(dir, '/out')?.pid, outOwner(dir, '/out')?.host], [process.pid, hostname()])
  assert.throws(() => lockOut(dir, '/out'), {
    code: 'CPN_ERR_RUN_BUSY',
    message: new RegExp(`process ${process.pid} on ${hostname()}, since \\d{4}-.*writing to /out`),
  })
  lockOut(dir, '/other')[Symbol.dispose]()
  lock[Symbol.dispose]()
  assert.equal(outOwner(dir, '/out'), undefined)
  lockOut(dir, '/out')[Symbol.dispose]()
})

test('everybody who works on an OUT is named with it, whatever lies beside', () => {
  using folder = tempFolder()
  const dir = join(folder.path, 'locks')
  assert.deepEqual(outOwners(dir), [])
  using _one = lockOut(dir, '/one')
  lockOut(dir, '/done')[Symbol.dispose]()
  writeFileSync(join(dir, lockName('/damaged')), 'no database, and longer than the head of one has to be.'.repeat(20))
  using _two = lockOut(dir, '/two')
  const owners = outOwners(dir).map(({ pid, out }) => `${pid} ${out}`)
  assert.deepEqual(owners.sort(), [`${process.pid} /one`, `${process.pid} /two`])
})

test('a lock that cannot be made, or is no lock, is told of with its name', () => {
  using folder = tempFolder()
  writeFileSync(join(folder.path, 'file'), '')
  assert.throws(() => lockOut(join(folder.path, 'file', 'locks'), '/out'), { code: 'CPN_ERR_STATE_DIR' })
  writeFileSync(
    join(folder.path, lockName('/out')),
    'no database, and longer than the head of one would have to be.'.repeat(20),
  )
  assert.throws(() => lockOut(folder.path, '/out'), { code: 'CPN_ERR_STATE_DIR', message: /not a database/ })
})

test('a lock dies with the process that has it', async () => {
  using folder = tempFolder()
  const program = start(pinnedNode, [join(repositoryRoot, 'test/fixtures/out-locker.ts'), folder.path, '/out'])
  await program.says(/locked/)
  assert.equal(outOwner(folder.path, '/out')?.pid, program.child.pid)
  assert.throws(() => lockOut(folder.path, '/out'), { code: 'CPN_ERR_RUN_BUSY' })
  program.child.kill('SIGKILL')
  await program.closed
  assert.equal(outOwner(folder.path, '/out'), undefined)
  lockOut(folder.path, '/out')[Symbol.dispose]()
})
