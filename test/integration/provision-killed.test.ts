import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  cpSync,
  existsSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openUnprovisioner } from '../../src/actions/nodes/unprovision.ts'
import { loadInventory } from '../../src/inventory/load.ts'
import type { PhaseOutcome, ProvisionEvent } from '../../src/provision/phase.ts'
import { provisionPhases } from '../../src/provision/phases/index.ts'
import { AgentWatch } from '../helpers/agent-watch.ts'
import type { TreeEntry } from '../helpers/file-tree.ts'
import { assertIdle, assertSameTree } from '../helpers/leaks.ts'
import { type Project, project } from '../helpers/project.ts'
import { provisionAll, quietContext, type Setting, setting } from '../helpers/provisioned.ts'
import { type FaultProxy, startProxy } from '../helpers/proxy.ts'
import { repositoryRoot } from '../helpers/shared.ts'
import { type SshdHost, sshdMissing, startSshd } from '../helpers/sshd.ts'
import { tinyManifest } from '../helpers/tiny-model.ts'
import { until } from '../helpers/until.ts'

const skip = sshdMissing
const fixture = join(repositoryRoot, 'test', 'fixtures', 'provision-killed.ts')
/** Phases after which another release than the one before is the current one. */
const afterSwitch = ['start', 'verify', 'prune-old']
let host: SshdHost
let proxy: FaultProxy
let folder: Project
let set: Setting
let bare: TreeEntry[]
/** Settings, required file and release differ each time, so that every phase has something to do. */
let turn = 0

before(async () => {
  if (skip) return
  host = await startSshd({ name: 'node1' })
  proxy = await startProxy(host)
  folder = project([host])
  set = await setting(folder)
  bare = host.tree()
  for (const name of ['a', 'b']) {
    cpSync(set.options.release!.bundleDir!, join(folder.folder, name), { recursive: true })
    appendFileSync(join(folder.folder, name, 'worker.mjs'), `\n// ${name}\n`)
  }
  await provisionNext()
})

after(async () => {
  if (skip) return
  await folder[Symbol.asyncDispose]()
  await proxy[Symbol.asyncDispose]()
  await host[Symbol.asyncDispose]()
})

const at = (path: string) => join(host.home, '.cpn', path)
const fleet = (path: string) => at(`fleets/${set.state.fleetId}/${path}`)
const current = () => basename(readlinkSync(fleet('current')))
const release = () => ({ ...set.options.release, bundleDir: join(folder.folder, turn % 2 ? 'a' : 'b') })
const auditLines = () =>
  readFileSync(fleet('audit.ndjson'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

/** Writes the inventory that this turn's provisioning works by. */
function writeInventory({ port, address } = { port: host.port, address: host.address }): void {
  writeFileSync(join(folder.folder, 'required.txt'), `${turn}`)
  const place = `address: ${address}, port: ${port}, user: ${host.user}, identityFile: ${host.identityFile}`
  const hosts = `hosts:\n  node1: { ${place}, nice: ${turn % 2} }`
  writeFileSync(folder.inventory, `version: 1\n${hosts}\nrequirements:\n  - { files: [./required.txt] }\n`)
}

async function provisionNow(onEvent: (event: ProvisionEvent) => void = () => {}, onlyFailed = false) {
  const inventory = await loadInventory(folder.inventory)
  const options = { ...set.options, inventory, release: release(), onlyFailed }
  return (await provisionAll(options, quietContext(), onEvent)).get('node1')
}

async function provisionNext(): Promise<void> {
  turn++
  writeInventory()
  assert.ifError((await provisionNow())?.error)
}

/** A master that is killed when a phase tells of this state. */
async function killMaster(phase: string, state: ProvisionEvent['state'] | 'late'): Promise<void> {
  turn++
  writeInventory()
  const args = [fixture, folder.inventory, JSON.stringify({ release: release() }), phase, state]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] })
  const [, signal] = await once(child, 'exit')
  assert.equal(signal, 'SIGKILL', `the provisioning never came to ${phase}`)
}

/** A connection that is cut when a phase tells of this state; the master lives on. */
async function cutConnection(phase: string, state: ProvisionEvent['state'] | 'late'): Promise<void> {
  turn++
  writeInventory(proxy)
  let cut = false
  const cutNow = async () => {
    cut = true
    if (state === 'late') await sleep(250)
    proxy.cut()
  }
  // A connection that is cut before it stands is tried once more: none of them comes to anything.
  const cutting = phase === 'connect' ? setInterval(() => proxy.cut(), 5) : undefined
  const result = await provisionNow((event) => {
    if (event.phase === phase && event.state === (state === 'late' ? 'start' : state) && !cut) void cutNow()
  })
  clearInterval(cutting)
  assert.ok(result?.error, 'a provisioning whose connection is cut does not succeed')
  writeInventory()
}

const interruptions = { 'a master that is killed': killMaster, 'a connection that is cut': cutConnection }
/**
 * A cut is noticed by the first phase after it that says something over the connection. The verification has one of its own,
 * and may find that the host has gone back already.
 */
const noticedIn: Record<string, string[]> = {
  'check start': ['lock'],
  'compare start': ['lock'],
  'start done': ['verify', 'prune-old'],
  'verify start': ['verify', 'prune-old'],
}

/** late: a quarter of a second into the phase, when the agent before is on its way out. */
const moments: [phase: string, state: ProvisionEvent['state'] | 'late'][] = [
  ['connect', 'start'],
  ['gather-facts', 'start'],
  ['check', 'start'],
  ['compare', 'start'],
  ['lock', 'start'],
  ['requirements', 'start'],
  ['upload-release', 'start'],
  ['upload-release', 'progress'],
  ['configure', 'start'],
  ['switch', 'start'],
  ['start', 'start'],
  ['start', 'late'],
  ['start', 'done'],
  ['verify', 'start'],
  ['prune-old', 'start'],
]

const firstSending = moments.findIndex(([phase]) => phase === 'upload-release')
/** Before anything is sent a cut leaves a host as a kill does. CPN_TEST_ALL=1 cuts there as well. */
const cutMoments = process.env.CPN_TEST_ALL ? moments : moments.slice(firstSending)

for (const [what, interrupt] of Object.entries(interruptions)) {
  for (const [phase, state] of interrupt === cutConnection ? cutMoments : moments) {
    test(`${what} in ${phase} (${state}) leaves the release before at work, and the next run finishes`, {
      skip,
    }, async () => {
      await using agent = new AgentWatch(fleet('run/agent.sock'))
      const old = current()
      await interrupt(phase, state)
      await until(() => current() === old && !existsSync(fleet('previous')), 'the release before is current', 60_000)
      await agent.answersFrom(old)
      if (!afterSwitch.includes(phase)) assert.deepEqual([...agent.seen], [old], 'it answered all the time')
      const again = await provisionNow(undefined, true)
      assert.ifError(again?.error)
      const noticed = interrupt === cutConnection ? (noticedIn[`${phase} ${state}`] ?? [phase]) : [phase]
      const resumed = again?.report?.resumed?.phase
      assert.ok(resumed !== undefined && noticed.includes(resumed), `taken up in ${resumed}`)
      assert.notEqual(current(), old)
      await agent.answersFrom(current())
      assert.equal(await provisionNow(undefined, true), undefined)
      assert.equal((await provisionNow())?.report?.changed, false)
      const { event, from, to } = auditLines().at(-1)
      assert.deepEqual([event, from, to], ['provisioned', old, current()])
    })
  }
}

test('a master that is killed while it sends models sends them the next time', { skip }, async () => {
  const model = at(`models/${tinyManifest().sha256}`)
  rmSync(model)
  turn--
  await killMaster('upload-models', 'start')
  assert.equal(existsSync(model), false)
  const { report, error } = (await provisionNow(undefined, true))!
  assert.ifError(error)
  assert.equal(report?.resumed?.phase, 'upload-models')
  assert.ok(existsSync(model))
})

test('what is finished is not done again: the next run begins with the phase that was cut off', { skip }, async () => {
  await killMaster('switch', 'start')
  const { events } = (await provisionNow())!
  const outcomes = new Map<string, PhaseOutcome | undefined>()
  for (const { phase, state, outcome } of events) if (state === 'done') outcomes.set(phase, outcome)
  const writing = ['requirements', 'upload-release', 'upload-models', 'configure', 'switch']
  assert.deepEqual(
    writing.map((phase) => outcomes.get(phase)),
    ['unchanged', 'unchanged', 'unchanged', 'unchanged', 'changed'],
  )
  assert.equal(outcomes.size, provisionPhases.length)
})

test('audit lines are for this user only and say who, what and when', { skip }, async () => {
  assert.equal(statSync(fleet('audit.ndjson')).mode & 0o777, 0o600)
  for (const line of auditLines()) assert.match(line.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  for (const line of auditLines()) assert.match(line.by, /.@./)
  const events = new Set(auditLines().map(({ event }) => event))
  assert.deepEqual([...events].toSorted(), ['provisioned', 'rolled-back'])
  const here = await set.state.hostHistory('node1')
  const provisioned = here.findLast(({ event }) => event === 'provisioned')
  assert.deepEqual([provisioned?.release, typeof provisioned?.by], [current(), 'string'])
  assert.equal(statSync(join(set.state.dir, 'hosts', 'node1.ndjson')).mode & 0o777, 0o600)
})

test('a first release that nobody verified does not stay either', { skip }, async () => {
  await unprovision()
  await killMaster('verify', 'start')
  await until(() => !existsSync(fleet('current')) && !existsSync(at('lock')), 'it is taken back', 60_000)
  await assertIdle([host])
  assert.ifError((await provisionNow())?.error)
})

test('nothing of it is left on the host', { skip }, async () => {
  await unprovision()
  await assertIdle([host])
  assertSameTree(host, bare)
})

async function unprovision(): Promise<void> {
  await using unprovisioner = await openUnprovisioner({ inventory: set.inventory, hosts: ['all'] }, quietContext())
  for (const each of unprovisioner.hosts) await unprovisioner.unprovision(each)
}
