import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '../../helpers/until.ts'
import { attemptsOf } from '../lab/ledger.ts'
import { pictureName } from '../lab/pictures.ts'
import { plantBug } from '../lab/plant-bug.ts'
import type { Fault } from '../lab/scenario.ts'

const marker = 'a picture that no decoder survives'

/** Stands for a bug in a decoder: the worker that gets the marked picture dies at once. */
const deadlyBug = `if (image.includes('${marker}')) process.kill(process.pid, 'SIGSEGV')`

/** A picture that kills every worker which looks at it. */
export const poisonFaults: Record<string, Fault> = {
  'poison image': {
    prepare: async ({ lab: { nodes }, pictures, touched, atEnd }) => {
      const name = pictureName(70)
      appendFileSync(join(pictures, name), marker)
      touched.push(name)
      for (const node of nodes) atEnd.defer(await plantBug(node, deadlyBug))
    },
    strike: async ({ lab, id }) => {
      const killed = () => attemptsOf(lab.home, id).filter(({ error }) => error?.includes('CPN_ERR_WORKER_CRASHED'))
      await until(() => killed().length > 0, 'a worker has died of the picture')
    },
  },
}
