import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TreeEntry } from '../helpers/file-tree.ts'
import { countFound, dlibFaces } from '../helpers/ground-truth.ts'
import { assertIdle, assertSameTree, leakFree } from '../helpers/leaks.ts'
import { nodeStatus } from '../helpers/node-status.ts'
import { type Project, project } from '../helpers/project.ts'
import { jobsByNode } from '../helpers/run-nodes.ts'
import {
  checkAnnotated,
  type Prediction,
  type RunSummary,
  readPredictions,
  readSummary,
} from '../helpers/run-output.ts'
import { shared, sharedMissing } from '../helpers/shared.ts'
import { type SshdHost, sshdMissing, startHosts } from '../helpers/sshd.ts'

const sets = ['dlib-faces', 'ultraface-groups', 'azure-faces']
const photographs = 12 + 24 + 36

test(
  'the story of three hosts, from hosts add to unprovision',
  {
    skip: sshdMissing || sharedMissing,
    timeout: 300_000,
  },
  leakFree(async () => {
    await using hosts = await startHosts({ name: 'node1' }, { name: 'node2' }, { name: 'node3' })
    await using home = project()
    const before = hosts.map((host) => host.tree())
    await addHosts(home, hosts)
    await provisionTwice(home, hosts)
    await predictPhotographs(home)
    await stopOne(home)
    await predictOnTheOthers(home)
    await startAgain(home)
    await readLogs(home)
    await unprovisionAll(home, hosts, before)
  }),
)

async function addHosts(home: Project, [first, ...others]: SshdHost[]): Promise<void> {
  const refused = await home.cpn([
    'hosts',
    'add',
    first!.name,
    ...address(first!),
    '--host-key',
    `SHA256:${'A'.repeat(43)}`,
  ])
  assert.equal(refused.exitCode, 4, refused.stderr)
  const added = await home.addHost(first!)
  assert.ok(`${added.stdout}${added.stderr}`.includes(first!.hostKeyFingerprint), 'the fingerprint is shown')
  for (const host of others) await home.addHost(host, ['--trust-on-first-use'])
  const { stdout } = await home.ok(['hosts', 'list'])
  for (const { name, address } of [first!, ...others]) {
    assert.match(stdout, new RegExp(`${name}.*${address}`))
  }
}

function address({ address, port, user, identityFile }: SshdHost): string[] {
  return ['--address', address, '--port', `${port}`, '--user', user, '--identity-file', identityFile]
}

async function provisionTwice(home: Project, hosts: SshdHost[]): Promise<void> {
  const first = await home.ok(['provision', '--yes'])
  assertPlainLines(first.stderr)
  for (const { name } of hosts) assert.match(`${first.stdout}${first.stderr}`, new RegExp(name))
  const trees = hosts.map((host) => settledTree(host))
  const again = await home.ok(['provision', '--yes'])
  assert.match(`${again.stdout}${again.stderr}`, /unchanged|nothing (to do|changed)|up to date/i)
  assert.deepEqual(
    hosts.map((host) => settledTree(host)),
    trees,
    'the second run changed something',
  )
  for (const [name, node] of await nodeStatus(home)) assert.equal(node.state, 'ready', name)
  const { stdout } = await home.ok(['hosts', 'show', 'node1'])
  for (const part of ['first seen', hosts[0]!.hostKeyFingerprint, 'release', 'provisioned']) {
    assert.ok(stdout.includes(part), `hosts show has no ${part}:\n${stdout}`)
  }
}

/** A host's files without those that a running agent writes by itself. */
function settledTree(host: SshdHost): TreeEntry[] {
  return host.tree().filter(({ path }) => !/\/(log|run)(\/|$)/.test(path))
}

function assertPlainLines(text: string): void {
  assert.doesNotMatch(text, /\x1b/, 'plain lines without a terminal')
}

async function predictPhotographs(home: Project): Promise<void> {
  const paths = sets.map((name) => shared('photos', name))
  const run = await home.ok([
    'predict',
    '--pipeline',
    'faces',
    ...paths,
    '--out',
    'found',
    '--score-threshold',
    '0.5',
    '--yes',
    '--json',
  ])
  assertPlainLines(run.stderr)
  const out = join(home.folder, 'found')
  const summary = readSummary(out)
  assert.deepEqual(JSON.parse(run.stdout) as RunSummary, summary)
  const { inputs, done, pending, skipped } = summary
  assert.deepEqual(
    { inputs, done, pending, skipped },
    { inputs: photographs, done: photographs, pending: 0, skipped: 0 },
  )
  const predictions = readPredictions(out)
  assertEveryFaceFound(predictions)
  await checkAnnotated(out, predictions, (path) => shared('photos', path))
  const nodes = jobsByNode(home, summary.run)
  assert.ok(nodes.size > 1, `only ${[...nodes.keys()]} did work`)
}

function assertEveryFaceFound(predictions: Prediction[]): void {
  const truth = dlibFaces(...['training.xml', 'testing.xml'].map((file) => shared('photos', 'dlib-faces', file)))
  const found = predictions
    .filter(({ path }) => path.startsWith('dlib-faces/'))
    .map(({ path, faces }) => {
      const boxes = (faces ?? []).filter(({ score }) => score >= 0.5).map(({ box }) => box)
      return countFound(truth.get(path.slice('dlib-faces/'.length)) ?? [], boxes, 0.4)
    })
  assert.equal(
    found.reduce((sum, count) => sum + count, 0),
    43,
  )
}

async function stopOne(home: Project): Promise<void> {
  await home.ok(['stop', 'node2'])
  const states = [...(await nodeStatus(home)).values()].map(({ name, state }) => `${name} ${state}`)
  assert.deepEqual(states, ['node1 ready', 'node2 stopped', 'node3 ready'])
}

async function predictOnTheOthers(home: Project): Promise<void> {
  const paths = [shared('photos', 'azure-faces')]
  const { stderr } = await home.ok([
    'predict',
    '--pipeline',
    'faces',
    ...paths,
    '--out',
    'others',
    '--annotate',
    'none',
    '--yes',
  ])
  assert.match(stderr, /node2 does no work: .*CPN_ERR_NODE_STOPPED/)
  const out = join(home.folder, 'others')
  const { done, run } = readSummary(out)
  assert.equal(done, 36)
  assert.ok(!jobsByNode(home, run).has('node2'))
  assert.equal((await nodeStatus(home)).get('node2')!.state, 'stopped')
}

async function startAgain(home: Project): Promise<void> {
  await home.ok(['start', 'node2'])
  const { state, hostKey, firstSeen, lastSeen } = (await nodeStatus(home)).get('node2')!
  assert.equal(state, 'ready')
  assert.match(hostKey!, /^SHA256:/)
  assert.ok(firstSeen !== null && lastSeen !== null && firstSeen <= lastSeen)
}

async function readLogs(home: Project): Promise<void> {
  const { stdout } = await home.ok(['logs', 'node1'])
  assert.match(stdout, /agent started/)
  const follow = home.spawn(['logs', 'node1', '-f'])
  await follow.waitFor(/\n/, 'stdout')
  follow.kill('SIGINT')
  const { exitCode } = await follow.exited
  assert.ok(exitCode === 130 || exitCode === 0, `logs -f ended with ${exitCode}`)
}

async function unprovisionAll(home: Project, hosts: SshdHost[], before: TreeEntry[][]): Promise<void> {
  await home.ok(['unprovision', 'all', '--yes'])
  await assertIdle(hosts)
  for (const [index, host] of hosts.entries()) assertSameTree(host, before[index]!)
  const states = [...(await nodeStatus(home)).values()].map(({ state }) => state)
  assert.deepEqual(states, ['unprovisioned', 'unprovisioned', 'unprovisioned'])
}
