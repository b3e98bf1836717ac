import assert from 'node:assert/strict'
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  truncateSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { after, before, test } from 'node:test'
import type { ProvisionOptions } from '../../src/actions/nodes/provision.ts'
import { openUnprovisioner } from '../../src/actions/nodes/unprovision.ts'
import { provisionPhases } from '../../src/provision/phases/index.ts'
import { breakInference } from '../helpers/broken-bundle.ts'
import type { TreeEntry } from '../helpers/file-tree.ts'
import { assertIdle, assertSameTree } from '../helpers/leaks.ts'
import { signalProcess } from '../helpers/processes.ts'
import { type Project, project } from '../helpers/project.ts'
import { type Provisioned, provisionAll, quietContext, type Setting, setting } from '../helpers/provisioned.ts'
import { type SshdHost, sshdMissing, startSshd } from '../helpers/sshd.ts'
import { until } from '../helpers/until.ts'

const skip = sshdMissing
const neverStarts = join(import.meta.dirname, '../fixtures/worker-that-never-starts.mjs')
let host: SshdHost
let folder: Project
let set: Setting
let bare: TreeEntry[]

before(async () => {
  if (skip) return
  host = await startSshd({ name: 'node1' })
  folder = project([host])
  set = await setting(folder)
  bare = host.tree()
})

after(async () => {
  if (skip) return
  await folder[Symbol.asyncDispose]()
  await host[Symbol.asyncDispose]()
})

async function provisionOne(changes: Partial<ProvisionOptions> = {}): Promise<Provisioned> {
  const result = (await provisionAll({ ...set.options, ...changes })).get('node1')
  assert.ok(result)
  return result
}

async function provisionWell(changes: Partial<ProvisionOptions> = {}) {
  const { report, error, events } = await provisionOne(changes)
  assert.ifError(error)
  assert.ok(report)
  return { report, events }
}

const at = (path: string) => join(host.home, '.cpn', path)
const current = () => basename(readlinkSync(at(`fleets/${set.state.fleetId}/current`)))
const agentPid = () =>
  host.processes().find(({ command }) => command.includes('agent.mjs') && command.includes(' run'))?.pid

/** A bundle with another worker than the sources make. */
async function changedBundle(name: string, change: (worker: string) => void): Promise<ProvisionOptions['release']> {
  const bundleDir = join(folder.folder, name)
  if (existsSync(bundleDir)) return { ...set.options.release, bundleDir }
  cpSync(set.options.release!.bundleDir!, bundleDir, { recursive: true })
  change(join(bundleDir, 'worker.mjs'))
  return { ...set.options.release, bundleDir }
}

const nextVersion = (worker: string) => appendFileSync(worker, '\n// next\n')

test('a dry run says what would change and writes nothing on the host', { skip }, async () => {
  const { report } = await provisionWell({ dryRun: true })
  assert.equal(report.changed, true)
  assert.match(report.changes.join('\n'), /send the release: \d+ files, 2\d\d MiB[\s\S]*switch to release/)
  assertSameTree(host, bare)
})

test('a bare host becomes a node that has looked at real pictures', { skip }, async () => {
  const { report, events } = await provisionWell()
  assert.equal(report.changed, true)
  assert.equal(report.supervisor, 'keeper')
  assert.equal(current(), report.release)
  assert.ok(agentPid())
  assert.equal(existsSync(at('lock')), false)
  const done = events.filter(({ state }) => state === 'done').map(({ phase }) => phase)
  assert.deepEqual(
    done,
    provisionPhases.map(({ name }) => name),
  )
  const sent = events.filter(({ phase, state }) => phase === 'upload-release' && state === 'progress').at(-1)
  assert.equal(sent?.bytes, sent?.totalBytes)
  const history = await set.state.hostHistory('node1')
  assert.deepEqual([history.at(-1)?.event, history.at(-1)?.release], ['provisioned', report.release])
  assert.ok(report.seconds['upload-release']! > 0 && report.seconds.verify! > 0)
  assert.equal(report.seconds.requirements, undefined)
})

test('a second run changes nothing and leaves the agent running', { skip }, async () => {
  const [tree, pid, logins] = [withoutRun(host.tree()), agentPid(), loginsSoFar()]
  const { report, events } = await provisionWell()
  assert.deepEqual([report.changed, report.changes], [false, []])
  assert.deepEqual(withoutRun(host.tree()), tree)
  assert.equal(agentPid(), pid)
  assert.ok(!events.some(({ outcome }) => outcome === 'changed'))
  assert.equal(events.find(({ phase, state }) => phase === 'verify' && state === 'done')?.outcome, 'skipped')
  assert.equal(loginsSoFar(), logins + 1)
  assert.equal((await set.state.hostHistory('node1')).filter(({ event }) => event === 'provisioned').length, 1)
})

const loginsSoFar = () => host.log().match(/Accepted publickey/g)?.length ?? 0

test('an agent that does not answer is no unchanged node: it is started again and verified', { skip }, async () => {
  for (const { pid, command } of host.processes()) if (command.includes('agent.mjs')) signalProcess(pid, 'SIGKILL')
  await until(() => agentPid() === undefined, 'the agent is gone')
  const { report, events } = await provisionWell()
  assert.deepEqual([report.changed, report.changes], [true, []])
  assert.ok(agentPid())
  assert.equal(events.find(({ phase, state }) => phase === 'verify' && state === 'done')?.outcome, 'unchanged')
})

test('what was written and never verified is no unchanged node either', { skip }, async () => {
  const [mark, pid] = [at(`fleets/${set.state.fleetId}/unfinished`), agentPid()]
  const inventory = { ...set.inventory, hosts: set.inventory.hosts.map((entry) => ({ ...entry, workers: 1 })) }
  const cut = await provisionAll({ ...set.options, inventory }, quietContext(), ({ phase, state }) => {
    if (phase === 'configure' && state === 'done') host.stop()
  })
  assert.ok(cut.get('node1')?.error)
  assert.ok(existsSync(mark))
  await host.start()
  const dry = await provisionWell({ inventory, dryRun: true })
  assert.deepEqual(dry.report.changes, ['verify what an earlier provisioning left unverified'])
  assert.equal((await provisionWell({ inventory })).report.changed, true)
  assert.notEqual(agentPid(), pid)
  assert.equal(existsSync(mark), false)
  assert.equal((await provisionWell({ inventory })).report.changed, false)
  await provisionWell()
})

// What the running agent itself writes: logs, and what is in run/.
function withoutRun(tree: TreeEntry[]): TreeEntry[] {
  return tree.filter(({ path }) => !/\/(log|run)\//.test(path))
}

test('a truncated blob is sent again, and only that', { skip }, async () => {
  const name = blobOf('fonts/DejaVuSans.ttf')
  chmodSync(at(`blobs/${name}`), 0o600)
  truncateSync(at(`blobs/${name}`), 100)
  const { report, events } = await provisionWell()
  assert.match(report.changes.join('\n'), /send part of the release: 1 file,/)
  const total = events.find(({ phase, state }) => phase === 'upload-release' && state === 'progress')?.totalBytes
  assert.ok(total && total < 1_000_000, `${total} bytes were sent`)
  assert.equal((await provisionWell()).report.changed, false)
})

function blobOf(path: string): string {
  const entry = host.tree().find((file) => file.path.endsWith(`releases/${current()}/${path}`))
  assert.ok(entry)
  return entry.digest
}

test('a release that cannot infer is rolled back, and the one before goes on', { skip }, async () => {
  const before = current()
  const release = await changedBundle('broken', breakInference)
  const { error } = await provisionOne({ release })
  assert.equal((error as { code: string }).code, 'CPN_ERR_VERIFY')
  assert.equal((error as { exitCode: number }).exitCode, 5)
  assert.match((error as Error).message, new RegExp(`rolled back to release ${before.slice(0, 12)}`))
  assert.equal(current(), before)
  assert.equal(existsSync(at(`fleets/${set.state.fleetId}/previous`)), false)
  assert.equal(existsSync(at('lock')), false)
  cutOffAfterSwitch(readdirSync(at('releases')).find((name) => name !== before)!, before)
  const again = await provisionOne({ release })
  assert.match((again.error as Error).message, new RegExp(`rolled back to release ${before.slice(0, 12)}`))
  assert.equal(current(), before)
  const { report } = await provisionWell()
  assert.equal(report.release, before)
  assert.deepEqual(readdirSync(at('releases')), [before])
})

test('a release whose workers do not start is rolled back by their own reason, not by a time that ran out', {
  skip,
}, async () => {
  const before = current()
  const release = await changedBundle('unstartable', (worker) => cpSync(neverStarts, worker))
  const { error } = await provisionOne({ release })
  assert.match((error as Error).message, /its workers ended \d+ times as they started/)
  assert.match((error as Error).message, /a library is missing/)
  assert.match((error as Error).message, new RegExp(`rolled back to release ${before.slice(0, 12)}`))
  assert.equal(current(), before)
  assert.ok(agentPid())
})

/** What a master that was killed before the verification leaves. */
function cutOffAfterSwitch(unverified: string, before: string): void {
  for (const [link, release] of [
    ['current', unverified],
    ['previous', before],
  ]) {
    const path = at(`fleets/${set.state.fleetId}/${link}`)
    rmSync(path, { force: true })
    symlinkSync(`../../releases/${release}`, path)
  }
}

test('a new release takes over and the old one is removed', { skip }, async () => {
  const [before, pid] = [current(), agentPid()]
  const { report } = await provisionWell({
    release: await changedBundle('next', nextVersion),
  })
  assert.notEqual(report.release, before)
  assert.equal(current(), report.release)
  assert.notEqual(agentPid(), pid)
  assert.deepEqual(readdirSync(at('releases')), [report.release])
  const release = host.tree().filter(({ path }) => path.startsWith(`.cpn/releases/${report.release}/`))
  const contents = new Set(release.filter(({ type }) => type === 'file').map(({ digest }) => digest))
  assert.deepEqual(readdirSync(at('blobs')).toSorted(), [...contents].toSorted())
})

test('changed settings restart the agent with them', { skip }, async () => {
  const pid = agentPid()
  const inventory = { ...set.inventory, hosts: set.inventory.hosts.map((entry) => ({ ...entry, workers: 1 })) }
  const { report } = await provisionWell({
    inventory,
    release: await changedBundle('next', nextVersion),
  })
  assert.deepEqual(report.changes, ['write the agent’s settings'])
  assert.notEqual(agentPid(), pid)
})

test('unprovision leaves the host as it was', { skip }, async () => {
  const options = { inventory: set.inventory, hosts: ['node1'] }
  await using unprovisioner = await openUnprovisioner(options, quietContext())
  assert.deepEqual(await unprovisioner.unprovision(unprovisioner.hosts[0]!), { removed: true })
  assertSameTree(host, bare)
  await assertIdle([host])
  assert.deepEqual(await unprovisioner.unprovision(unprovisioner.hosts[0]!), { removed: false })
  assert.equal((await set.state.hostHistory('node1')).at(-1)?.event, 'unprovisioned')
})

test('unprovision works when the runtime on the host is broken', { skip }, async () => {
  await provisionWell()
  const runtime = at(`releases/${current()}/bin/node`)
  assert.ok(agentPid())
  chmodSync(runtime, 0o000)
  await using unprovisioner = await openUnprovisioner({ inventory: set.inventory, hosts: ['node1'] }, quietContext())
  assert.deepEqual(await unprovisioner.unprovision(unprovisioner.hosts[0]!), { removed: true })
  assertSameTree(host, bare)
  await assertIdle([host])
})
