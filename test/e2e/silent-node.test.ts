import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import { addTinyDetector, drawMany } from '../helpers/drawn-job.ts'
import { signalProcess } from '../helpers/processes.ts'
import { type Project, project } from '../helpers/project.ts'
import { type FaultProxy, startProxy } from '../helpers/proxy.ts'
import { countWritten, readSummary } from '../helpers/run-output.ts'
import { type SshdHost, sshdMissing, startSshd } from '../helpers/sshd.ts'
import { until } from '../helpers/until.ts'

const pictures = 200
/** Far less than the deadline of a request, which is minutes. */
const noticedMs = 40_000

let host: SshdHost
let proxy: FaultProxy
let home: Project
let detector: string
before(async () => {
  if (sshdMissing) return
  host = await startSshd({ name: 'node1', held: true })
  proxy = await startProxy(host)
  home = project([host])
  // Its key is on record under its name: it is the same machine by way of the proxy.
  const byProxy = `address: ${proxy.address}, port: ${proxy.port}`
  const inventory = readFileSync(home.inventory, 'utf8')
  writeFileSync(home.inventory, inventory.replace(/address: \S+ port: \d+/, byProxy))
  detector = await addTinyDetector(home)
  await drawMany(join(home.folder, 'many'), pictures)
  await home.ok(['provision', '--yes'])
})
after(async () => {
  if (sshdMissing) return
  await home[Symbol.asyncDispose]()
  await proxy[Symbol.asyncDispose]()
  await host[Symbol.asyncDispose]()
})

/** The only node falls silent in the middle of a run, which has to let go of what it waits for, and is healed then. */
async function fallsSilent(out: string, silence: () => void, heal: () => void): Promise<void> {
  const run = home.spawn(['predict', '--pipeline', 'faces', 'many', '--detector', detector, '--out', out])
  const [, id] = await run.waitFor(/run (\S+) on/)
  await until(() => countWritten(join(home.folder, out)) >= 20, 'twenty pictures are written')
  silence()
  try {
    const lost = () => failures(id!).length > 0
    await until(lost, 'what the node had in work has failed', noticedMs)
  } finally {
    heal()
  }
  const { exitCode } = await run.exited
  assert.equal(exitCode, 0, run.describe())
  assert.equal(readSummary(join(home.folder, out)).done, pictures)
  // Back again, the agent may still be at what it had in work, and be busy for a moment.
  const codes = failures(id!)
    .map((error) => error.split(':')[0]!)
    .filter((code) => code !== 'CPN_ERR_AGENT_BUSY')
  // The silence may begin while a channel is asked for.
  for (const code of codes) assert.match(code, /^CPN_ERR_(CONNECTION_LOST|CHANNEL_TIMEOUT)$/)
  assert.notEqual(codes.length, 0)
}

function failures(run: string): string[] {
  using ledger = new DatabaseSync(join(home.folder, '.cpn', 'ledger.db'), { readOnly: true })
  const rows = ledger.prepare("SELECT error FROM attempts WHERE run = ? AND state = 'failed'").all(run)
  return rows.map(({ error }) => error as string)
}

test('an agent that is frozen loses its work, which is done when it thaws', {
  skip: sshdMissing,
  timeout: 120_000,
}, async () => {
  const agents = () => host.processes().filter(({ command }) => /\bagent\.mjs\b.* run\b/.test(command))
  const [frozen] = agents()
  await fallsSilent(
    'frozen',
    () => signalProcess(frozen!.pid, 'SIGSTOP'),
    () => signalProcess(frozen!.pid, 'SIGCONT'),
  )
})

test('a link on which only what the node says arrives is given up, and used again when it works', {
  skip: sshdMissing,
  timeout: 120_000,
}, async () => {
  await fallsSilent(
    'unheard',
    () => proxy.stall('up'),
    () => proxy.resume(),
  )
})
