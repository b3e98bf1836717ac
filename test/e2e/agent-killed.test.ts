import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { askSocket } from '../helpers/ask-socket.ts'
import { addTinyDetector, drawMany } from '../helpers/drawn-job.ts'
import { assertIdle, leakFree } from '../helpers/leaks.ts'
import { signalProcess } from '../helpers/processes.ts'
import { type Project, project } from '../helpers/project.ts'
import { countWritten, readSummary } from '../helpers/run-output.ts'
import { type SshdHost, sshdMissing, startHosts } from '../helpers/sshd.ts'
import { until } from '../helpers/until.ts'

const pictures = 300

test(
  'an agent that dies costs no image: what it had in work runs again, alone, and is not blamed',
  {
    skip: sshdMissing,
    timeout: 180_000,
  },
  leakFree(async () => {
    await using hosts = await startHosts({ name: 'node1', held: true }, { name: 'node2', held: true })
    await using home = project(hosts)
    await drawMany(join(home.folder, 'many'), pictures)
    const detector = await addTinyDetector(home)
    await home.ok(['provision', '--yes'])

    const out = join(home.folder, 'many-predicted')
    const run = home.spawn(['predict', '--pipeline', 'faces', 'many', '--detector', detector])
    const [, id] = await run.waitFor(/run (\S+) on/)
    await until(() => countWritten(out) >= 20, 'twenty pictures are written')
    await holdWork(hosts[0]!)
    signalProcess(agentOf(hosts[0]!), 'SIGKILL')
    const { exitCode } = await run.exited
    assert.equal(exitCode, 0, run.describe())
    assert.equal(readSummary(out).done, pictures)
    const attempts = attemptsOf(home, id!)
    const lost = attempts.filter(({ error }) => error !== null)
    assert.ok(lost.length > 0, 'some images were in work')
    for (const { node, error } of lost) assert.match(`${node} ${error}`, /^node1 CPN_ERR_AGENT_DIED/)

    await home.ok(['unprovision', 'all', '--yes'])
    await assertIdle(hosts)
  }),
)

function agentOf(host: SshdHost): number {
  return host.processes().find(({ command }) => /\bagent\.mjs\b.* run\b/.test(command))!.pid
}

/** Workers that stand still keep what they have in work: resolves when the agent has jobs in work, and keeps them. */
async function holdWork(host: SshdHost): Promise<void> {
  for (const { pid, command } of host.processes()) if (/\bworker\.mjs\b/.test(command)) signalProcess(pid, 'SIGSTOP')
  const fleets = join(host.home, '.cpn', 'fleets')
  const socket = join(fleets, readdirSync(fleets)[0]!, 'run', 'agent.sock')
  let busy = 0
  while (busy === 0) ({ busy } = (await askSocket(socket, '/cpn/v1/heartbeat')) as { busy: number })
}

function attemptsOf({ folder }: Project, run: string): { node: string; error: string | null }[] {
  using ledger = new DatabaseSync(join(folder, '.cpn', 'ledger.db'), { readOnly: true })
  return ledger.prepare('SELECT node, error FROM attempts WHERE run = ?').all(run) as never
}
