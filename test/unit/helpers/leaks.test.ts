import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { test } from 'node:test'
import { assertIdle, assertSameTree, leakFree } from '../../helpers/leaks.ts'
import { openssh } from '../../helpers/openssh.ts'
import { sshdMissing, startSshd } from '../../helpers/sshd.ts'

const graceMs = 50

test('a test that leaves a process behind fails', async () => {
  let left: ChildProcess | undefined
  const leaky = leakFree(async () => {
    left = spawn('sleep', ['61'], { stdio: 'ignore' })
  }, graceMs)
  await assert.rejects(leaky({}), /process sleep 61/)
  left?.kill()
})

test('a test that leaves a timer behind fails', async () => {
  let timer: NodeJS.Timeout | undefined
  const leaky = leakFree(async () => {
    timer = setTimeout(() => {}, 60_000)
  }, graceMs)
  await assert.rejects(leaky({}), /resource Timeout/)
  clearTimeout(timer)
})

test('a test that leaves a file descriptor open fails', async () => {
  let opened = -1
  const leaky = leakFree(async () => {
    opened = openSync('/dev/null', 'r')
  }, graceMs)
  await assert.rejects(leaky({}), /file descriptor/)
  closeSync(opened)
})

test('a test that cleans up passes', async () => {
  await leakFree(async () => {
    closeSync(openSync('/dev/null', 'r'))
  }, graceMs)({})
})

test('a process and a file left on a host are found', { skip: sshdMissing }, async () => {
  await using host = await startSshd()
  const before = host.tree()
  await assertIdle([host])
  await openssh(host, 'touch left; sleep 60 >/dev/null 2>&1 </dev/null &')
  await assert.rejects(assertIdle([host], graceMs), /sleep 60/)
  assert.throws(() => assertSameTree(host, before), /left/)
})
