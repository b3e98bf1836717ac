import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { ProvisionOptions } from '../../src/actions/nodes/provision.ts'
import { openFleet } from '../../src/actions/open-fleet.ts'
import { CpnError } from '../../src/common/errors.ts'
import { createLogger } from '../../src/common/logger.ts'
import { openModelStore } from '../../src/models/store.ts'
import { drawnPhoto } from '../helpers/drawn-images.ts'
import { makeKey, publicKey } from '../helpers/host-files.ts'
import { nodeStatus } from '../helpers/node-status.ts'
import { signalProcess } from '../helpers/processes.ts'
import { type Project, project } from '../helpers/project.ts'
import { provisionAll, quietContext, type Setting, setting } from '../helpers/provisioned.ts'
import { type SshdHost, startSshd, usersMissing } from '../helpers/sshd.ts'
import { tempFolder } from '../helpers/temp-folder.ts'
import { tinyManifest } from '../helpers/tiny-model.ts'

// With a login of its own a host needs no forced command of the harness's, which would stand in the lock's way.
const skip = usersMissing
const { path: keys, [Symbol.dispose]: removeKeys } = tempFolder()
const adminKey = join(keys, 'admin')
let host: SshdHost
let home: Project
let set: Setting

before(async () => {
  if (skip) return
  makeKey(adminKey)
  host = await startSshd({ name: 'node1', authorizedKeys: [publicKey(`${adminKey}.pub`)] })
  home = project([host])
  set = await setting(home)
  mkdirSync(join(home.folder, 'pictures'))
  writeFileSync(
    join(home.folder, 'pictures', 'one.jpg'),
    await drawnPhoto({ width: 640, height: 480, squares: [[100, 120, 80]] }),
  )
})

after(async () => {
  removeKeys()
  if (skip) return
  await home[Symbol.asyncDispose]()
  await host[Symbol.asyncDispose]()
})

const authorized = () => readFileSync(join(host.home, '.ssh/authorized_keys'), 'utf8')
let unlocked: string

async function provision(changes: Partial<ProvisionOptions>) {
  return (await provisionAll({ ...set.options, ...changes })).get('node1')!
}

/** OpenSSH's own client with the key that a thief would have. */
function thief(program: string, args: string[], input = '') {
  const strict = ['-F', 'none', '-oStrictHostKeyChecking=no', '-oUserKnownHostsFile=none', '-oBatchMode=yes']
  const all = [...strict, '-oIdentitiesOnly=yes', '-i', host.identityFile, ...args]
  return spawnSync(program, all, { input, encoding: 'utf8', timeout: 20_000 })
}

const to = () => ['-p', `${host.port}`, `${host.user}@${host.address}`]

test('provision --lock-key restricts the key, once a login with it has shown that the agent is reached', {
  skip,
}, async () => {
  unlocked = authorized()
  const { report, error } = await provision({ keyLock: 'lock' })
  assert.ifError(error)
  assert.equal(report?.changed, true)
  const [line = '', other = ''] = authorized().split('\n')
  const program = `${host.home}/.cpn/fleets/${set.state.fleetId}/current/bin/cpn-agent`
  assert.equal(line, `restrict,command="${program} bridge --only" ${publicKey(`${host.identityFile}.pub`)}`)
  assert.equal(other, publicKey(`${adminKey}.pub`))
  assert.equal((await set.state.hostHistory('node1')).at(-1)?.event, 'key-locked')
})

test('a stolen locked key gets no command, shell, terminal, file or forwarding', { skip }, async () => {
  const secret = join(host.home, 'secret')
  writeFileSync(secret, 'nothing for thieves', { mode: 0o644 })
  for (const [program, args, input] of [
    ['ssh', [...to(), 'cat', secret]],
    ['ssh', [...to(), 'cpn 0123456789abcdef bridge; cat', secret]],
    ['ssh', [...to(), `cpn 0123456789abcdef logs --lines 1 $(cat ${secret})`]],
    ['ssh', to(), `cat ${secret}\n`],
    ['ssh', ['-tt', ...to()], `cat ${secret}\nexit\n`],
    ['scp', ['-P', `${host.port}`, `${host.user}@${host.address}:${secret}`, keys]],
    ['sftp', ['-P', `${host.port}`, '-b', '-', `${host.user}@${host.address}`], `get ${secret} ${keys}/got\n`],
    ['ssh', ['-W', `${host.address}:${host.port}`, ...to()]],
  ] as [string, string[], string?][]) {
    const { status, stdout } = thief(program, args, input)
    assert.notEqual(status, 0, args.join(' '))
    assert.doesNotMatch(stdout, /nothing for thieves|SSH-2/, args.join(' '))
  }
  assert.deepEqual(
    execFileSync('ls', [keys], { encoding: 'utf8' }).split('\n').sort().join(' ').trim(),
    'admin admin.pub',
  )
})

test('with a locked key the work goes on: predict, status, logs, stop, start', { skip, timeout: 120_000 }, async () => {
  await home.ok(['predict', '--pipeline', 'faces', 'pictures', '--detector', 'tiny-squares'])
  assert.match(readFileSync(join(home.folder, 'pictures-predicted/predictions.jsonl'), 'utf8'), /"faces":\[\{/)
  const status = async () => (await nodeStatus(home)).get('node1')?.state
  assert.equal(await status(), 'ready')
  assert.match((await home.ok(['logs', 'node1'])).stdout, /agent started/)
  await home.ok(['stop', 'node1'])
  assert.equal(await status(), 'stopped')
  assert.equal(
    (await home.cpn(['predict', '--pipeline', 'faces', 'pictures', '--detector', 'tiny-squares'])).exitCode,
    4,
  )
  await home.ok(['start', 'node1'])
  assert.equal(await status(), 'ready')
  // One that has died, and who keeps it, is started by whoever needs it.
  for (const { pid } of host.processes()) signalProcess(pid, 'SIGKILL')
  await home.ok(['predict', '--pipeline', 'faces', 'pictures', '--detector', 'tiny-squares', '--out', 'again'])
})

test('a log that is followed ends with the connection', { skip, timeout: 60_000 }, async () => {
  const following = home.spawn(['logs', 'node1', '--follow'])
  await following.waitFor(/agent started/, 'stdout')
  following.kill('SIGINT')
  await following.exited
  const left = () => host.processes().filter(({ command }) => command.includes('bridge --only'))
  for (const end = performance.now() + 10_000; left().length > 0; await new Promise((next) => setTimeout(next, 20)))
    assert.ok(performance.now() < end, 'the program behind the key has ended')
})

test('what needs a shell says that the key is locked, and what to do', { skip, timeout: 60_000 }, async () => {
  writeFileSync(join(home.folder, 'file'), '')
  for (const args of [
    ['run-remote', 'node1', '--', 'true'],
    ['copy', 'file', 'node1:file'],
    ['fetch', 'node1:file', 'fetched'],
    ['provision'],
    ['unprovision', 'node1', '--yes'],
  ]) {
    const { exitCode, stdout, stderr } = await home.cpn(args)
    assert.notEqual(exitCode, 0, args.join(' '))
    assert.match(`${stdout}${stderr}`, /CPN_ERR_KEY_LOCKED|is locked: it runs no commands/, args.join(' '))
  }
})

test('a run whose model the node lacks does not try again and again', { skip, timeout: 60_000 }, async () => {
  const tiny = await openModelStore({ dir: set.state.modelsDir, logger: createLogger() }).find(tinyManifest().name)
  const other = { ...tiny!, manifest: { ...tiny!.manifest, name: 'other', sha256: '0'.repeat(64) } }
  const options = { inventory: set.inventory, hosts: [], state: set.state, models: [other] }
  await using fleet = await openFleet(options, quietContext())
  const { code } = await fleet.abandoned()
  assert.equal(code, 'CPN_ERR_NO_USABLE_HOST')
  assert.equal(fleet.nodes[0]?.error?.code, 'CPN_ERR_KEY_LOCKED')
})

test('with another key the host is provisioned, and the lock taken off', { skip, timeout: 60_000 }, async () => {
  const again = await provision({ identityFile: adminKey })
  assert.ifError(again.error)
  assert.equal(again.report?.changed, false)
  const off = await provision({ identityFile: adminKey, keyLock: 'unlock' })
  assert.ifError(off.error)
  assert.equal(authorized(), unlocked)
  await home.ok(['run-remote', 'node1', '--', 'true'])
})

test('a line that has options already is left as it is', { skip, timeout: 60_000 }, async () => {
  const file = join(host.home, '.ssh/authorized_keys')
  const with_ = unlocked.replace(/^/, 'no-pty ')
  writeFileSync(file, with_)
  const { error } = await provision({ keyLock: 'lock' })
  assert.ok(error instanceof CpnError && error.code === 'CPN_ERR_PROVISION_FAILED', `${error}`)
  assert.match(error.message, /has other options in authorized_keys: no-pty$/)
  assert.equal(authorized(), with_)
  writeFileSync(file, unlocked)
})

test('a lock that does not hold is taken back', { skip, timeout: 60_000 }, async () => {
  await using other = await startSshd({ name: 'node1', config: ['AuthorizedKeysFile .ssh/open .ssh/authorized_keys'] })
  await using place = project([other])
  const { options } = await setting(place)
  writeFileSync(join(other.home, '.ssh/open'), publicKey(`${other.identityFile}.pub`), { mode: 0o644 })
  const before = readFileSync(join(other.home, '.ssh/authorized_keys'), 'utf8')
  const { error } = (await provisionAll({ ...options, keyLock: 'lock' })).get('node1')!
  assert.ok(error instanceof CpnError && /lets it run commands all the same/.test(error.message), `${error}`)
  assert.equal(readFileSync(join(other.home, '.ssh/authorized_keys'), 'utf8'), before)
})

test('the key of a host that leads to another one is not locked', { skip }, async () => {
  const { inventory } = set
  const behind = { ...inventory.hosts[0]!, name: 'node2', jump: 'node1' }
  const options = { ...set.options, inventory: { ...inventory, hosts: [...inventory.hosts, behind] }, hosts: ['node1'] }
  await assert.rejects(provisionAll({ ...options, keyLock: 'lock' }), { code: 'CPN_ERR_USAGE' })
})
