// How soon a run goes on after a fault, and what a slow node costs it.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { controlGroupsMissing, slowDown } from '../../test/fault/lab/control-group.ts'
import { Lab } from '../../test/fault/lab/lab.ts'
import type { LabNode } from '../../test/fault/lab/lab-node.ts'
import { type Attempt, attemptsOf, inFlight } from '../../test/fault/lab/ledger.ts'
import { drawPictures } from '../../test/fault/lab/pictures.ts'
import { strikeBusy } from '../../test/fault/lab/strike.ts'
import type { CpnProcess } from '../../test/helpers/cli.ts'
import { countWritten, readSummary } from '../../test/helpers/run-output.ts'
import { until } from '../../test/helpers/until.ts'
import type { Report } from '../report.ts'

const rounds = Number(process.env.CPN_BENCH_ROUNDS ?? 5)
const slowShare = 0.05
/** The folder of outputs is the same again and again: a run goes on where its pictures are gone. */
const began = /^run (\S+?)(?:, continued,)? on /m
const counts = { few: 20, some: 200, many: 400, long: 1000 }

export async function measure(): Promise<Report> {
  const draw = (count: number) => (folder: string) => drawPictures(folder, count)
  await using lab = await Lab.open({
    nodes: ['node1', 'node2'].map((name) => ({ host: { name }, settings: { workers: 1 } })),
    sets: { few: draw(counts.few), some: draw(counts.some), many: draw(counts.many), long: draw(counts.long) },
  })
  const killed = []
  const holes = []
  const resumed = []
  const slow = []
  for (let round = 0; round < rounds; round++) {
    killed.push(await nodeKilled(lab))
    holes.push(await blackHole(lab))
    resumed.push(await masterKilled(lab))
    if (!controlGroupsMissing) slow.push(await slowNode(lab))
  }
  return {
    title: 'recovery: 2 SSH hosts on this machine, one worker each, pictures of 640 x 480',
    rows: [
      { what: 'node killed: the last of its jobs runs elsewhere (floor ≤ 2)', unit: 's', values: killed },
      { what: 'black hole: noticed (floor ≤ 5)', unit: 's', values: holes },
      { what: 'master killed: the next one has its first job in work (floor ≤ 3)', unit: 's', values: resumed },
    ],
    ratios: controlGroupsMissing
      ? []
      : [{ what: 'one node at 5 % of its speed: time / ideal', values: slow, floor: '≤ 1.2' }],
    notes: [
      'Every fault met a job in flight on the node: its workers were held until it struck. Times are those of the ledger.',
      'Ideal: all pictures at the rates that both nodes had alone, the slow one slowed down, added up.',
      ...(controlGroupsMissing ? [`The slow node is left out: ${controlGroupsMissing}.`] : []),
    ],
  }
}

/** The whole host goes at once: server, agent, everything. */
async function nodeKilled(lab: Lab): Promise<number> {
  const [victim] = lab.nodes
  const { attempts, at } = await struck(lab, victim!, () => {
    victim!.signal([...victim!.keepers(), ...victim!.agents(), ...victim!.workers()], 'SIGKILL')
    victim!.host.stop()
  })
  const elsewhere = inFlight(attempts, victim!.name, at).map(({ job }) => {
    const next = attempts.find((each) => each.job === job && each.node !== victim!.name && each.started >= at)
    if (!next) throw new Error(`job ${job} never ran elsewhere`)
    return next.started - at
  })
  await victim!.host.start()
  await lab.heal()
  return Math.max(...elsewhere) / 1000
}

async function blackHole(lab: Lab): Promise<number> {
  const [victim] = lab.nodes
  const { attempts, at } = await struck(lab, victim!, () => victim!.proxy.stall())
  const ends = inFlight(attempts, victim!.name, at).flatMap(({ ended, error }) => (error && ended ? [ended - at] : []))
  if (ends.length === 0) throw new Error('the black hole was not noticed')
  await lab.heal()
  return Math.min(...ends) / 1000
}

async function masterKilled(lab: Lab): Promise<number> {
  const run = lab.predict('some', 'out')
  await writes(lab, run, 20)
  run.kill('SIGKILL')
  await run.exited
  const spawned = Date.now()
  const next = lab.predict('some', 'out')
  const attempts = await ended(lab, next)
  const [first] = attempts.filter(({ started }) => started >= spawned)
  if (!first) throw new Error(`nothing was left to do: ${next.describe()}`)
  return (first.started - spawned) / 1000
}

/** Time of a run with one slow node against the time that both could do it in. */
async function slowNode(lab: Lab): Promise<number> {
  const [victim, other] = lab.nodes
  const programs = [...victim!.keepers(), ...victim!.agents(), ...victim!.workers()]
  const fast = await rate(lab, 'many', ['--hosts', other!.name])
  using _slow = slowDown(programs, slowShare)
  const slow = await rate(lab, 'few', ['--hosts', victim!.name])
  const both = await rate(lab, 'many', [])
  return (fast + slow) / both
}

async function rate(lab: Lab, set: string, args: string[]): Promise<number> {
  const run = lab.predict(set, 'out', args)
  const { exitCode } = await run.exited
  const out = join(lab.home.folder, 'out')
  const { imagesPerSecond } = readSummary(out)
  rmSync(out, { recursive: true })
  if (exitCode !== 0) throw new Error(run.describe())
  return imagesPerSecond
}

/** Strikes a run that has work for longer than it takes to notice anything, and lets it end. */
async function struck(lab: Lab, victim: LabNode, strike: () => void): Promise<{ attempts: Attempt[]; at: number }> {
  const run = lab.predict('long', 'out')
  await writes(lab, run, 20)
  const at = await strikeBusy(victim, strike)
  return { attempts: await ended(lab, run), at }
}

async function writes(lab: Lab, run: CpnProcess, count: number): Promise<void> {
  await run.waitFor(began)
  await until(() => countWritten(join(lab.home.folder, 'out')) >= count, `${count} pictures are written`)
}

/** The attempts of a run that has to end well; its outputs are removed. */
async function ended(lab: Lab, run: CpnProcess): Promise<Attempt[]> {
  const { exitCode, stderr } = await run.exited
  if (exitCode !== 0) throw new Error(run.describe())
  rmSync(join(lab.home.folder, 'out'), { recursive: true })
  return attemptsOf(lab.home, began.exec(stderr)![1]!)
}
