import assert from 'node:assert/strict'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { addTinyDetector } from '../helpers/drawn-job.ts'
import { assertIdle, leakFree } from '../helpers/leaks.ts'
import { project } from '../helpers/project.ts'
import { assertWhole, drawMixed, outputDigests } from '../helpers/resumed-run.ts'
import { readSummary } from '../helpers/run-output.ts'
import { sshdMissing, startHosts } from '../helpers/sshd.ts'

const pictures = Number(process.env.CPN_TEST_PICTURES ?? 60)
const kills = Number(process.env.CPN_TEST_KILLS ?? 5)

test(
  `a master that is killed ${kills} times at any moment and resumed writes what an undisturbed one writes`,
  { skip: sshdMissing, timeout: 120_000 + kills * 10_000 },
  leakFree(async () => {
    await using hosts = await startHosts({ name: 'node1' })
    await using home = project(hosts)
    await drawMixed(join(home.folder, 'many'), pictures)
    const detector = await addTinyDetector(home)
    await home.ok(['provision', '--yes'])

    const out = join(home.folder, 'many-predicted')
    const command = ['predict', 'many', '--detector', detector]
    const started = performance.now()
    assert.equal((await home.cpn(command)).exitCode, 7)
    const wholeMs = performance.now() - started
    const wanted = outputDigests(out)
    const whole = readSummary(out)
    rmSync(out, { recursive: true })
    rmSync(join(home.folder, '.cpn', 'ledger.db'))

    for (let kill = 0; kill < kills; kill++) {
      const run = home.spawn(command)
      await sleep(Math.random() * wholeMs)
      run.kill('SIGKILL')
      await run.exited
      if (existsSync(out)) assertWhole(home, out, wanted)
    }
    const last = await home.cpn(command)
    assert.equal(last.exitCode, 7, last.stderr)
    assert.deepEqual(outputDigests(out), wanted)
    const summary = readSummary(out)
    assert.deepEqual([summary.inputs, summary.failed], [whole.inputs, whole.failed])
    assert.equal(summary.done + summary.skipped, whole.done)

    await home.ok(['unprovision', 'all', '--yes'])
    await assertIdle(hosts)
  }),
)
