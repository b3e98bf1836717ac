import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { exhaustDescriptors } from '../lab/descriptors.ts'
import { lastInput } from '../lab/ledger.ts'
import { pictureName } from '../lab/pictures.ts'
import type { Fault, Stage } from '../lab/scenario.ts'
import { fillDisk, mountDisk } from '../lab/small-disk.ts'

// A signal of a terminal may reach a program twice; two within this time are one gesture.
const gestureMs = 400
const pauseMs = Number(process.env.CPN_FAULT_PAUSE_MS ?? 60_000)

/** What may happen to the run itself, its inputs and its outputs. */
export const masterFaults: Record<string, Fault> = {
  'master killed': { strike: ({ run }) => run.kill('SIGKILL') },
  'SIGINT once': { strike: ({ run }) => run.kill('SIGINT') },
  'SIGINT twice': {
    strike: async ({ run, lab: { nodes }, undo }) => {
      // Workers that stand still keep what is in work from ending by itself.
      const workers = nodes.flatMap((node) => node.workers())
      nodes[0]!.signal(workers, 'SIGSTOP')
      undo.defer(() => nodes[0]!.signal(workers, 'SIGCONT'))
      run.kill('SIGINT')
      await sleep(gestureMs)
      run.kill('SIGINT')
    },
  },
  'master stopped by SIGSTOP for a minute': {
    strike: async ({ run }) => {
      run.kill('SIGSTOP')
      await sleep(pauseMs)
      run.kill('SIGCONT')
    },
  },
  'descriptors of the master exhausted': {
    strike: ({ run, undo }) => void undo.use(exhaustDescriptors({ pid: run.pid })),
  },
  'disk of the master full': {
    missing: process.getuid?.() === 0 ? false : 'needs to mount',
    prepare: ({ out, atEnd }) => void atEnd.use(mountDisk(out, 120)),
    strike: ({ out, undo }) => void undo.use(fillDisk(out)),
  },
  'OUT removed': { strike: ({ out }) => rmSync(out, { recursive: true, force: true }) },
  'input changed': {
    strike: (stage) => writeFileSync(touchLast(stage), readFileSync(join(stage.pictures, pictureName(0)))),
  },
  'input deleted': { strike: (stage) => rmSync(touchLast(stage)) },
  'inventory edited': {
    strike: ({ lab }) => writeFileSync(lab.home.inventory, 'version: 1\nhosts: { node9: { address: nowhere } }\n'),
  },
}

/** The picture whose turn comes last: it is not read yet. */
function touchLast({ lab, id, pictures, touched }: Stage): string {
  const name = lastInput(lab.home, id)
  touched.push(name)
  return join(pictures, name)
}
