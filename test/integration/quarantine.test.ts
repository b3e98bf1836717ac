import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import type { RunReport } from '../../src/actions/predict/runs.ts'
import { withDeadlyBug } from '../helpers/broken-bundle.ts'
import { drawnPhoto } from '../helpers/drawn-images.ts'
import { addTinyDetector } from '../helpers/drawn-job.ts'
import { asKilledAfterFirstAttempt } from '../helpers/ledger-file.ts'
import { signalProcess } from '../helpers/processes.ts'
import { type Project, project } from '../helpers/project.ts'
import { readSummary } from '../helpers/run-output.ts'

const marker = 'a picture that no decoder survives'

let home: Project
let options: string[]
let picture: Buffer
/** One agent serves all tests. It has been provisioned by a run, and has the bug since. */
before(async () => {
  home = project()
  writeFileSync(join(home.folder, 'lab.yaml'), 'version: 1\nhosts: { here: { transport: local } }\n')
  home.env.CPN_INVENTORY = 'lab.yaml'
  const detector = await addTinyDetector(home)
  options = ['--detector', detector, '--score-threshold', '0.7', '--annotate', 'full', '--max-megapixels', '50']
  picture = await drawnPhoto({ width: 64, height: 48, squares: [] })
  mkdirSync(join(home.folder, 'good'))
  writeFileSync(join(home.folder, 'good', 'good.jpg'), picture)
  await home.ok(['predict', '--pipeline', 'faces', 'good', ...options, '--yes'])
  plantBug(home)
})
after(async () => {
  await home.cpn(['unprovision', 'all', '--yes'])
  await home[Symbol.asyncDispose]()
})

/** A run over a picture that is good and one that is deadly; what it says. */
async function deadlyRun(folder: string, name: string): Promise<string> {
  mkdirSync(join(home.folder, folder))
  writeFileSync(join(home.folder, folder, 'good.jpg'), picture)
  writeFileSync(join(home.folder, folder, name), Buffer.concat([picture, Buffer.from(marker)]))
  const { stderr, exitCode } = await home.cpn([
    'predict',
    '--pipeline',
    'faces',
    folder,
    ...options,
    '--out',
    `${folder}-out`,
  ])
  assert.equal(exitCode, 7, stderr)
  return stderr
}

test('the command that is told for a quarantined image does the same to it once more, whatever named the inventory', {
  timeout: 120_000,
}, async () => {
  const stderr = await deadlyRun('two words', "it's deadly.jpg")
  const [, command] = /See it happen: cpn (.*)/.exec(stderr) ?? []
  assert.ok(command, stderr)

  const words = execFileSync('sh', ['-c', `printf '%s\\0' ${command}`], { encoding: 'utf8' })
    .split('\0')
    .slice(0, -1)
  // $CPN_INVENTORY may have been set for that one command.
  const again = await home.cpn([...words, '--out', 'again'], { env: { CPN_INVENTORY: '' } })
  assert.equal(again.exitCode, 7, again.stderr)
  const { inputs, quarantined } = readSummary(join(home.folder, 'again'))
  assert.deepEqual([inputs, quarantined], [1, 1])
  assert.equal(new Set(pipelines(home)).size, 1, command)
})

test('a worker that an image ended before the master was killed counts when the run goes on', {
  timeout: 120_000,
}, async () => {
  await deadlyRun('cut-off', 'deadly.jpg')
  asKilledAfterFirstAttempt(home, 'deadly.jpg')
  const { stderr, exitCode } = await home.cpn(['runs', 'resume', 'last'])
  assert.equal(exitCode, 7, stderr)
  const { inputs } = await home.json<RunReport>(['runs', 'show', 'last', '--input', 'deadly.jpg'])
  assert.deepEqual(
    inputs.map(({ state, attempts }) => [state, attempts.map(({ epoch, attempt }) => `${epoch}.${attempt}`)]),
    [['quarantined', ['1.1', '2.1']]],
  )
  // Who wants it done anew wants it believed innocent.
  await home.cpn(['runs', 'resume', 'last', '--retry'])
  const after = await home.json<RunReport>(['runs', 'show', 'last', '--input', 'deadly.jpg'])
  assert.equal(after.inputs[0]!.attempts.filter(({ epoch }) => epoch === 3).length, 2)
})

/** Plants the bug into what the next workers of this machine's agent run. */
function plantBug(home: Project): void {
  const [program] = globSync(join(home.env.HOME!, '.cpn/fleets/*/current/agent/worker.mjs'))
  writeFileSync(program!, withDeadlyBug(readFileSync(program!, 'utf8'), marker))
  const workers = home.processes().filter(({ command }) => command.includes('worker.mjs'))
  assert.ok(workers.length > 0)
  for (const { pid } of workers) signalProcess(pid, 'SIGKILL')
}

/** Digests of what the runs did to their images, one per run. */
function pipelines({ folder }: Project): string[] {
  using ledger = new DatabaseSync(join(folder, '.cpn/ledger.db'), { readOnly: true })
  const rows = ledger.prepare('SELECT pipeline_digest AS digest FROM runs').all()
  assert.equal(rows.length, 3)
  return rows.map(({ digest }) => digest as string)
}
