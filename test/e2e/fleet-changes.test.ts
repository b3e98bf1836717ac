import assert from 'node:assert/strict'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { CpnProcess } from '../helpers/cli.ts'
import { addTinyDetector, drawMany } from '../helpers/drawn-job.ts'
import { assertIdle, leakFree } from '../helpers/leaks.ts'
import { type Project, project } from '../helpers/project.ts'
import { startProxy } from '../helpers/proxy.ts'
import { jobsByNode } from '../helpers/run-nodes.ts'
import { checkAnnotated, readPredictions, readSummary } from '../helpers/run-output.ts'
import { sshdMissing, startHosts } from '../helpers/sshd.ts'
import { until } from '../helpers/until.ts'

const pictures = 4000

test(
  'a fleet changes while a run goes on: hosts join, leave, move, are stopped and started',
  {
    skip: sshdMissing,
    timeout: 240_000,
  },
  leakFree(async () => {
    await using hosts = await startHosts({ name: 'node1', held: true }, { name: 'node2', held: true })
    const [node1, node2] = hosts
    await using proxy = await startProxy(node1!)
    await using home = project([node1!])
    await drawMany(join(home.folder, 'many'), pictures)
    const detector = await addTinyDetector(home)
    await home.ok(['provision', '--yes'])

    const out = join(home.folder, 'found')
    const run = home.spawn([
      'predict',
      '--pipeline',
      'faces',
      'many',
      '--detector',
      detector,
      '--out',
      out,
      '--audit',
      '0',
      '--json',
    ])
    const [, id] = await run.waitFor(/run (\S+) on node1/)
    await takesPart(home, id!, 'node1')

    await home.addHost(node2!)
    await run.waitFor(/node2 is new in the inventory/)
    await home.ok(['provision', 'node2', '--yes'])
    await takesPart(home, id!, 'node2')

    const whole = readFileSync(home.inventory, 'utf8')
    appendFileSync(home.inventory, '  node3: { port: none }\n')
    await run.waitFor(/the inventory was changed, but cannot be used/)

    writeFileSync(home.inventory, whole.replace(/^ +node1: .*\n/m, ''))
    await run.waitFor(/node1 has left the inventory/)
    await getsNothing(home, id!, 'node1')

    // Its key is on record under its name, so that it is the same machine wherever it is found.
    const moved = `address: ${proxy.address}, port: ${proxy.port}`
    writeFileSync(home.inventory, whole.replace(/(node1: {) address: \S+ port: \d+/, `$1 ${moved}`))
    await takesPart(home, id!, 'node1')
    assert.ok(proxy.connections > 0, 'the new address is used')

    await home.ok(['stop', 'node2'])
    await run.waitFor(/node2 does no work: .*CPN_ERR_NODE_STOPPED/)
    await getsNothing(home, id!, 'node2')
    await home.ok(['start', 'node2'])
    await takesPart(home, id!, 'node2')

    await assertWhole(run, home, out)
    writeFileSync(home.inventory, whole)
    await home.ok(['unprovision', 'all', '--yes'])
    await assertIdle(hosts)
  }),
)

/** Waits until a node begins more jobs than it had. */
async function takesPart(home: Project, run: string, node: string): Promise<void> {
  const before = jobsByNode(home, run).get(node) ?? 0
  await until(() => (jobsByNode(home, run).get(node) ?? 0) > before + 4, `${node} gets work`)
}

/** While others begin twenty jobs the node begins none; what it had begun before may be noted a little later. */
async function getsNothing(home: Project, run: string, node: string): Promise<void> {
  const count = (name: string) => jobsByNode(home, run).get(name) ?? 0
  const others = () => ['node1', 'node2'].filter((name) => name !== node).reduce((sum, name) => sum + count(name), 0)
  const go = async (jobs: number) => {
    const begun = others()
    await until(() => others() > begun + jobs, 'the others go on')
  }
  await go(20)
  const before = count(node)
  await go(20)
  assert.equal(count(node), before, `${node} got more work`)
}

/** Ends the run; what it says is done is there, and nothing failed. */
async function assertWhole(run: CpnProcess, home: Project, out: string): Promise<void> {
  run.kill('SIGINT')
  const { exitCode } = await run.exited
  assert.equal(exitCode, 130, run.describe())
  const summary = readSummary(out)
  assert.deepEqual([summary.inputs, summary.failed, summary.quarantined], [pictures, 0, 0], run.describe())
  assert.ok(summary.done > 0 && summary.pending > 0, JSON.stringify(summary))
  await checkAnnotated(out, readPredictions(out), (path) => join(home.folder, 'many', path), 20)
}
