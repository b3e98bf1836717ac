import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { openRunHistory } from '../../../src/runs/history.ts'
import { type Ledger, type NewInput, openLedger } from '../../../src/runs/ledger.ts'
import { tempFolder } from '../../helpers/temp-folder.ts'

const work = { out: '/out', options: { paths: ['/photos'] }, pipelineDigest: 'p' }
const input = (name: string): NewInput => ({
  name,
  source: `/photos/${name}`,
  bytes: 1,
  mtimeMs: 2,
  ctimeMs: 3,
  ino: 4,
})
const jobDone = {
  kind: 'job',
  job: 'j',
  state: 'done',
  result: '{}',
  embeddings: null,
  thumbnail: null,
  crops: null,
} as const

function ledgerIn(folder: { path: string }): Ledger {
  return openLedger(join(folder.path, 'ledger.db'))
}

test('the same work goes on in a new epoch, other work into the same folder is a new run', () => {
  using folder = tempFolder()
  using ledger = ledgerIn(folder)
  const first = ledger.beginRun(work)
  assert.deepEqual([first.epoch, first.left], [1, undefined])
  const { id, epoch, left } = ledger.beginRun(work)
  assert.deepEqual([id, epoch, left], [first.id, 2, 'running'])
  ledger.endRun({ id, epoch }, 'finished')
  const third = ledger.beginRun(work)
  assert.deepEqual([third.left, third.died], ['finished', false])
  const other = ledger.beginRun({ ...work, options: { paths: ['/elsewhere'] } })
  assert.equal(other.died, true)
  assert.deepEqual(
    ledger.runs().map(({ state }) => state),
    ['interrupted', 'running'],
  )
  assert.notEqual(other.id, first.id)
  // What is in the folder is the other's by now.
  assert.equal(ledger.beginRun(work).left, undefined)
  assert.throws(() => ledger.beginRun({ ...work, id: other.id }), { code: 'CPN_ERR_RUN_UNKNOWN' })
})

test('what the latest epoch has settled is counted without what was failed before', () => {
  using folder = tempFolder()
  using ledger = ledgerIn(folder)
  const first = ledger.beginRun(work)
  const error = { code: 'CPN_ERR_IMAGE_DECODE', message: 'no image' } as const
  ledger.commit(first, [{ kind: 'found', inputs: [input('a.jpg'), input('b.jpg')] }])
  ledger.commit(first, [{ kind: 'input', state: 'failed', seq: 1, error }])
  assert.equal(ledger.settledLately(first.id), 1)
  const second = ledger.beginRun(work)
  assert.equal(ledger.settledLately(first.id), 0)
  ledger.commit(second, [jobDone, { kind: 'input', state: 'done', job: 'j', written: 5, seq: 2 }])
  assert.deepEqual([ledger.settledLately(first.id), ledger.counts(first.id).failed], [1, 1])
})

test('a former master commits nothing any more, and does not end the run', () => {
  using folder = tempFolder()
  using ledger = ledgerIn(folder)
  const former = ledger.beginRun(work)
  const present = ledger.beginRun(work)
  assert.throws(() => ledger.commit(former, [{ kind: 'found', inputs: [input('a.jpg')] }]), {
    code: 'CPN_ERR_STALE_EPOCH',
  })
  assert.equal(ledger.counts(former.id).inputs, 0)
  ledger.endRun(former, 'finished')
  assert.equal(ledger.lastRunOf('/out')?.state, 'running')
  ledger.commit(present, [{ kind: 'found', inputs: [input('a.jpg')] }])
  ledger.deleteRun(present.id)
  assert.throws(() => ledger.commit(present, []), { code: 'CPN_ERR_STALE_EPOCH' })
})

test('what an epoch finished counts as skipped for the next, also when it was looked at again and kept', () => {
  using folder = tempFolder()
  using ledger = ledgerIn(folder)
  const first = ledger.beginRun(work)
  const done = { kind: 'input', state: 'done', job: 'j', written: 5 } as const
  ledger.commit(first, [{ kind: 'found', inputs: [input('a.jpg'), input('b.jpg')] }])
  ledger.commit(first, [jobDone, { ...done, seq: 1 }, { ...done, seq: 2 }])
  assert.deepEqual(pick(ledger, first.id), { done: 2, skipped: 0, pending: 0 })
  const second = ledger.beginRun(work)
  assert.deepEqual(pick(ledger, first.id), { done: 0, skipped: 2, pending: 0 })
  ledger.commit(second, [{ kind: 'again', seq: 1, input: input('a.jpg'), forget: false }])
  assert.deepEqual(pick(ledger, first.id), { done: 0, skipped: 1, pending: 1 })
  // It comes after those that were given out already, and knows its own former job.
  assert.deepEqual(
    ledger.queued(first.id, 2, 10).map(({ seq, name }) => [seq, name]),
    [[3, 'a.jpg']],
  )
  assert.equal(ledger.endedJob(first.id, 'j', 3)?.name, 'a.jpg')
  ledger.commit(second, [{ kind: 'kept', seq: 3, file: { ...input('a.jpg'), mtimeMs: 9 } }])
  assert.deepEqual(pick(ledger, first.id), { done: 0, skipped: 2, pending: 0 })
  assert.equal(ledger.known(first.id, ['a.jpg', 'none']).get('a.jpg')?.mtimeMs, 9)
})

test('an input that is done anew whatever it is has no former job, and equal ones keep their reason', () => {
  using folder = tempFolder()
  using ledger = ledgerIn(folder)
  const first = ledger.beginRun(work)
  const error = { code: 'CPN_ERR_WORKER_CRASHED', message: 'crashed' }
  ledger.commit(first, [
    { kind: 'found', inputs: [input('a.jpg'), input('b.jpg')] },
    { kind: 'job', job: 'j', state: 'failed', error },
    { kind: 'input', seq: 1, state: 'failed', job: 'j' },
    { kind: 'input', seq: 2, state: 'failed', job: 'j' },
  ])
  const second = ledger.beginRun(work)
  ledger.commit(second, [{ kind: 'again', seq: 1, input: input('a.jpg'), forget: true }])
  assert.equal(ledger.endedJob(first.id, 'j', 3), undefined)
  assert.deepEqual(
    [...ledger.lines(first.id)].map((line) => line.error),
    [null, error],
  )
})

test('attempts of several epochs stand side by side, and one without an end is told as such', () => {
  using folder = tempFolder()
  using ledger = ledgerIn(folder)
  const attempt = { kind: 'attempt', job: 'j', attempt: 1, node: 'a', purpose: 'work' } as const
  ledger.commit(ledger.beginRun(work), [{ ...attempt, state: 'started', time: '1' }])
  const second = ledger.beginRun(work)
  const error = { code: 'CPN_ERR_CONNECTION_LOST', message: 'gone' }
  ledger.commit(second, [
    { ...attempt, state: 'started', time: '2' },
    { ...attempt, state: 'failed', time: '3', error },
  ])
  using history = openRunHistory(join(folder.path, 'ledger.db'))
  assert.deepEqual(history.attempts(second.id, 'j'), [
    { epoch: 1, attempt: 1, node: 'a', purpose: 'work', started: '1', ended: null, outcome: null, error: null },
    {
      epoch: 2,
      attempt: 1,
      node: 'a',
      purpose: 'work',
      started: '2',
      ended: '3',
      outcome: 'failed',
      error: 'CPN_ERR_CONNECTION_LOST: gone',
    },
  ])
})

test('attempts that were cancelled or overruled are told as such, with what they were for', () => {
  using folder = tempFolder()
  using ledger = ledgerIn(folder)
  const run = ledger.beginRun(work)
  const attempt = { kind: 'attempt', job: 'j', time: '1' } as const
  ledger.commit(run, [
    { ...attempt, attempt: 1, node: 'a', purpose: 'work', state: 'started' },
    { ...attempt, attempt: 2, node: 'b', purpose: 'hedge', state: 'started' },
    { ...attempt, attempt: 1, node: 'a', purpose: 'work', state: 'done' },
    { ...attempt, attempt: 2, node: 'b', purpose: 'hedge', state: 'cancelled' },
    { ...attempt, attempt: 1, node: 'a', purpose: 'audit', state: 'overruled' },
  ])
  using history = openRunHistory(join(folder.path, 'ledger.db'))
  assert.deepEqual(
    history.attempts(run.id, 'j').map(({ attempt, purpose, outcome }) => [attempt, purpose, outcome]),
    [
      [1, 'work', 'overruled'],
      [2, 'hedge', 'cancelled'],
    ],
  )
  assert.deepEqual(history.shares(run.id), [
    { node: 'a', done: 1, overruled: 1, failed: 0 },
    { node: 'b', done: 0, overruled: 0, failed: 0 },
  ])
})

test('failed attempts of earlier epochs are told, with whether their node did anything else', () => {
  using folder = tempFolder()
  using ledger = ledgerIn(folder)
  const failed = (attempt: number, node: string, purpose: 'work' | 'alone') =>
    ({ kind: 'attempt', job: 'j', time: '1', attempt, node, purpose, state: 'failed', error: crashed }) as const
  const crashed = { code: 'CPN_ERR_WORKER_CRASHED', message: 'SIGSEGV: twice' }
  ledger.commit(ledger.beginRun(work), [
    { kind: 'found', inputs: [input('a.jpg')] },
    { kind: 'attempt', job: 'other', time: '1', attempt: 1, node: 'good', purpose: 'work', state: 'done' },
    failed(1, 'good', 'work'),
    failed(2, 'new', 'alone'),
  ])
  const second = ledger.beginRun(work)
  ledger.commit(second, [failed(1, 'third', 'work')])
  const { code } = crashed
  assert.deepEqual(ledger.earlierFailures(second, 'j', 1), [
    { node: 'good', code, alone: false, credible: true },
    { node: 'new', code, alone: true, credible: false },
  ])
  assert.deepEqual(ledger.earlierFailures(second, 'other', 1), [])
})

test('what failed before an input was finished is settled when it is done anew', () => {
  using folder = tempFolder()
  using ledger = ledgerIn(folder)
  const error = { code: 'CPN_ERR_WORKER_CRASHED', message: 'SIGSEGV' }
  const failed = {
    kind: 'attempt',
    job: 'j',
    time: '1',
    attempt: 1,
    node: 'a',
    purpose: 'work',
    state: 'failed',
    error,
  } as const
  ledger.commit(ledger.beginRun(work), [
    { kind: 'found', inputs: [input('a.jpg')] },
    failed,
    { kind: 'job', job: 'j', state: 'quarantined', error },
    { kind: 'input', seq: 1, state: 'quarantined', job: 'j' },
  ])
  const second = ledger.beginRun(work)
  ledger.commit(second, [{ kind: 'again', seq: 1, input: input('a.jpg'), forget: true }])
  assert.deepEqual(ledger.earlierFailures(second, 'j', 2), [])
  // That epoch was cut off: what it saw counts.
  ledger.commit(second, [{ ...failed, node: 'b' }])
  assert.deepEqual(
    ledger.earlierFailures(ledger.beginRun(work), 'j', 2).map(({ node }) => node),
    ['b'],
  )
})

test('a ledger of the first version is brought to this one with all that is in it', () => {
  using folder = tempFolder()
  const file = join(folder.path, 'ledger.db')
  openLedger(file)[Symbol.dispose]()
  asFirstVersion(file)
  using ledger = openLedger(file)
  assert.deepEqual(pick(ledger, 'old'), { done: 1, skipped: 0, pending: 1 })
  const known = ledger.known('old', ['a.jpg']).get('a.jpg')
  assert.deepEqual([known?.epoch, known?.ino, known?.written], [1, null, null])
  using history = openRunHistory(file)
  assert.deepEqual(history.shares('old'), [{ node: 'n', done: 1, overruled: 0, failed: 0 }])
  assert.deepEqual(history.attempts('old', 'j')[0]?.purpose, null)
})

function pick(ledger: Ledger, run: string) {
  const { done, skipped, pending } = ledger.counts(run)
  return { done, skipped, pending }
}

/** Makes the tables what they were in version 0.1 and puts a run into them. */
function asFirstVersion(file: string): void {
  using db = new DatabaseSync(file)
  db.exec(`
    DROP INDEX runs_by_out;
    DROP TABLE grouped_faces;
    DROP TABLE face_links;
    ALTER TABLE runs DROP COLUMN grouped;
    ALTER TABLE runs DROP COLUMN last_group;
    ALTER TABLE runs DROP COLUMN started_at;
    ALTER TABLE inputs DROP COLUMN ctime_ms;
    ALTER TABLE inputs DROP COLUMN ino;
    ALTER TABLE inputs DROP COLUMN written;
    ALTER TABLE inputs DROP COLUMN epoch;
    ALTER TABLE jobs DROP COLUMN thumbnail;
    ALTER TABLE jobs DROP COLUMN crops;
    ALTER TABLE runs DROP COLUMN matching;
    DROP TABLE attempts;
    CREATE TABLE attempts (
      run TEXT NOT NULL, job TEXT NOT NULL, attempt INTEGER NOT NULL, node TEXT NOT NULL, state TEXT NOT NULL,
      time TEXT NOT NULL, error TEXT, PRIMARY KEY (run, job, attempt, state)) STRICT, WITHOUT ROWID;
    PRAGMA user_version = 1;
    INSERT INTO runs VALUES ('old', '2026-01-01T00:00:00.000Z', NULL, 'running', 1, '/out', '{"paths":["photos"]}', 'p');
    INSERT INTO inputs (run, seq, name, source, bytes, mtime_ms, state, job) VALUES
      ('old', 1, 'a.jpg', '/photos/a.jpg', 1, 2, 'done', 'j'), ('old', 2, 'b.jpg', '/photos/b.jpg', 1, 2, 'queued', NULL);
    INSERT INTO attempts VALUES ('old', 'j', 1, 'n', 'started', '1', NULL), ('old', 'j', 1, 'n', 'done', '2', NULL);
  `)
}
