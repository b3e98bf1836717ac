import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { openssh } from '../../helpers/openssh.ts'
import { listProcesses } from '../../helpers/processes.ts'
import { sshdMissing, startSshd, usersMissing } from '../../helpers/sshd.ts'

const run = promisify(execFile)

test('a host lets its key in, to a home and a user of its own', { skip: sshdMissing }, async () => {
  await using host = await startSshd({ files: { 'notes/a.txt': 'hello' } })
  assert.equal(await openssh(host, 'pwd; echo "$HOME"; cat notes/a.txt'), `${host.home}\n${host.home}\nhello`)
  await host.waitForLog(/Accepted publickey/)
  assert.deepEqual(
    host.tree().map(({ path, mode }) => `${mode} ${path}`),
    ['700 .ssh', '600 .ssh/authorized_keys', '700 notes', '600 notes/a.txt'],
  )
})

test('two hosts see nothing of each other', { skip: usersMissing }, async () => {
  await using one = await startSshd()
  await using two = await startSshd()
  assert.notEqual(one.address, two.address)
  await openssh(one, 'sleep 600 >/dev/null 2>&1 </dev/null &')
  assert.deepEqual([one.processes().length, two.processes().length], [1, 0])
  await assert.rejects(openssh(two, `ls ${one.home}`), /Permission denied/)
})

test('disposing a host leaves no user, process or file behind', { skip: usersMissing }, async () => {
  const host = await startSshd()
  await openssh(host, 'sleep 600 >/dev/null 2>&1 </dev/null &')
  const [{ pid }, server] = [host.processes()[0]!, host.pid]
  await host[Symbol.asyncDispose]()
  await host[Symbol.asyncDispose]()
  const left = listProcesses().filter((process) => [pid, server].includes(process.pid))
  assert.deepEqual(left, [])
  assert.equal(existsSync(dirname(host.home)), false)
  assert.doesNotMatch(readFileSync('/etc/passwd', 'utf8'), new RegExp(host.user))
})

test('stop cuts connections and keeps daemons; start listens on the same port', { skip: sshdMissing }, async () => {
  await using host = await startSshd()
  await openssh(host, 'sleep 600 >/dev/null 2>&1 </dev/null &')
  const open = openssh(host, 'sleep 600; true').catch((error: Error) => error)
  await host.waitForLog(/(Accepted publickey.*){2}/s)
  host.stop()
  assert.ok((await open) instanceof Error)
  assert.ok(host.processes().length >= 1)
  await host.start()
  assert.equal(await openssh(host, 'echo back'), 'back\n')
})

test('a paused host answers again after resume', { skip: sshdMissing }, async () => {
  await using host = await startSshd()
  host.pause()
  const answer = openssh(host, 'echo on')
  assert.match(readFileSync(`/proc/${host.pid}/status`, 'utf8'), /State:\tT/)
  host.resume()
  assert.equal(await answer, 'on\n')
})

test('a rotated host key is another key', { skip: sshdMissing }, async () => {
  await using host = await startSshd({ hostKeyTypes: ['ecdsa'] })
  const before = host.hostKeyFingerprint
  assert.match(host.hostKeyLine, /^ecdsa-/)
  await host.rotateHostKey()
  assert.notEqual(host.hostKeyFingerprint, before)
  assert.equal(await openssh(host, 'echo ok'), 'ok\n')
})

test('a host left by a killed test is swept by the next one', { skip: usersMissing }, async () => {
  const program = `import { startSshd } from ${JSON.stringify(new URL('../../helpers/sshd.ts', import.meta.url).href)}
    const { user, home, pid } = await startSshd()
    console.log(JSON.stringify({ user, home, pid }))
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', program])
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  const left = JSON.parse(line) as { user: string; home: string }
  child.kill('SIGKILL')
  await once(child, 'exit')
  assert.match(readFileSync('/etc/passwd', 'utf8'), new RegExp(left.user))
  await run(process.execPath, [
    '--input-type=module-typescript',
    '-e',
    program.replace('setInterval(() => {}, 1000)', 'process.exit()'),
  ])
  assert.doesNotMatch(readFileSync('/etc/passwd', 'utf8'), new RegExp(left.user))
  assert.equal(existsSync(dirname(left.home)), false)
})
