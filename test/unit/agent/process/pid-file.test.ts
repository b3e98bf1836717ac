import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readPidFile, registerPid, writePidFile } from '../../../../src/agent/process/pid-file.ts'
import { identifyProcess, isAlive, parseStat, signalProcess } from '../../../../src/agent/process/process-identity.ts'

test('a process is known until it is gone, and a zombie is gone', async (t) => {
  const child = spawn('sleep', ['60'])
  t.after(() => child.kill('SIGKILL'))
  const identity = identifyProcess(child.pid ?? 0)
  assert.ok(identity && isAlive(identity))
  assert.equal(signalProcess(identity, 'SIGKILL'), true)
  await once(child, 'exit')
  assert.equal(isAlive(identity), false)
  assert.equal(signalProcess(identity, 'SIGKILL'), false)
})

test('a name with spaces and parentheses does not confuse the start time', () => {
  const rest = 'S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20'
  assert.equal(parseStat(`42 (a) b (c) ${rest}`), '4711')
  assert.equal(parseStat(`42 (gone) ${rest.replace('S', 'Z')}`), undefined)
})

test('a pid that now belongs to another process does not count', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'cpn-pid-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'pid')
  const self = identifyProcess(process.pid)
  assert.ok(self)
  writePidFile(path, [self, { ...self, startTime: '1' }])
  assert.deepEqual(readPidFile(path), [self])
  writeFileSync(path, 'nonsense\n')
  assert.deepEqual(readPidFile(path), [])
  const remove = registerPid(path)
  assert.deepEqual(readPidFile(path), [self])
  remove()
  assert.equal(existsSync(path), false)
  assert.deepEqual(readPidFile(path), [])
})
