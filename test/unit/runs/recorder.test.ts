import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { CpnError } from '../../../src/common/errors.ts'
import { GroupCommit } from '../../../src/runs/group-commit.ts'
import { InputReader, type ReadJob } from '../../../src/runs/input-reader.ts'
import { type BegunRun, type Input, type Ledger, type LedgerChange, openLedger } from '../../../src/runs/ledger.ts'
import { writeSummary } from '../../../src/runs/outputs.ts'
import { Recorder } from '../../../src/runs/recorder.ts'
import { RunWriter } from '../../../src/runs/run-writer.ts'
import { writeJsonl } from '../../../src/runs/sinks/jsonl.ts'
import { resultsOf } from '../../../src/runs/sinks/results.ts'
import type { Job, JobOutcome } from '../../../src/scheduler/scheduler.ts'
import { facesPipeline } from '../../helpers/faces.ts'
import { tempFolder } from '../../helpers/temp-folder.ts'

interface Bench extends AsyncDisposable {
  ledger: Ledger
  run: BegunRun
  recorder: Recorder
  out: string
  inputs: Input[]
  jobs: ReadJob[]
}

const unread = { bytes: 1, mtimeMs: 0, ctimeMs: 0, ino: 0 }

/** A run over files with the given contents, ready to be recorded. */
async function bench(contents: Record<string, string>, labels?: string[]): Promise<Bench> {
  const folder = tempFolder()
  const out = join(folder.path, 'out')
  const ledger = openLedger(join(folder.path, 'ledger.db'))
  const run = ledger.beginRun({
    out,
    options: { paths: [], pipeline: facesPipeline('tiny-squares') },
    pipelineDigest: 'p',
  })
  for (const [name, content] of Object.entries(contents)) writeFileSync(join(folder.path, name), content)
  const found = Object.keys(contents).map((name) => ({ name, source: join(folder.path, name), ...unread }))
  ledger.commit(run, [{ kind: 'found', inputs: found }])
  const inputs = ledger.queued(run.id, 0, 100)
  const reader = new InputReader()
  const writer = new RunWriter(join(folder.path, 'ledger.db'))
  const commits = new GroupCommit<LedgerChange>(async (changes) => ledger.commit(run, changes))
  return {
    ledger,
    run,
    out,
    inputs,
    recorder: new Recorder({ ledger, commits, writer, run: run.id, out, annotates: true, labels }),
    jobs: await Promise.all(inputs.map(({ source }) => reader.job(source))),
    async [Symbol.asyncDispose]() {
      await reader[Symbol.asyncDispose]()
      await writer[Symbol.asyncDispose]()
      ledger[Symbol.dispose]()
      folder[Symbol.dispose]()
    },
  }
}

function done(job: Job, picture = 'annotated'): JobOutcome {
  const face = { box: [1, 2, 3, 4] as [number, number, number, number], score: 0.9, keypoints: null }
  const answer = { job: job.id, attempt: 1, epoch: 1, width: 10, height: 20, faces: [face], parts: [], timings: {} }
  const result = { answer, annotated: Buffer.from(picture), embeddings: [new Float32Array([0.5, -0.25])] }
  return { state: 'done', job, node: 'a', attempts: 1, result, milliseconds: 1 }
}

async function predictions({ ledger, run, out }: Bench): Promise<object[]> {
  await writeJsonl(resultsOf(ledger, run.id, { out, copies: true, embeddings: true }))
  const text = readFileSync(join(out, 'predictions.jsonl'), 'utf8')
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
}

test('a done job is a written file, a ledger entry and a line', async () => {
  await using it = await bench({ 'a.jpg': 'A' })
  assert.equal(await it.recorder.claim(it.inputs[0]!, it.jobs[0]!), 'new')
  assert.deepEqual(await it.recorder.settle(done(it.jobs[0]!)), [{ name: 'a.jpg', state: 'done' }])
  assert.equal(readFileSync(join(it.out, 'a.jpg'), 'utf8'), 'annotated')
  assert.equal(it.ledger.counts(it.run.id).done, 1)
  assert.deepEqual(await predictions(it), [
    {
      path: 'a.jpg',
      sha256: it.jobs[0]!.id,
      width: 10,
      height: 20,
      models: ['tiny-squares@1'],
      faces: [
        { box: [1, 2, 3, 4], score: 0.9, keypoints: null, person: null, similarity: null, embedding: [0.5, -0.25] },
      ],
    },
  ])
})

test('what a node says by number is written by name', async () => {
  await using it = await bench({ 'a.jpg': 'A', 'b.jpg': 'B' }, ['cat', 'dog'])
  const [objects, classes] = it.jobs.map((job) => done(job) as Extract<JobOutcome, { state: 'done' }>)
  Object.assign(objects!.result.answer, { faces: [], objects: [{ class: 1, box: [1, 2, 3, 4], score: 0.7 }] })
  Object.assign(classes!.result.answer, { faces: [], classes: [{ class: 0, score: 0.6 }] })
  for (const [i, outcome] of [objects!, classes!].entries()) {
    delete outcome.result.embeddings
    await it.recorder.claim(it.inputs[i]!, it.jobs[i]!)
    await it.recorder.settle(outcome)
  }
  const [a, b] = it.jobs.map(({ id }) => id)
  assert.deepEqual(await predictions(it), [
    {
      path: 'a.jpg',
      sha256: a,
      width: 10,
      height: 20,
      models: ['tiny-squares@1'],
      objects: [{ box: [1, 2, 3, 4], score: 0.7, label: 'dog' }],
    },
    {
      path: 'b.jpg',
      sha256: b,
      width: 10,
      height: 20,
      models: ['tiny-squares@1'],
      labels: [{ label: 'cat', score: 0.6 }],
    },
  ])
})

test('equal files are one job and several inputs, before, while and after it is done', async () => {
  await using it = await bench({ 'a.jpg': 'same', 'b.jpg': 'same', 'c.jpg': 'same' })
  assert.equal(await it.recorder.claim(it.inputs[0]!, it.jobs[0]!), 'new')
  assert.equal(await it.recorder.claim(it.inputs[1]!, it.jobs[1]!), 'waiting')
  const finished = await it.recorder.settle(done(it.jobs[0]!))
  assert.deepEqual(finished.map(({ name }) => name).sort(), ['a.jpg', 'b.jpg'])
  assert.deepEqual(await it.recorder.claim(it.inputs[2]!, it.jobs[2]!), { name: 'c.jpg', state: 'done' })
  for (const name of ['a.jpg', 'b.jpg', 'c.jpg']) assert.equal(readFileSync(join(it.out, name), 'utf8'), 'annotated')
  assert.equal((await predictions(it)).length, 3)
})

test('an input that comes while its job is being written is not forgotten', async () => {
  await using it = await bench({ 'a.jpg': 'same', 'b.jpg': 'same' })
  await it.recorder.claim(it.inputs[0]!, it.jobs[0]!)
  const settling = it.recorder.settle(done(it.jobs[0]!))
  const claim = await it.recorder.claim(it.inputs[1]!, it.jobs[1]!)
  await settling
  assert.notEqual(claim, 'new')
  assert.equal(it.ledger.counts(it.run.id).done, 2)
})

test('failures carry their code into the line, and an output that cannot be written loses nothing', async () => {
  await using it = await bench({ 'a.jpg': 'A', 'b.jpg': 'B' })
  await it.recorder.claim(it.inputs[0]!, it.jobs[0]!)
  const error = new CpnError('CPN_ERR_IMAGE_DECODE', 'truncated')
  await it.recorder.settle({ state: 'failed', job: it.jobs[0]!, attempts: 1, error })
  await it.recorder.claim(it.inputs[1]!, it.jobs[1]!)
  writeFileSync(it.out, 'a file where the folder should be')
  await assert.rejects(it.recorder.settle(done(it.jobs[1]!)), { code: 'CPN_ERR_OUTPUT_WRITE' })
  assert.deepEqual(it.ledger.counts(it.run.id), {
    inputs: 2,
    bytes: 2,
    done: 0,
    failed: 1,
    quarantined: 0,
    skipped: 0,
    pending: 1,
  })
  const [line] = [...it.ledger.lines(it.run.id)]
  assert.deepEqual(line?.error, { code: 'CPN_ERR_IMAGE_DECODE', message: 'truncated' })
})

test('a name that the disk cannot hold costs that file only', async () => {
  await using it = await bench({ 'a.jpg': 'same', 'b.jpg': 'same' })
  mkdirSync(join(it.out, 'a.jpg'), { recursive: true })
  await it.recorder.claim(it.inputs[0]!, it.jobs[0]!)
  await it.recorder.claim(it.inputs[1]!, it.jobs[1]!)
  const finished = await it.recorder.settle(done(it.jobs[0]!))
  assert.deepEqual(
    finished.map(({ name, state, error }) => [name, state, error?.code]),
    [
      ['a.jpg', 'failed', 'CPN_ERR_OUTPUT_WRITE'],
      ['b.jpg', 'done', undefined],
    ],
  )
  const [first] = await predictions(it)
  assert.equal((first as { error: { code: string } }).error.code, 'CPN_ERR_OUTPUT_WRITE')
})

test('an equal file that comes later to a name the disk cannot hold costs that file only', async () => {
  await using it = await bench({ 'a.jpg': 'same', 'b.jpg': 'same' })
  mkdirSync(join(it.out, 'b.jpg'), { recursive: true })
  await it.recorder.claim(it.inputs[0]!, it.jobs[0]!)
  await it.recorder.settle(done(it.jobs[0]!))
  const claim = await it.recorder.claim(it.inputs[1]!, it.jobs[1]!)
  assert.deepEqual([(claim as { state: string }).state, it.ledger.counts(it.run.id).failed], ['failed', 1])
})

test('an equal file whose picture is gone is looked at again', async () => {
  await using it = await bench({ 'a.jpg': 'same', 'b.jpg': 'same' })
  await it.recorder.claim(it.inputs[0]!, it.jobs[0]!)
  await it.recorder.settle(done(it.jobs[0]!))
  rmSync(join(it.out, 'a.jpg'))
  assert.equal(await it.recorder.claim(it.inputs[1]!, it.jobs[1]!), 'new')
})

test('files appear under their name only when they are whole', async () => {
  await using it = await bench({ 'a.jpg': 'A' })
  const counts = it.ledger.counts(it.run.id)
  await writeSummary(it.out, { run: it.run.id, ...counts, ignored: 0, seconds: 1, imagesPerSecond: 1 })
  assert.equal(JSON.parse(readFileSync(join(it.out, 'summary.json'), 'utf8')).inputs, 1)
  assert.deepEqual(readdirSync(it.out), ['summary.json'])
})

test('bytes that changed since they were read are not sent a second time', async () => {
  await using it = await bench({ 'a.jpg': 'before' })
  const [job] = it.jobs
  assert.equal((await job!.read()).toString(), 'before')
  writeFileSync(it.inputs[0]!.source, 'after')
  await assert.rejects(job!.read(), { code: 'CPN_ERR_INPUT_UNREADABLE' })
})

test('a ledger of a newer version is refused', async () => {
  using folder = tempFolder()
  const file = join(folder.path, 'ledger.db')
  openLedger(file)[Symbol.dispose]()
  const { DatabaseSync } = await import('node:sqlite')
  const db = new DatabaseSync(file)
  db.exec('PRAGMA user_version = 99')
  db.close()
  assert.throws(() => openLedger(file), { code: 'CPN_ERR_STATE_DIR' })
})
