import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { takeLock } from '../../../../src/agent/process/lock.ts'

const holder = join(import.meta.dirname, '../../../fixtures/lock-holder.ts')

test('a lock is held by one process until it lets go or dies', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'cpn-lock-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'lock')
  const other = fork(holder, [path], { execArgv: ['--expose-gc'] })
  t.after(() => other.kill('SIGKILL'))
  await once(other, 'message')
  assert.equal(takeLock(path), undefined)
  other.kill('SIGKILL')
  await once(other, 'exit')
  const unlock = takeLock(path)
  assert.ok(unlock)
  unlock()
  takeLock(path)?.()
})
