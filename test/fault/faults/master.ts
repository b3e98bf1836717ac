import assert from 'node:assert/strict'
import { chmodSync, cpSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { countWritten } from '../../helpers/run-output.ts'
import { until } from '../../helpers/until.ts'
import { exhaustDescriptors } from '../lab/descriptors.ts'
import { attemptsOf, lastInput } from '../lab/ledger.ts'
import { pictureName } from '../lab/pictures.ts'
import { assertSame, readResults } from '../lab/results.ts'
import type { Fault, Stage } from '../lab/scenario.ts'
import { fillDisk, mountDisk } from '../lab/small-disk.ts'
import { whileHeld } from '../lab/strike.ts'

// A signal of a terminal may reach a program twice; two within this time are one gesture.
const gestureMs = 400
const pauseMs = 60_000

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
    strike: async ({ run, lab, id, out, checks }) => {
      run.kill('SIGSTOP')
      await until(() => isStopped(run.pid), 'the master stands still')
      const written = countWritten(out)
      await sleep(pauseMs)
      assert.ok(isStopped(run.pid), 'the master stood still all the time')
      assert.equal(countWritten(out), written)
      const woken = Date.now()
      run.kill('SIGCONT')
      checks.push(() => {
        const after = attemptsOf(lab.home, id).filter(({ started, state }) => started >= woken && state === 'done')
        assert.ok(after.length > 0, 'nothing was begun after the pause')
      })
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
  'disk of the ledger full': {
    missing: process.getuid?.() === 0 ? false : 'needs to mount',
    prepare: ({ lab, atEnd }) => {
      const state = join(lab.home.folder, '.cpn')
      const kept = `${state}-kept`
      cpSync(state, kept, { recursive: true })
      atEnd.use(mountDisk(state, 120))
      cpSync(kept, state, { recursive: true })
      rmSync(kept, { recursive: true })
      chmodSync(state, 0o700)
    },
    strike: ({ lab, undo }) => void undo.use(fillDisk(join(lab.home.folder, '.cpn'))),
  },
  'OUT removed': {
    strike: ({ out }) => {
      // In one step: whoever removes file by file may find that others have come meanwhile.
      renameSync(out, `${out}-removed`)
      rmSync(`${out}-removed`, { recursive: true })
    },
  },
  'same run twice': {
    strike: ({ lab, run, pictures, out, checks }) =>
      whileHeld(lab.nodes, async () => {
        const second = await lab.home.cpn(run.args)
        assert.equal(second.exitCode, 2, second.stderr)
        assert.match(second.stderr, new RegExp(`process ${run.pid} on `))
        assert.match(second.stderr, /CPN_ERR_RUN_BUSY/)
        // Into a folder of its own it may run beside the first.
        const other = lab.predict(basename(pictures), `${basename(out)}-2`)
        await other.waitFor(/^run (\S+) on /m)
        checks.push(async () => {
          assert.equal((await other.exited).exitCode, 0, other.describe())
          assertSame(await lab.oracle('many'), readResults(`${out}-2`))
        })
      }),
  },
  'input changed': {
    strike: (stage) => writeFileSync(touchLast(stage), readFileSync(join(stage.pictures, pictureName(0)))),
  },
  'input deleted': { strike: (stage) => rmSync(touchLast(stage)) },
}

function isStopped(pid: number): boolean {
  return /^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
}

/** The picture whose turn comes last: it is not read yet. */
function touchLast({ lab, id, pictures, touched }: Stage): string {
  const name = lastInput(lab.home, id)
  touched.push(name)
  return join(pictures, name)
}
