import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { addTinyDetector, drawMany } from '../helpers/drawn-job.ts'
import { signalProcess } from '../helpers/processes.ts'
import { type Project, project } from '../helpers/project.ts'
import { countWritten, outputFiles, readSummary } from '../helpers/run-output.ts'
import { repositoryRoot } from '../helpers/shared.ts'
import { until } from '../helpers/until.ts'

let home: Project
let detector: string
/** One agent serves all tests. */
before(async () => {
  home = project()
  detector = await addTinyDetector(home)
})
after(async () => {
  await home.cpn(['unprovision', 'all', '--yes'])
  await home[Symbol.asyncDispose]()
})

test('--quiet says one line of results, and errors', async () => {
  await drawMany(join(home.folder, 'quiet'), 5)
  const first = await home.ok(['predict', '--pipeline', 'faces', 'quiet', '--detector', detector, '--yes', '--quiet'])
  assert.match(first.stdout, /^5 done · .* images\/s · .*quiet-predicted\n$/)
  assert.equal(first.stderr, '')
  const again = await home.ok(['predict', '--pipeline', 'faces', 'quiet', '--detector', detector, '-q'])
  assert.match(again.stdout, /^0 done · 5 skipped · .*\n$/)
  const refused = await home.cpn(['predict', '--pipeline', 'faces', 'nowhere', '--detector', detector, '--quiet'])
  assert.equal(refused.exitCode, 2)
  assert.match(refused.stderr, /CPN_ERR_INPUT_MISSING/)
})

test('the machine is kept awake while a run goes on, also one that is killed', {
  skip: process.platform === 'linux' ? false : 'the stand-in is that of Linux',
}, async () => {
  await drawMany(join(home.folder, 'awake'), 400)
  const noted = join(home.env.HOME!, 'inhibited')
  const lines = () => (existsSync(noted) ? readFileSync(noted, 'utf8').trim().split('\n') : [])
  const env = { PATH: `${join(repositoryRoot, 'test/fixtures/inhibitor')}:${home.env.PATH}` }
  const killed = home.spawn(['predict', '--pipeline', 'faces', 'awake', '--detector', detector], { env })
  await until(() => lines().length > 0, 'it is kept awake')
  assert.match(lines().join('\n'), /^begin --what=sleep:idle --who=cpn --mode=block --why=run [0-9a-f-]+$/)
  killed.kill('SIGKILL')
  await killed.exited
  await until(() => lines().length === 2, 'the machine may sleep')
  await home.ok(['predict', '--pipeline', 'faces', 'awake', '--detector', detector], { env })
  assert.deepEqual(
    lines().map((line) => line.split(' ')[0]),
    ['begin', 'end', 'begin', 'end'],
  )
})

test('a second Ctrl-C leaves no file that is not whole, and the run goes on later', async () => {
  await drawMany(join(home.folder, 'twice'), 200)
  const out = join(home.folder, 'twice-predicted')
  const run = home.spawn(['predict', '--pipeline', 'faces', 'twice', '--detector', detector])
  await until(() => countWritten(out) > 10, 'pictures are written')
  // What is in work does not end by itself: the second is what ends the run.
  const workers = home.processes().filter(({ command }) => command.includes('worker.mjs'))
  for (const { pid } of workers) signalProcess(pid, 'SIGSTOP')
  run.kill('SIGINT')
  await run.waitFor(/once more ends at once/)
  await sleep(300)
  run.kill('SIGINT')
  assert.equal((await run.exited).exitCode, 130, run.describe())
  for (const { pid } of workers) signalProcess(pid, 'SIGCONT')
  assert.deepEqual(
    outputFiles(out).filter((path) => !/^\d+\.jpg$/.test(path)),
    [],
  )
  await home.ok(['predict', '--pipeline', 'faces', 'twice', '--detector', detector])
  const { done, skipped } = readSummary(out)
  assert.equal(done + skipped, 200)
})

test('a master that was suspended goes on when it wakes', async () => {
  await drawMany(join(home.folder, 'slept'), 200)
  const out = join(home.folder, 'slept-predicted')
  const run = home.spawn(['predict', '--pipeline', 'faces', 'slept', '--detector', detector])
  await until(() => countWritten(out) > 10, 'pictures are written')
  run.kill('SIGSTOP')
  // Longer than any heartbeat is waited for: ten seconds.
  await sleep(13_000)
  run.kill('SIGCONT')
  const { exitCode } = await run.exited
  assert.equal(exitCode, 0, run.describe())
  assert.equal(readSummary(out).done, 200)
})
