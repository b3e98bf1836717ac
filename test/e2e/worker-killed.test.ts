import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { addTinyDetector, drawMany } from '../helpers/drawn-job.ts'
import { assertIdle, leakFree } from '../helpers/leaks.ts'
import { signalProcess, type TestProcess } from '../helpers/processes.ts'
import { project } from '../helpers/project.ts'
import { countWritten, readSummary } from '../helpers/run-output.ts'
import { type SshdHost, sshdMissing, startHosts } from '../helpers/sshd.ts'
import { until } from '../helpers/until.ts'

const pictures = 150

test(
  'a run goes on when a worker is killed in the middle of it, and the worker is replaced',
  {
    skip: sshdMissing,
    timeout: 180_000,
  },
  leakFree(async () => {
    await using hosts = await startHosts({ name: 'node1', held: true })
    await using home = project(hosts)
    await drawMany(join(home.folder, 'many'), pictures)
    const detector = await addTinyDetector(home)
    await home.ok(['provision', '--yes'])
    const before = workers(hosts[0]!)
    assert.ok(before.length > 0, 'the agent has workers')

    const out = join(home.folder, 'many-predicted')
    const run = home.spawn(['predict', '--pipeline', 'faces', 'many', '--detector', detector])
    await until(() => countWritten(out) >= 10, 'ten pictures are written')
    signalProcess(before[0]!.pid, 'SIGKILL')
    const { exitCode } = await run.exited
    assert.equal(exitCode, 0, run.describe())
    assert.equal(readSummary(out).done, pictures)
    await until(() => workers(hosts[0]!).length === before.length, 'the worker is replaced')
    assert.ok(!workers(hosts[0]!).some(({ pid }) => pid === before[0]!.pid))

    await home.ok(['unprovision', 'all', '--yes'])
    await assertIdle(hosts)
  }),
)

function workers(host: SshdHost): TestProcess[] {
  return host.processes().filter(({ command }) => /\bworker\.mjs\b/.test(command))
}
