// npm run test:fault -- --seed 7 --faults 200 --images 5000: a run under a rain of faults, the same for the same seed.
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { CpnProcess } from '../helpers/cli.ts'
import { signalProcess } from '../helpers/processes.ts'
import { faults } from './faults/index.ts'
import { Lab } from './lab/lab.ts'
import type { LabNode } from './lab/lab-node.ts'
import { countDone } from './lab/ledger.ts'
import { cropPhotos } from './lab/pictures.ts'
import { type PlannedFault, planFaults } from './lab/random-plan.ts'
import { compare, readResults } from './lab/results.ts'
import { strikeBusy } from './lab/strike.ts'

/** Faults that a node gets over by itself, or when they are taken back, and the death of the master. */
const kinds = [
  'agent killed',
  'agent stopped by SIGSTOP',
  'worker killed by SIGSEGV',
  'everything killed, stale socket and pid left',
  'link cut',
  'black hole',
  'half-open connection',
  'nothing comes from the node',
  '300 ms delay',
  '1 Mbit/s',
  'flipped byte on the link',
  'sshd restarted',
  'host frozen',
  'master killed',
]

/** How long a node may take to get work before the next one is struck in its place. */
const patienceMs = 300

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 100_000) },
    faults: { type: 'string', default: '200' },
    images: { type: 'string', default: '5000' },
    nodes: { type: 'string', default: '3' },
  },
})
const [seed, count, images, nodes] = [values.seed, values.faults, values.images, values.nodes].map(Number) as [
  number,
  number,
  number,
  number,
]

console.log(`seed ${seed}: ${count} faults over ${images} images on ${nodes} nodes`)
await using lab = await Lab.open({
  nodes: Array.from({ length: nodes }, (_, index) => ({
    host: { name: `node${index + 1}` },
    settings: { workers: 1 },
  })),
  sets: { photos: (folder) => cropPhotos(folder, images) },
  detector: 'yunet-s-dynamic',
})
const oracle = await lab.oracle('photos')
const started = performance.now()
let run = lab.predict('photos', 'out')
const struck = await rain()
const { exitCode } = await run.exited
const seconds = elapsed()
if (exitCode !== 0) console.log(run.describe())
const { lost, added, different } = compare(oracle, readResults(join(lab.home.folder, 'out')))
const counts = Object.fromEntries([...Map.groupBy(struck, (kind) => kind)].map(([kind, all]) => [kind, all.length]))
console.log(counts)
console.log(
  `seed ${seed}: ${struck.length} of ${count} faults met a job in flight; ${images} images in ${seconds} s: ` +
    `${lost.length} lost, ${added.length} too many, ${different.length} different; exit code ${exitCode}`,
)
for (const path of [...lost, ...added, ...different].slice(0, 20)) console.log(`  ${path}`)
if (exitCode !== 0 || lost.length + added.length + different.length > 0 || struck.length < count) process.exitCode = 1

function elapsed(): number {
  return Math.round((performance.now() - started) / 1000)
}

/** Lets the planned faults strike one after the other; the kinds of those that met a job in flight. */
async function rain(): Promise<string[]> {
  const met: string[] = []
  const plan = planFaults({ seed, faults: count, images, nodes, kinds })
  const healing = new Set<Promise<void>>()
  const [, id] = await run.waitFor(/^run (\S+) on /m)
  const isOver = () => /^\d+ done · /m.test(run.stdout)
  for (const planned of plan) {
    while (!isOver() && countDone(lab.home, id!) < planned.written) await sleep(20)
    if (isOver()) break
    const struck = await strikeSome(planned, run, id!)
    if (!struck) continue
    if (planned.fault === 'master killed') await beginAgain(id!)
    met.push(planned.fault)
    console.log(`${elapsed()} s, ${countDone(lab.home, id!)} done: ${planned.fault}`)
    const settled: Promise<void> = struck.healed.finally(() => healing.delete(settled))
    healing.add(settled)
  }
  await Promise.all(healing)
  return met
}

/** The same command once more goes on with the run whose master was killed. */
async function beginAgain(id: string): Promise<void> {
  await run.exited
  run = lab.predict('photos', 'out')
  const [, again] = await run.waitFor(/^run (\S+), continued, on /m)
  if (again !== id) throw new Error(`${run.describe()}\ndoes not go on with run ${id}`)
}

interface Struck {
  /** Resolves when it was taken back. */
  healed: Promise<void>
}

/** Strikes the planned node, or the next one that has work; undefined when none has. */
async function strikeSome(planned: PlannedFault, run: CpnProcess, id: string): Promise<Struck | undefined> {
  // The run must not get ahead of its faults: nobody works until this one has struck.
  const held = lab.nodes.flatMap((node) => node.workers())
  for (const { pid } of held) signalProcess(pid, 'SIGSTOP')
  try {
    for (let tries = 0; tries < 10 * nodes; tries++) {
      const victim = lab.nodes[(planned.node + tries) % nodes]!
      const struck = await strikeOne(victim, planned, run, id).catch(() => undefined)
      if (struck) return struck
    }
    return undefined
  } finally {
    for (const { pid } of held) signalProcess(pid, 'SIGCONT')
  }
}

async function strikeOne(victim: LabNode, { fault, lastsMs }: PlannedFault, run: CpnProcess, id: string) {
  const undo = new AsyncDisposableStack()
  const others = lab.nodes.filter((node) => node !== victim)
  const places = { pictures: join(lab.home.folder, 'photos'), out: join(lab.home.folder, 'out') }
  const stage = { lab, victim, others, ...places, touched: [], checks: [], undo, atEnd: undo, run, id }
  await strikeBusy(victim, () => faults[fault]!.strike(stage), patienceMs)
  const healed = sleep(lastsMs).then(async () => {
    victim.heal()
    await undo.disposeAsync()
  })
  return { healed }
}
