import { appendFileSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { withDeadlyBug } from '../../helpers/broken-bundle.ts'
import { until } from '../../helpers/until.ts'
import type { LabNode } from '../lab/lab-node.ts'
import { attemptsOf } from '../lab/ledger.ts'
import { pictureName } from '../lab/pictures.ts'
import type { Fault } from '../lab/scenario.ts'

const marker = 'a picture that no decoder survives'

/** A picture that kills every worker which looks at it. */
export const poisonFaults: Record<string, Fault> = {
  'poison image': {
    prepare: async ({ lab: { nodes }, pictures, touched, atEnd }) => {
      const name = pictureName(70)
      appendFileSync(join(pictures, name), marker)
      touched.push(name)
      for (const node of nodes) atEnd.defer(await plantBug(node))
    },
    strike: async ({ lab, id }) => {
      const killed = () => attemptsOf(lab.home, id).filter(({ error }) => error?.includes('CPN_ERR_WORKER_CRASHED'))
      await until(() => killed().length > 0, 'a worker has died of the picture')
    },
  },
}

/** Plants the bug into what a node's next workers run; the answer takes it out again. */
async function plantBug(node: LabNode): Promise<() => Promise<void>> {
  const program = realpathSync(join(node.fleetDir, 'current', 'agent', 'worker.mjs'))
  const good = readFileSync(program)
  const replace = async (text: string | Buffer): Promise<void> => {
    writeFileSync(program, text)
    const before = new Set(node.workers().map(({ pid }) => pid))
    node.signal(node.workers(), 'SIGKILL')
    await until(() => node.workers().some(({ pid }) => !before.has(pid)), 'other workers have come')
    await node.ready()
  }
  await replace(withDeadlyBug(good.toString(), marker))
  return () => replace(good)
}
