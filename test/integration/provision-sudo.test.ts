import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openUnprovisioner } from '../../src/actions/nodes/unprovision.ts'
import { CpnError } from '../../src/common/errors.ts'
import type { Host } from '../../src/inventory/inventory.ts'
import { parseFacts } from '../../src/provision/facts.ts'
import { factsScript } from '../../src/provision/facts-script.ts'
import { execAsRoot } from '../../src/provision/privileged.ts'
import { createConnector } from '../../src/transport/connector.ts'
import { listProcesses } from '../helpers/processes.ts'
import type { Project } from '../helpers/project.ts'
import { project } from '../helpers/project.ts'
import { provisionAll, quietContext, setting } from '../helpers/provisioned.ts'
import { type SshdHost, startHosts, startSshd, usersMissing } from '../helpers/sshd.ts'
import { tempFolder } from '../helpers/temp-folder.ts'
import { until } from '../helpers/until.ts'
import { assertTold } from './hostile-fixture.ts'

const packageName = 'cpn-test-empty'
const password = "it's a secret"
const skip = usersMissing || toolsMissing()

function toolsMissing(): string | false {
  const missing = ['sudo', 'dpkg-deb', 'apt-get', 'python3'].filter((tool) => spawnSync(tool, ['--version']).error)
  return missing.length > 0 ? `needs ${missing.join(' and ')} on this machine` : false
}

/** Lets a test host's user use sudo, with a password unless the rule says otherwise, until it is disposed of. */
function sudoer(host: SshdHost, rule = 'ALL'): Disposable {
  const file = `/etc/sudoers.d/${host.user}`
  writeFileSync(file, `${host.user} ALL=(ALL) ${rule}\n`, { mode: 0o440 })
  return { [Symbol.dispose]: () => rmSync(file, { force: true }) }
}

/** A Debian package with nothing in it but its name; taken off the machine at the end. */
function emptyPackage(folder: Project): { file: string } & Disposable {
  const root = join(folder.folder, 'package')
  mkdirSync(join(root, 'DEBIAN'), { recursive: true })
  const control = `Package: ${packageName}\nVersion: 1\nArchitecture: all\nMaintainer: cpn\nDescription: nothing\n`
  writeFileSync(join(root, 'DEBIAN', 'control'), control)
  execFileSync('dpkg-deb', ['--root-owner-group', '--build', root, join(folder.folder, 'empty.deb')])
  return { file: 'empty.deb', [Symbol.dispose]: () => void spawnSync('dpkg', ['--purge', packageName]) }
}

/** A lock of dpkg that is seen only by hosts started with `launcher`, and that a process of ours holds. */
function lockedFile() {
  const folder = tempFolder()
  const file = join(folder.path, 'lock')
  const hold =
    'import fcntl,sys;f=open(sys.argv[1],"w");fcntl.lockf(f,fcntl.LOCK_EX);print(1,flush=True);sys.stdin.read()'
  const holder = spawn('python3', ['-c', hold, file], { stdio: ['pipe', 'pipe', 'inherit'] })
  const taken = once(holder.stdout, 'data')
  const script = `mount --bind ${file} /var/lib/dpkg/lock-frontend && exec "$@"`
  const launcher = () => ['unshare', '--mount', '--propagation', 'private', '/bin/sh', '-c', script, 'locked-host']
  const end = () => {
    holder.kill('SIGKILL')
    folder[Symbol.dispose]()
  }
  return { taken, launcher, [Symbol.dispose]: end }
}

test('a package file is installed with sudo, whose password is asked for and kept nowhere', { skip }, async () => {
  await using host = await startSshd({ name: 'node1', password })
  using _ = sudoer(host)
  await using folder = project([host])
  using deb = emptyPackage(folder)
  const { inventory, options } = await setting(folder)
  inventory.requirements.push({ tags: [], apt: [], pip: [], files: [deb.file], commands: [] })
  const errorOf = async (sudo: boolean, secret: string) => {
    const { error } = (await provisionAll({ ...options, sudo }, quietContext(secret))).get('node1')!
    return error
  }

  const refused = await errorOf(false, password)
  assert.ok(refused instanceof CpnError && refused.code === 'CPN_ERR_REQUIREMENT', String(refused))
  assert.match(refused.suggestions.join(' '), /--sudo/)
  const wrong = await errorOf(true, 'not this')
  assert.ok(wrong instanceof CpnError && wrong.code === 'CPN_ERR_REQUIREMENT', String(wrong))
  assert.match(wrong.message, /password/)
  assert.equal(await errorOf(true, password), undefined)
  assert.match(execFileSync('dpkg-query', ['-W', packageName], { encoding: 'utf8' }), /1/)

  const again = (await provisionAll(options)).get('node1')!
  assert.ifError(again.error)
  assert.equal(again.report?.changed, false)
  assert.ok(!spawnSync('grep', ['-rlF', password, host.home, folder.folder], { encoding: 'utf8' }).stdout)
  await using unprovisioner = await openUnprovisioner({ inventory, hosts: ['all'] }, quietContext())
  await unprovisioner.unprovision(unprovisioner.hosts[0]!)
})

test('where another package manager is at work, it is waited for and then named', { skip }, async () => {
  using lock = lockedFile()
  await lock.taken
  await using hosts = await startHosts({ name: 'strange', launcher: lock.launcher }, { name: 'healthy' })
  using _ = sudoer(hosts[0]!, 'NOPASSWD: ALL')
  await using folder = project(hosts)
  using deb = emptyPackage(folder)
  const { inventory, options } = await setting(folder)
  inventory.requirements.push({ tags: ['packages'], apt: [], pip: [], files: [deb.file], commands: [] })
  inventory.hosts.find(({ name }) => name === 'strange')!.tags.push('packages')
  const results = await provisionAll({ ...options, sudo: true, packageLockSeconds: 1 })
  assert.equal(results.get('healthy')!.error, undefined)
  assertTold(results.get('strange')!.error, 'CPN_ERR_REQUIREMENT', /at work for 1 s.*lock-frontend/, /ps -e/)
  assert.notEqual(spawnSync('dpkg-query', ['-W', packageName]).status, 0)
  await using unprovisioner = await openUnprovisioner({ inventory, hosts: ['all'] }, quietContext())
  for (const host of unprovisioner.hosts) await unprovisioner.unprovision(host)
})

for (const rule of ['ALL', 'NOPASSWD: ALL']) {
  test(`an interrupted command of root leaves nothing behind (sudoers: ${rule})`, { skip }, async () => {
    await using host = await startSshd({ name: 'node1', password })
    using _ = sudoer(host, rule)
    await using folder = project([host])
    const { inventory, state } = await setting(folder)
    const { logger, prompter, signal } = quietContext(password)
    const { knownHostsFile, fleetId } = state
    await using connector = createConnector({ hosts: inventory.hosts, knownHostsFile, prompter, logger })
    const node = inventory.hosts[0]!
    const connect = (to: Host, ended: AbortSignal) => connector.open(to, ended)
    await using transport = await connect(node, signal)
    const facts = parseFacts((await transport.exec(factsScript(node.remoteDir, true))).stdout)!
    const release = () => Promise.reject(new Error('no release is needed'))
    const options = { fleetId, connect, release, models: [], sudo: true, prompter, logger }
    const run = (script: string, stop?: AbortSignal) =>
      execAsRoot({ facts, host: node, options, transport }, script, 'test', stop ? { signal: stop } : {})

    const plain = await run('id -u; cat; exit 3')
    assert.deepEqual([plain.exitCode, plain.stdout], [3, '0\n'], plain.stderr)
    const stop = new AbortController()
    const seconds = 100_000 + process.pid
    const sleeping = () => listProcesses().filter(({ command }) => command.includes(`sleep ${seconds}`))
    const running = run(`sh -c 'sleep ${seconds}; :'; :`, stop.signal)
    await until(() => sleeping().some(({ uid, command }) => uid === 0 && command.startsWith('sleep')), 'root sleeps')
    stop.abort(new Error('interrupted'))
    await assert.rejects(running, /interrupted/)
    await until(() => sleeping().length === 0, 'nothing of it is left', 5000)
  })
}
