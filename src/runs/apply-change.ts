import type { StatementSync } from 'node:sqlite'
import { decodeRecord, type EncodedRecord, encodeRecord, withoutTraces } from './job-record.ts'
import type { LedgerChange, Run } from './ledger.ts'

/** Gives the prepared statement of a text. */
export type Prepare = (text: string) => StatementSync
type Change<Kind extends LedgerChange['kind']> = Extract<LedgerChange, { kind: Kind }>

/** Makes one change to a run in the ledger's tables, within the caller's transaction. */
export function applyChange(sql: Prepare, run: Run, change: LedgerChange): void {
  if (change.kind === 'found') addInputs(sql, run, change)
  else if (change.kind === 'attempt') addAttempt(sql, run, change)
  else if (change.kind === 'job') endJob(sql, run, change)
  else if (change.kind === 'input') finishInput(sql, run, change)
  else if (change.kind === 'again') queueAgain(sql, run, change)
  else if (change.kind === 'kept') keepInput(sql, run, change)
  else if (change.kind === 'named') nameFaces(sql, run, change)
  else sql('DELETE FROM inputs WHERE run = ? AND seq = ?').run(run.id, change.seq)
}

function addInputs(sql: Prepare, run: Run, { inputs }: Change<'found'>): void {
  const insert = sql(`INSERT INTO inputs (run, seq, name, source, bytes, mtime_ms, ctime_ms, ino)
    VALUES (?1, (SELECT COALESCE(MAX(seq), 0) + 1 FROM inputs WHERE run = ?1), ?2, ?3, ?4, ?5, ?6, ?7)`)
  for (const { name, source, bytes, mtimeMs, ctimeMs, ino } of inputs)
    insert.run(run.id, name, source, bytes, mtimeMs, ctimeMs, ino)
}

function addAttempt(sql: Prepare, run: Run, change: Change<'attempt'>): void {
  const { job, attempt, node, purpose, state, time, error } = change
  const told = error === undefined ? null : `${error.code}: ${error.message}`
  sql(`INSERT OR REPLACE INTO attempts (run, job, epoch, attempt, node, purpose, state, time, error)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`).run(run.id, job, run.epoch, attempt, node, purpose, state, time, told)
}

function endJob(sql: Prepare, run: Run, change: Change<'job'>): void {
  const { result, embeddings, thumbnail, crops, error } =
    change.state === 'done'
      ? { ...change, error: null }
      : { result: null, embeddings: null, thumbnail: null, crops: null, error: JSON.stringify(change.error) }
  sql(`INSERT OR REPLACE INTO jobs (run, id, state, result, embeddings, thumbnail, crops, error)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)`).run(run.id, change.job, change.state, result, embeddings, thumbnail, crops, error)
}

function finishInput(sql: Prepare, run: Run, { seq, state, job, file, written, error }: Change<'input'>): void {
  sql(`UPDATE inputs SET state = ?, epoch = ?, job = ?, written = ?, error = ?, bytes = COALESCE(?, bytes),
    mtime_ms = COALESCE(?, mtime_ms), ctime_ms = COALESCE(?, ctime_ms), ino = COALESCE(?, ino)
    WHERE run = ? AND seq = ?`).run(
    state,
    run.epoch,
    job ?? null,
    written ?? null,
    error ? JSON.stringify(error) : null,
    file?.bytes ?? null,
    file?.mtimeMs ?? null,
    file?.ctimeMs ?? null,
    file?.ino ?? null,
    run.id,
    seq,
  )
}

function queueAgain(sql: Prepare, { id }: Run, { seq, input, forget }: Change<'again'>): void {
  if (forget) {
    const itsJob = '(SELECT job FROM inputs WHERE run = ?1 AND seq = ?2)'
    // Equal inputs were told the same and keep that, but none may be answered by it any more.
    sql(`UPDATE inputs SET error = (SELECT error FROM jobs WHERE run = ?1 AND id = inputs.job)
      WHERE run = ?1 AND error IS NULL AND state != 'done' AND job = ${itsJob}`).run(id, seq)
    sql(`DELETE FROM jobs WHERE run = ?1 AND state != 'done' AND id = ${itsJob}`).run(id, seq)
    sql('UPDATE inputs SET job = NULL, written = NULL WHERE run = ? AND seq = ?').run(id, seq)
  }
  const { source, bytes, mtimeMs, ctimeMs, ino } = input
  // A new position: whoever gives out queued inputs may be past the old one.
  sql(`UPDATE inputs SET state = 'queued', error = NULL, source = ?3, bytes = ?4, mtime_ms = ?5, ctime_ms = ?6,
    ino = ?7, seq = (SELECT MAX(seq) + 1 FROM inputs WHERE run = ?1) WHERE run = ?1 AND seq = ?2`).run(
    id,
    seq,
    source,
    bytes,
    mtimeMs,
    ctimeMs,
    ino,
  )
}

function keepInput(sql: Prepare, { id }: Run, { seq, file }: Change<'kept'>): void {
  sql(`UPDATE inputs SET state = (SELECT state FROM jobs WHERE run = ?1 AND id = inputs.job), bytes = ?3,
    mtime_ms = ?4, ctime_ms = ?5, ino = ?6 WHERE run = ?1 AND seq = ?2`).run(
    id,
    seq,
    file.bytes,
    file.mtimeMs,
    file.ctimeMs,
    file.ino,
  )
}

function nameFaces(sql: Prepare, run: Run, { job, faces, written, forget = [] }: Change<'named'>): void {
  const { id } = run
  sql(`UPDATE jobs SET result = json_set(result, '$.faces', json(?3)) WHERE run = ?1 AND id = ?2`).run(
    id,
    job,
    JSON.stringify(faces),
  )
  if (forget.length > 0) forgetFaces(sql, run, job, forget)
  if (written === undefined) return
  sql(`UPDATE inputs SET written = ?3 WHERE run = ?1 AND job = ?2 AND state = 'done'`).run(id, job, written)
}

function forgetFaces(sql: Prepare, { id }: Run, job: string, positions: readonly number[]): void {
  const columns = 'result, embeddings, thumbnail, crops'
  const row = sql(`SELECT ${columns} FROM jobs WHERE run = ? AND id = ?`).get(id, job) as EncodedRecord | undefined
  if (!row) return
  sql('DELETE FROM face_links WHERE run = ?').run(id)
  const { result, embeddings, thumbnail, crops } = encodeRecord(withoutTraces(decodeRecord(row), positions))
  sql('UPDATE jobs SET result = ?, embeddings = ?, thumbnail = ?, crops = ? WHERE run = ? AND id = ?').run(
    result,
    embeddings,
    thumbnail,
    crops,
    id,
    job,
  )
}
