import assert from 'node:assert/strict'
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { RunInfo, RunReport } from '../../src/actions/predict/runs.ts'
import { addTinyDetector, drawMany } from '../helpers/drawn-job.ts'
import { believeFile } from '../helpers/ledger-file.ts'
import { type Project, project } from '../helpers/project.ts'
import { countWritten, outputFiles, type RunSummary, readPredictions, readSummary } from '../helpers/run-output.ts'
import { until } from '../helpers/until.ts'

const pictures = 12

let home: Project
let detector: string
/** One agent serves all tests. */
before(async () => {
  home = project()
  await drawMany(join(home.folder, 'drawn'), pictures)
  detector = await addTinyDetector(home)
})
after(async () => {
  await home.cpn(['unprovision', 'all', '--yes'])
  await home[Symbol.asyncDispose]()
})

interface Work {
  folder: string
  out: string
  /** Runs the same command once more. */
  again: (...flags: string[]) => Promise<RunSummary>
}

/** A folder of its own with pictures that a first run has looked at. */
async function work(name: string): Promise<Work> {
  const folder = join(home.folder, name)
  cpSync(join(home.folder, 'drawn'), folder, { recursive: true })
  const out = `${folder}-predicted`
  const again = async (...flags: string[]) => {
    const { stdout, stderr } = await home.cpn([
      'predict',
      '--pipeline',
      'faces',
      name,
      '--detector',
      detector,
      '--yes',
      '--json',
      ...flags,
    ])
    assert.match(stdout, /^\{/, stderr)
    assert.deepEqual(JSON.parse(stdout), readSummary(out), stderr)
    return JSON.parse(stdout) as RunSummary
  }
  const first = await again()
  assert.deepEqual([first.done, first.skipped], [pictures, 0])
  return { folder, out, again }
}

const counts = ({ done, skipped, failed }: RunSummary) => ({ done, skipped, failed })

test('the same command again skips what is finished and does what is new, changed or missing in OUT', async () => {
  const { folder, out, again } = await work('again')
  const before = readPredictions(out)
  assert.deepEqual(counts(await again()), { done: 0, skipped: pictures, failed: 0 })
  assert.deepEqual(readPredictions(out), before)

  appendFileSync(join(folder, '0000.jpg'), 'changed')
  utimesSync(join(folder, '0001.jpg'), 1, 1)
  rmSync(join(out, '0002.jpg'))
  truncateSync(join(out, '0003.jpg'), 100)
  mkdirSync(join(folder, 'new'))
  writeFileSync(
    join(folder, 'new', 'one.jpg'),
    Buffer.concat([readFileSync(join(folder, '0000.jpg')), Buffer.from('!')]),
  )
  assert.deepEqual(counts(await again()), { done: 4, skipped: pictures - 3, failed: 0 })
  const after = readPredictions(out)
  assert.deepEqual(after.slice(1, pictures), before.slice(1))
  assert.notEqual(after[0]!.sha256, before[0]!.sha256)
  assert.equal(after.at(-1)!.path, 'new/one.jpg')
  assert.ok(statSync(join(out, '0003.jpg')).size > 100)
  assert.deepEqual(outputFiles(out), after.map(({ path }) => path).sort())
})

test('a file that is gone keeps its result, and one that failed goes from the run with its file', async () => {
  const { folder, out, again } = await work('gone')
  writeFileSync(join(folder, 'broken.jpg'), 'no picture')
  assert.deepEqual(counts(await again()), { done: 0, skipped: pictures, failed: 1 })
  assert.deepEqual(counts(await again()), { done: 0, skipped: pictures, failed: 1 })
  rmSync(join(folder, 'broken.jpg'))
  rmSync(join(folder, '0000.jpg'))
  const { stderr, exitCode } = await home.cpn(['predict', '--pipeline', 'faces', 'gone', '--detector', detector])
  assert.equal(exitCode, 0, stderr)
  assert.match(stderr, /0000\.jpg: not there any more; the results are kept/)
  assert.match(stderr, /broken\.jpg: not there any more; no part of the run/)
  assert.deepEqual(counts(readSummary(out)), { done: 0, skipped: pictures, failed: 0 })
})

test('--verify goes by content where size and times say nothing', async () => {
  const { folder, again } = await work('verified')
  assert.deepEqual(counts(await again('--verify')), { done: 0, skipped: pictures, failed: 0 })
  const file = join(folder, '0000.jpg')
  const bytes = readFileSync(file)
  bytes[bytes.length - 1] = 120
  writeFileSync(file, bytes)
  believeFile(home, file)
  assert.deepEqual(counts(await again()), { done: 0, skipped: pictures, failed: 0 })
  assert.deepEqual(counts(await again('--verify')), { done: 1, skipped: pictures - 1, failed: 0 })
})

test('a failure that was about the file, not the image, is tried again; one about the image is with --retry', async () => {
  const { folder, again } = await work('retried')
  mkdirSync(join(home.folder, 'retried-predicted', 'taken.jpg'))
  cpSync(join(folder, '0000.jpg'), join(folder, 'taken.jpg'))
  writeFileSync(join(folder, 'broken.jpg'), 'no picture')
  assert.deepEqual(counts(await again()), { done: 0, skipped: pictures, failed: 2 })
  rmSync(join(home.folder, 'retried-predicted', 'taken.jpg'), { recursive: true })
  assert.deepEqual(counts(await again()), { done: 1, skipped: pictures, failed: 1 })
  const attempts = async () => (await show(['last', '--failed'])).inputs[0]!.attempts.length
  assert.equal(await attempts(), 1)
  await again('--retry')
  assert.equal(await attempts(), 2)
})

test('a run is listed and shown, and goes on by its name from anywhere', async () => {
  const { folder, out } = await work('named')
  const { runs } = await home.json<{ runs: RunInfo[] }>(['runs', 'list'])
  const run = runs.find((each) => each.out === out)!
  assert.deepEqual([run.state, run.inputs, run.done, run.epoch], ['finished', pictures, pictures, 1])

  const [input] = (await show([run.run, '--input', join(folder, '0003.jpg')])).inputs
  assert.deepEqual([input!.path, input!.state, input!.written?.file], ['0003.jpg', 'done', join(out, '0003.jpg')])
  assert.deepEqual(
    input!.attempts.map(({ node, outcome }) => [node, outcome]),
    [['here', 'done']],
  )
  rmSync(join(out, '0003.jpg'))
  const summary = await home.json<RunSummary>(['runs', 'resume', run.run])
  assert.deepEqual([summary.run, summary.done, summary.skipped], [run.run, 1, pictures - 1])

  await home.ok(['predict', '--pipeline', 'faces', 'named', '--detector', detector, '--annotate', 'none'])
  const { stdout, exitCode } = await home.cpn(['runs', 'resume', run.run, '--json'])
  assert.deepEqual([exitCode, JSON.parse(stdout).error.code], [2, 'CPN_ERR_RUN_UNKNOWN'])
  const unknown = await home.cpn(['runs', 'show', 'none-such', '--json'])
  assert.deepEqual([unknown.exitCode, JSON.parse(unknown.stdout).error.code], [2, 'CPN_ERR_RUN_UNKNOWN'])
})

test('the same OUT twice at once is refused naming the first, until that has ended, however it does', async () => {
  const many = join(home.folder, 'twice')
  await drawMany(many, 300)
  const out = join(home.folder, 'twice-out')
  const command = ['predict', '--pipeline', 'faces', 'twice', '--detector', detector, '--out', 'twice-out', '--json']
  const first = home.spawn(command)
  await until(() => countWritten(out) > 3, 'pictures are written')
  const second = await home.cpn(command)
  assert.equal(second.exitCode, 2, second.stderr)
  const { code, message } = JSON.parse(second.stdout).error
  assert.equal(code, 'CPN_ERR_RUN_BUSY')
  assert.match(message, new RegExp(`process ${first.pid} on `))
  const { runs } = await home.json<{ runs: RunInfo[] }>(['runs', 'list'])
  assert.deepEqual([runs.at(-1)!.state, runs.at(-1)!.owner?.pid], ['running', first.pid])

  first.kill('SIGKILL')
  await first.exited
  assert.equal((await home.json<{ runs: RunInfo[] }>(['runs', 'list'])).runs.at(-1)!.state, 'interrupted')
  const third = await home.json<RunSummary>(command.slice(0, -1))
  assert.equal(third.done + third.skipped, 300)
  assert.ok(third.skipped > 0)
  assert.equal(outputFiles(out).length, 300)
})

const removals: [what: string, remove: (out: string) => void][] = [
  ['OUT', (out) => renameSync(out, `${out}-elsewhere`)],
  ['a picture', (out) => rmSync(join(out, outputFiles(out).find((file) => file.endsWith('.jpg'))!))],
]
for (const [what, remove] of removals) {
  test(`${what} is taken away while a run goes on: nothing counts as done without its file`, async () => {
    const name = `without-${what.replace(' ', '-')}`
    await drawMany(join(home.folder, name), 200)
    const out = join(home.folder, `${name}-out`)
    const command = ['predict', '--pipeline', 'faces', name, '--detector', detector, '--out', out]
    const run = home.spawn(command)
    await until(() => countWritten(out) > 3, 'pictures are written')
    remove(out)
    const { exitCode, stderr } = await run.exited
    assert.equal(exitCode, 7, stderr)
    assert.match(stderr, /CPN_ERR_OUTPUT_WRITE/)
    const summary = readSummary(out)
    assert.ok(summary.pending > 0, JSON.stringify(summary))
    const done = readPredictions(out).map(({ path }) => path)
    assert.deepEqual(
      done.filter((path) => !outputFiles(out).includes(path)),
      [],
    )
    const again = await home.json<RunSummary>(command)
    assert.deepEqual([again.done + again.skipped, again.pending], [200, 0])
    assert.equal(outputFiles(out).length, 200)
  })
}

async function show(args: string[]): Promise<RunReport> {
  return home.json<RunReport>(['runs', 'show', ...args])
}
