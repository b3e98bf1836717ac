import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CpnProcess } from '../helpers/cli.ts'
import { addTinyDetector, drawMany } from '../helpers/drawn-job.ts'
import { assertIdle, leakFree } from '../helpers/leaks.ts'
import { type Project, project } from '../helpers/project.ts'
import { checkAnnotated, countWritten, readPredictions, readSummary } from '../helpers/run-output.ts'
import { type SshdHost, sshdMissing, startHosts } from '../helpers/sshd.ts'
import { until } from '../helpers/until.ts'

const pictures = 600
// Ctrl-C of a terminal reaches a program twice when it has a parent that passes it on; two within this time are one.
const gestureMs = 400

test(
  'Ctrl-C drains, a second one aborts, and neither leaves anything running',
  {
    skip: sshdMissing,
    timeout: 240_000,
  },
  leakFree(async () => {
    await using hosts = await startHosts({ name: 'node1', held: true }, { name: 'node2', held: true })
    await using home = project(hosts)
    await drawMany(join(home.folder, 'many'), pictures)
    const detector = await addTinyDetector(home)
    await home.ok(['provision', '--yes'])
    const idle = running(hosts)

    await drains(home, detector)
    await untilRunning(hosts, idle)
    await aborts(home, hosts, detector)
    await untilRunning(hosts, idle)

    await home.ok(['unprovision', 'all', '--yes'])
    await assertIdle(hosts)
  }),
)

async function drains(home: Project, detector: string): Promise<void> {
  const out = join(home.folder, 'drained')
  const run = await startRun(home, detector, out)
  run.kill('SIGINT')
  const { exitCode, stdout } = await run.exited
  assert.equal(exitCode, 130, run.describe())
  const summary = readSummary(out)
  assert.deepEqual(JSON.parse(stdout), summary)
  assert.ok(summary.pending > 0 && summary.done >= 10, JSON.stringify(summary))
  assert.equal(summary.inputs, pictures)
  await checkAnnotated(out, readPredictions(out), (path) => join(home.folder, 'many', path))
}

async function aborts(home: Project, hosts: SshdHost[], detector: string): Promise<void> {
  const out = join(home.folder, 'aborted')
  const run = await startRun(home, detector, out)
  // Frozen hosts finish nothing, so that only the second one can end the run this soon.
  for (const host of hosts) host.pause()
  run.kill('SIGINT')
  await sleep(gestureMs)
  run.kill('SIGINT')
  const { exitCode } = await run.exited
  for (const host of hosts) host.resume()
  assert.equal(exitCode, 130, run.describe())
}

/** A run that has written its first results and has most of its work before it. */
async function startRun(home: Project, detector: string, out: string): Promise<CpnProcess> {
  const run = home.spawn(['predict', '--pipeline', 'faces', 'many', '--detector', detector, '--out', out, '--json'])
  let ended = false
  run.exited.finally(() => {
    ended = true
  })
  await until(() => ended || countWritten(out) >= 10, 'ten pictures are written')
  assert.ok(!ended, run.describe())
  return run
}

function running(hosts: SshdHost[]): string[] {
  return hosts.flatMap((host) => host.processes().map(({ command }) => `${host.name}: ${command}`)).sort()
}

/** Waits until the hosts run what they ran before, and nobody is connected any more. */
async function untilRunning(hosts: SshdHost[], before: string[]): Promise<void> {
  const isIdle = (): boolean => hosts.every((host) => host.connections().length === 0)
  await until(isIdle, 'the connections are closed')
  await until(() => running(hosts).length <= before.length, 'nothing more runs than before').catch(() => {})
  assert.deepEqual(running(hosts), before)
}
