import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { until } from '../../helpers/until.ts'
import { controlGroupsMissing, slowDown } from '../lab/control-group.ts'
import { attemptsOf, inFlight } from '../lab/ledger.ts'
import { plantBug, workerProgram } from '../lab/plant-bug.ts'
import type { Fault, Preparation, Stage } from '../lab/scenario.ts'
import { whileHeld } from '../lab/strike.ts'

/** What may become of the fleet while a run goes on, by its owner's hand or by a node that is not what it should be. */
export const fleetFaults: Record<string, Fault> = {
  'host added and provisioned': {
    strike: (stage) =>
      whileHeld(stage.lab.nodes, async () => {
        const { lab, run, id } = stage
        takeInSpare(stage)
        await run.waitFor(/node3 is new in the inventory/)
        await lab.home.ok(['provision', 'node3', '--yes'])
        const takesPart = () => attemptsOf(lab.home, id).some(({ node, state }) => node === 'node3' && state === 'done')
        await until(takesPart, 'the new node has done something', 60_000)
      }),
  },
  'node stopped': {
    strike: (stage) =>
      whileHeld(stage.lab.nodes, async () => {
        await stage.lab.home.ok(['stop', stage.victim.name])
        await getsNothingMore(stage)
      }),
  },
  'host taken out of the inventory': {
    strike: (stage) =>
      whileHeld(stage.lab.nodes, async () => {
        stage.lab.writeInventory(stage.others)
        await stage.run.waitFor(/node1 has left the inventory/)
        await getsNothingMore(stage)
      }),
  },
  'inventory edited into nonsense': {
    strike: ({ lab, run }) =>
      whileHeld(lab.nodes, async () => {
        writeFileSync(lab.home.inventory, 'version: 1\nhosts: { node9: { port: none } }\n')
        await run.waitFor(/the inventory was changed, but cannot be used/)
      }),
  },
  'node computes wrongly': {
    prepare: async (stage) => {
      // Of two that disagree nobody knows which is right: a third has to be there.
      takeInSpare(stage)
      await stage.lab.home.ok(['provision', 'node3', '--yes'])
      stage.atEnd.defer(await plantBug(stage.victim, findsNothingWhen('broken')))
    },
    strike: (stage) =>
      whileHeld([...stage.lab.nodes, stage.lab.spare!], async () => {
        const { lab, id, victim, undo, checks } = stage
        const nodes = () => new Set(attemptsOf(lab.home, id).map(({ node, state }) => state === 'done' && node))
        // What a node says while it is the only one is compared with nothing.
        await until(() => ['node1', 'node2', 'node3'].every((name) => nodes().has(name)), 'all are at work', 60_000)
        const mark = join(dirname(workerProgram(victim)), 'broken')
        writeFileSync(mark, '')
        undo.defer(() => rmSync(mark))
        checks.push(() => {
          const overruled = attemptsOf(lab.home, id).filter(({ state }) => state === 'overruled')
          assert.deepEqual([...new Set(overruled.map(({ node }) => node))], [victim.name])
        })
      }),
  },
  'one node slow at the end': {
    missing: controlGroupsMissing,
    strike: ({ lab, id, victim, undo, checks }) => {
      undo.use(slowDown([...victim.keepers(), ...victim.agents(), ...victim.workers()], 0.05))
      const at = Date.now()
      checks.push(() => {
        const attempts = attemptsOf(lab.home, id)
        const isOvertaken = ({ job, state }: (typeof attempts)[number]) =>
          state === 'cancelled' && attempts.some((each) => each.job === job && each.state === 'done')
        const slow = inFlight(attempts, victim.name, at)
        assert.ok(slow.some(isOvertaken), `no copy was faster than ${JSON.stringify(slow)}`)
      })
    },
  },
}

/** A detector that finds no face, and says so like any other, as soon as a file lies beside the program. */
const findsNothingWhen = (file: string): string =>
  `const { existsSync } = process.getBuiltinModule('node:fs')
  if (existsSync(import.meta.dirname + '/${file}')) order.pipeline.detector.scoreThreshold = 2`

/** The spare host joins the inventory until everything has been looked at, and is bare again then. */
function takeInSpare({ lab, atEnd }: Preparation): void {
  lab.writeInventory([...lab.nodes, lab.spare!])
  atEnd.defer(async () => {
    lab.writeInventory([...lab.nodes, lab.spare!])
    await lab.home.ok(['unprovision', 'node3', '--yes'])
  })
}

/** From now on the victim begins nothing, and the others go on. */
async function getsNothingMore({ lab, id, victim, checks }: Stage): Promise<void> {
  const at = Date.now()
  const begunSince = (is: (node: string) => boolean) =>
    attemptsOf(lab.home, id).filter(({ node, started }) => is(node) && started > at).length
  await until(() => begunSince((node) => node !== victim.name) > 2, 'the others go on', 60_000)
  checks.push(() =>
    assert.equal(
      begunSince((node) => node === victim.name),
      0,
      `${victim.name} got more work`,
    ),
  )
}
