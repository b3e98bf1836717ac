import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { AgentWatch } from '../helpers/agent-watch.ts'
import { addTinyDetector, drawMany } from '../helpers/drawn-job.ts'
import { project } from '../helpers/project.ts'
import { provisionAll, setting } from '../helpers/provisioned.ts'
import { jobsByNode } from '../helpers/run-nodes.ts'
import { countWritten, readPredictions, readSummary } from '../helpers/run-output.ts'
import { slowWorkers, workersOn } from '../helpers/slow-workers.ts'
import { type SshdHost, sshdMissing, startHosts } from '../helpers/sshd.ts'
import { until } from '../helpers/until.ts'

const pictures = 400

test('nodes are updated one after the other while a run goes on, and no image is lost', {
  skip: sshdMissing,
}, async () => {
  await using hosts = await startHosts({ name: 'node1', held: true }, { name: 'node2', held: true })
  await using home = project(hosts)
  const { options, state } = await setting(home)
  const detector = await addTinyDetector(home)
  await drawMany(join(home.folder, 'many'), pictures)
  for (const [, { error }] of await provisionAll(options)) assert.ifError(error)
  const socketOf = (host: SshdHost) => join(host.home, '.cpn/fleets', state.fleetId, 'run/agent.sock')
  const [first, second] = [new AgentWatch(socketOf(hosts[0]!)), new AgentWatch(socketOf(hosts[1]!))]
  await using _first = first
  await using _second = second
  const out = join(home.folder, 'out')
  const run = home.spawn(['predict', '--pipeline', 'faces', 'many', '--detector', detector, '--out', out, '--json'])
  await until(() => countWritten(out) >= 10, 'ten pictures are written')
  const slow = slowWorkers(() => hosts.flatMap(workersOn))
  // The built program brings another release than the sources did.
  const { stdout } = await home.ok(['provision', '--batch', '1', '--yes', '--json'])
  const updated = JSON.parse(stdout).hosts as { changed: boolean; release: string }[]
  assert.deepEqual(
    updated.map(({ changed }) => changed),
    [true, true],
  )
  assert.ok(countWritten(out) < pictures, 'the run went on when the update was done')
  slow[Symbol.dispose]()
  const { exitCode } = await run.exited
  assert.equal(exitCode, 0, run.describe())
  const { done, inputs, run: id } = readSummary(out)
  assert.deepEqual([done, inputs, readPredictions(out).length], [pictures, pictures, pictures])
  assert.deepEqual([...jobsByNode(home, id).keys()], ['node1', 'node2'])
  for (const watch of [first, second]) assert.equal(await watch.answersFrom(updated[0]!.release), undefined)
  await home.ok(['unprovision', 'all', '--yes'])
})
