import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openUnprovisioner } from '../../src/actions/nodes/unprovision.ts'
import { CpnError } from '../../src/common/errors.ts'
import { createLogger } from '../../src/common/logger.ts'
import { resolveHost } from '../../src/inventory/hosts.ts'
import type { Inventory, Requirement } from '../../src/inventory/inventory.ts'
import { openModelStore } from '../../src/models/store.ts'
import { breakInference } from '../helpers/broken-bundle.ts'
import { fileTree } from '../helpers/file-tree.ts'
import { assertIdle, assertSameTree } from '../helpers/leaks.ts'
import { project } from '../helpers/project.ts'
import { provisionAll, quietContext, setting } from '../helpers/provisioned.ts'
import { sshdMissing, startHosts, startSshd } from '../helpers/sshd.ts'

const skip = sshdMissing
const nothing: Requirement = { tags: [], apt: [], pip: [], files: [], commands: [] }

async function unprovisionAll(inventory: Inventory): Promise<void> {
  await using unprovisioner = await openUnprovisioner({ inventory, hosts: ['all'] }, quietContext())
  for (const host of unprovisioner.hosts) await unprovisioner.unprovision(host)
}

function codeOf(error: unknown): string {
  assert.ok(error instanceof CpnError, String(error))
  return error.code
}

test('a host that is not there, one that hangs and one that cannot be a node do not keep another from it', {
  skip,
}, async () => {
  await using hosts = await startHosts({ name: 'good' }, { name: 'gone' }, { name: 'frozen' }, { name: 'unfit' })
  const [good, gone, frozen] = hosts
  await using folder = project(hosts)
  const { inventory, options } = await setting(folder)
  const unfit = inventory.hosts.find(({ name }) => name === 'unfit')!
  unfit.remoteDir = `~/${'a-long-folder/'.repeat(8)}`
  gone!.stop()
  frozen!.pause()
  const context = quietContext()
  const stop = new AbortController()
  const ready = Promise.withResolvers<void>()
  const all = provisionAll(options, { ...context, signal: stop.signal }, ({ host, phase, state }) => {
    if (host === 'good' && phase === 'prune-old' && state === 'done') ready.resolve()
  })
  await ready.promise
  stop.abort(new CpnError('CPN_ERR_INTERRUPTED', 'enough seen'))
  const results = await all
  assert.equal(results.get('good')?.error, undefined)
  assert.equal(codeOf(results.get('gone')?.error), 'CPN_ERR_CONNECT_REFUSED')
  assert.equal(codeOf(results.get('unfit')?.error), 'CPN_ERR_HOST_CHECK')
  assert.ok(results.get('frozen')?.error)
  frozen!.resume()
  await unprovisionAll({ ...inventory, hosts: inventory.hosts.filter(({ name }) => name === 'good') })
  await assertIdle([good!])
})

test('while a host is provisioned, another provisioning and a removal are told who is at it', { skip }, async () => {
  await using host = await startSshd({ name: 'node1' })
  await using folder = project([host])
  const { inventory, options } = await setting(folder)
  inventory.hosts[0]!.remoteDir = '~/apps/deep/cpn'
  const bare = host.tree()
  const locked = Promise.withResolvers<void>()
  const first = provisionAll(options, quietContext(), ({ phase, state }) => {
    if (phase === 'lock' && state === 'done') locked.resolve()
  })
  await locked.promise
  const second = (await provisionAll(options)).get('node1')!
  assert.equal(codeOf(second.error), 'CPN_ERR_HOST_LOCKED')
  assert.match((second.error as Error).message, new RegExp(`process ${process.pid}`))
  await assert.rejects(unprovisionAll(inventory), { code: 'CPN_ERR_HOST_LOCKED' })
  assert.equal((await first).get('node1')?.error, undefined)
  await unprovisionAll(inventory)
  assertSameTree(host, bare)
})

test('what was interrupted is taken up again, past the lock that it left', { skip }, async () => {
  await using host = await startSshd({ name: 'node1' })
  await using folder = project([host])
  const { inventory, options } = await setting(folder)
  const bare = host.tree()
  const cut = await provisionAll(options, quietContext(), ({ phase, state, bytes = 0 }) => {
    if (phase === 'upload-release' && state === 'progress' && bytes > 10_000_000) host.stop()
  })
  assert.ok(cut.get('node1')?.error)
  assert.equal(existsSync(join(host.home, '.cpn', 'fleets')), false)
  await host.start()
  const again = (await provisionAll(options)).get('node1')
  assert.equal(again?.error, undefined)
  assert.deepEqual(
    readdirSync(join(host.home, '.cpn', 'blobs')).filter((name) => name.includes('.')),
    [],
  )
  await unprovisionAll(inventory)
  assertSameTree(host, bare)
})

test('a model that was damaged here is not put on a host with the release, and stays here', { skip }, async () => {
  await using host = await startSshd({ name: 'node1' })
  await using folder = project([host])
  const { inventory, options, state } = await setting(folder)
  const [model] = await openModelStore({ dir: state.modelsDir, logger: createLogger() }).list()
  const { path } = model!
  const bytes = readFileSync(path)
  chmodSync(path, 0o600)
  writeFileSync(path, Buffer.alloc(bytes.length))
  const { error } = (await provisionAll(options)).get('node1')!
  assert.equal(codeOf(error), 'CPN_ERR_UPLOAD')
  assert.match((error as CpnError).suggestions.join(), /cpn models verify/)
  assert.ok(existsSync(path))
  writeFileSync(path, bytes)
  assert.equal((await provisionAll(options)).get('node1')?.error, undefined)
  await unprovisionAll(inventory)
})

test('a host that forbids forwarding is found unchanged through the bridge', { skip }, async () => {
  await using host = await startSshd({ name: 'node1', config: ['AllowStreamLocalForwarding no'] })
  await using folder = project([host])
  const { inventory, options } = await setting(folder)
  assert.equal((await provisionAll(options)).get('node1')?.error, undefined)
  const { report, events } = (await provisionAll(options)).get('node1')!
  assert.equal(report?.changed, false)
  assert.equal(events.find(({ phase, state }) => phase === 'verify' && state === 'done')?.outcome, 'skipped')
  await unprovisionAll(inventory)
})

test('two fleets share a host: the release is there once, and stays until the last has gone', { skip }, async () => {
  await using host = await startSshd({ name: 'node1' })
  await using one = project([host])
  await using two = project([host])
  const [first, second] = [await setting(one), await setting(two)]
  const bare = host.tree()
  assert.equal((await provisionAll(first.options)).get('node1')?.error, undefined)
  const { report, error } = (await provisionAll(second.options)).get('node1')!
  assert.ifError(error)
  assert.ok(!report!.changes.some((change) => change.startsWith('send')))
  await unprovisionAll(first.inventory)
  assert.equal((await provisionAll(second.options)).get('node1')?.report?.changed, false)
  await unprovisionAll(second.inventory)
  assertSameTree(host, bare)
})

test('a first release that cannot infer leaves the host without an agent, and a good one works then', {
  skip,
}, async () => {
  await using host = await startSshd({ name: 'node1' })
  await using folder = project([host])
  const { inventory, options, state } = await setting(folder)
  const bare = host.tree()
  const bundleDir = join(folder.folder, 'broken')
  cpSync(options.release!.bundleDir!, bundleDir, { recursive: true })
  breakInference(join(bundleDir, 'worker.mjs'))
  const { error } = (await provisionAll({ ...options, release: { ...options.release, bundleDir } })).get('node1')!
  assert.equal(codeOf(error), 'CPN_ERR_VERIFY')
  assert.match((error as Error).message, /the host has no release in use, as before/)
  await assertIdle([host])
  assert.equal(existsSync(join(host.home, '.cpn/fleets', state.fleetId, 'current')), false)
  assert.equal((await provisionAll(options)).get('node1')?.error, undefined)
  await unprovisionAll(inventory)
  assertSameTree(host, bare)
})

test('a first release that was switched to but never verified is taken back when it cannot infer', {
  skip,
}, async () => {
  await using host = await startSshd({ name: 'node1' })
  await using folder = project([host])
  const { inventory, options, state } = await setting(folder)
  const bare = host.tree()
  const bundleDir = join(folder.folder, 'broken')
  cpSync(options.release!.bundleDir!, bundleDir, { recursive: true })
  breakInference(join(bundleDir, 'worker.mjs'))
  const broken = { ...options, release: { ...options.release, bundleDir } }
  const cut = await provisionAll(broken, quietContext(), ({ phase, state: now }) => {
    if (phase === 'switch' && now === 'done') host.stop()
  })
  assert.ok(cut.get('node1')?.error)
  const current = join(host.home, '.cpn/fleets', state.fleetId, 'current')
  assert.ok(lstatSync(current).isSymbolicLink())
  await host.start()
  const { error } = (await provisionAll(broken)).get('node1')!
  assert.equal(codeOf(error), 'CPN_ERR_VERIFY')
  assert.match((error as Error).message, /the host has no release in use, as before/)
  assert.equal(existsSync(current), false)
  await unprovisionAll(inventory)
  assertSameTree(host, bare)
})

test('required programs that are missing are named', { skip }, async () => {
  await using host = await startSshd({ name: 'node1' })
  await using folder = project([host])
  const { inventory, options } = await setting(folder)
  inventory.requirements.push({ ...nothing, commands: ['sh', 'no-such-program', 'nor-this'] })
  const { error } = (await provisionAll(options)).get('node1')!
  assert.equal(codeOf(error), 'CPN_ERR_REQUIREMENT')
  assert.match((error as Error).message, /no-such-program, nor-this/)
  await unprovisionAll(inventory)
})

test('packages that are installed need no root, others say that --sudo is needed', { skip }, async () => {
  await using host = await startSshd({ name: 'node1' })
  if (host.uid === 0) return
  await using folder = project([host])
  const { inventory, options } = await setting(folder)
  inventory.requirements.push({ ...nothing, apt: ['libc6'] })
  assert.equal((await provisionAll(options)).get('node1')?.error, undefined)
  inventory.requirements.push({ ...nothing, apt: ['cpn-no-such-package'] })
  const { error } = (await provisionAll(options)).get('node1')!
  assert.equal(codeOf(error), 'CPN_ERR_REQUIREMENT')
  assert.match((error as CpnError).suggestions.join(), /--sudo/)
  await unprovisionAll(inventory)
})

test('wheels that were sent along are installed without any index', { skip: skip || pythonMissing() }, async () => {
  await using host = await startSshd({ name: 'node1' })
  await using folder = project([host])
  const { inventory, options } = await setting(folder)
  const bare = host.tree()
  const wheel = emptyWheel(folder.folder)
  inventory.requirements.push({ ...nothing, pip: ['cpn-empty'], files: [wheel] })
  const { report, error } = (await provisionAll(options)).get('node1')!
  assert.ifError(error)
  assert.match(report!.changes.join('\n'), /send cpn_empty-1\.0-py3-none-any\.whl\ninstall Python packages/)
  assert.equal((await provisionAll(options)).get('node1')?.report?.changed, false)
  await unprovisionAll(inventory)
  assertSameTree(host, bare)
})

function pythonMissing(): string | false {
  try {
    execFileSync('/usr/bin/python3', ['-c', 'import ensurepip, venv'], { stdio: 'ignore' })
    return false
  } catch {
    return 'needs python3 with venv on this machine'
  }
}

/** The smallest wheel there can be: metadata and one module. */
function emptyWheel(folder: string): string {
  const name = 'cpn_empty-1.0-py3-none-any.whl'
  const code = `import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as z:
    i = 'cpn_empty-1.0.dist-info/'
    z.writestr('cpn_empty.py', '')
    z.writestr(i + 'METADATA', 'Metadata-Version: 2.1\\nName: cpn-empty\\nVersion: 1.0\\n')
    z.writestr(i + 'WHEEL', 'Wheel-Version: 1.0\\nGenerator: cpn\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    z.writestr(i + 'RECORD', 'cpn_empty.py,,\\n' + i + 'METADATA,,\\n' + i + 'WHEEL,,\\n' + i + 'RECORD,,\\n')
`
  execFileSync('/usr/bin/python3', ['-c', code, join(folder, name)])
  return name
}

test('a host without libatomic gets by with what the release brings', {
  skip: skip || (process.getuid?.() === 0 ? false : 'needs root, to hide a library from one host'),
}, async () => {
  const hide =
    'for f in /usr/lib/*/libatomic.so.1 /usr/lib64/libatomic.so.1; do ' +
    '[ -e "$f" ] && mount --bind /dev/null "$(readlink -f "$f")"; done; exec "$@"'
  await using host = await startSshd({ name: 'node1', launcher: () => ['unshare', '--mount', 'sh', '-c', hide, 'sh'] })
  await using folder = project([host])
  const { inventory, options } = await setting(folder)
  const bare = host.tree()
  const { error } = (await provisionAll(options)).get('node1')!
  assert.ifError(error)
  assert.equal((await provisionAll(options)).get('node1')?.report?.changed, false)
  await unprovisionAll(inventory)
  assertSameTree(host, bare)
})

test('this machine becomes a node by the same phases', async () => {
  const root = mkdtempSync(join(tmpdir(), 'cpn-local-'))
  try {
    await using folder = project()
    mkdirSync(folder.folder, { recursive: true })
    writeFileSync(folder.inventory, 'version: 1\nhosts:\n  here: { transport: local }\n')
    const { inventory, options } = await setting(folder)
    const here = resolveHost('here', { transport: 'local', remoteDir: join(root, '.cpn') }, {}, root)
    const local: Inventory = { ...inventory, hosts: [here] }
    const { report, error } = (await provisionAll({ ...options, inventory: local })).get('here')!
    assert.ifError(error)
    assert.equal(report?.changed, true)
    assert.equal((await provisionAll({ ...options, inventory: local })).get('here')?.report?.changed, false)
    await unprovisionAll(local)
    assert.deepEqual(fileTree(root), [])
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
})
