import assert from 'node:assert/strict'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { addTinyDetector } from './drawn-job.ts'
import { assertIdle } from './leaks.ts'
import { project } from './project.ts'
import { assertWhole, drawMixed, outputDigests } from './resumed-run.ts'
import { readSummary } from './run-output.ts'
import { startHosts } from './sshd.ts'

/** About what a master takes to start. */
const startMs = 700

/** Runs once undisturbed, then anew with kills at random moments, looks at OUT after each, and compares the ends. */
export async function killAndResume(nodes: string[], pictures: number, kills: number): Promise<void> {
  await using hosts = await startHosts(...nodes.map((name) => ({ name })))
  await using home = project(hosts)
  await drawMixed(join(home.folder, 'many'), pictures)
  const detector = await addTinyDetector(home)
  await home.ok(['provision', '--yes'])

  const out = join(home.folder, 'many-predicted')
  const command = ['predict', '--pipeline', 'faces', 'many', '--detector', detector]
  const started = performance.now()
  assert.equal((await home.cpn(command)).exitCode, 7)
  const wholeMs = performance.now() - started
  const wanted = outputDigests(out)
  const whole = readSummary(out)
  rmSync(out, { recursive: true })
  rmSync(join(home.folder, '.cpn', 'ledger.db'))

  for (let kill = 0; kill < kills; kill++) {
    const run = home.spawn(command)
    // Before, while and after it works; little enough for something to be left for the last one.
    await sleep(Math.random() * (startMs + (2 * wholeMs) / kills))
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
}
