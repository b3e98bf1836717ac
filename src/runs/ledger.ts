import { randomBytes } from 'node:crypto'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { CpnError } from '../common/errors.ts'
import type { Face } from '../protocol/messages.ts'
import type { AttemptEvent } from '../scheduler/scheduler.ts'
import { tellDamage } from './ledger-damage.ts'

export type InputState = 'queued' | 'done' | 'failed' | 'quarantined' | 'skipped'

/** A file as it was when the run found it. */
export interface NewInput {
  /** Relative path in OUT, with `/`; unique within a run. */
  name: string
  /** Absolute path of the file. */
  source: string
  bytes: number
  mtimeMs: number
}

export interface Input extends NewInput {
  /** Position in the order of discovery. */
  seq: number
}

/** What a run keeps of a job: enough to write its lines again without inference. */
export interface JobRecord {
  width: number
  height: number
  faces: Face[]
  embeddings?: Float32Array[]
}

/** A JobRecord as it is kept, which is cheaper to hand to a thread than its many small objects. */
export interface EncodedRecord {
  /** JSON of all but the embeddings. */
  result: string
  /** Vectors of equal length, float32 little endian, one after another. */
  embeddings: Uint8Array | null
}

export interface InputError {
  code: string
  message: string
}

/** One input as predictions.jsonl tells it. */
export interface InputLine {
  name: string
  state: InputState
  job: string | null
  result: JobRecord | null
  error: InputError | null
}

export interface RunCounts {
  inputs: number
  bytes: number
  done: number
  failed: number
  quarantined: number
  skipped: number
  pending: number
}

export interface EndedJob {
  state: 'done' | 'failed' | 'quarantined'
  /** Input that has the job's output. */
  name: string
  error: InputError | null
}

export interface NewRun {
  /** Absolute folder of the outputs. */
  out: string
  /** What was asked for, as JSON. */
  options: unknown
  pipelineDigest: string
}

export interface Run {
  id: string
  /** Fencing number; a resumed run gets a higher one. */
  epoch: number
}

/**
 * The record of runs in one SQLite file. Every method that writes is durable when it returns, which takes an fsync:
 * while a run works, `commit` is called by the thread of run-writer.ts.
 */
export interface Ledger extends Disposable {
  createRun(run: NewRun): Run
  endRun(run: string, state: 'finished' | 'interrupted'): void
  /** Queued inputs after position `after`, in order of discovery, at most `limit`. */
  queued(run: string, after: number, limit: number): Input[]
  /** A job of the run that has ended, with the name of an input whose file was written; undefined if it has not. */
  endedJob(run: string, job: string): EndedJob | undefined
  /** Applies many changes in one transaction. */
  commit(changes: readonly LedgerChange[]): void
  counts(run: string): RunCounts
  /** All inputs of a run ordered by name, streamed. */
  lines(run: string): Iterable<InputLine>
}

/** Plain data: it travels to the thread that writes. */
export type LedgerChange =
  | { kind: 'found'; run: string; inputs: readonly NewInput[] }
  | ({ kind: 'attempt'; run: string; time: string; error?: InputError } & Omit<AttemptEvent, 'error'>)
  | ({ kind: 'job'; run: string; job: string; state: 'done' } & EncodedRecord)
  | { kind: 'job'; run: string; job: string; state: 'failed' | 'quarantined'; error: InputError }
  | { kind: 'input'; run: string; seq: number; state: InputState; job?: string; error?: InputError }

const schema = `
  CREATE TABLE IF NOT EXISTS runs (
    id TEXT PRIMARY KEY, created_at TEXT NOT NULL, ended_at TEXT, state TEXT NOT NULL, epoch INTEGER NOT NULL,
    out TEXT NOT NULL, options TEXT NOT NULL, pipeline_digest TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS inputs (
    run TEXT NOT NULL REFERENCES runs, seq INTEGER NOT NULL, name TEXT NOT NULL, source TEXT NOT NULL,
    bytes INTEGER NOT NULL, mtime_ms REAL NOT NULL, state TEXT NOT NULL DEFAULT 'queued', job TEXT, error TEXT,
    PRIMARY KEY (run, seq), UNIQUE (run, name)) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS inputs_by_job ON inputs (run, job) WHERE job IS NOT NULL;
  CREATE TABLE IF NOT EXISTS jobs (
    run TEXT NOT NULL REFERENCES runs, id TEXT NOT NULL, state TEXT NOT NULL, result TEXT, embeddings BLOB, error TEXT,
    PRIMARY KEY (run, id)) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS attempts (
    run TEXT NOT NULL, job TEXT NOT NULL, attempt INTEGER NOT NULL, node TEXT NOT NULL, state TEXT NOT NULL,
    time TEXT NOT NULL, error TEXT, PRIMARY KEY (run, job, attempt, state)) STRICT, WITHOUT ROWID;
`
const schemaVersion = 1

/** Opens or creates the ledger. Ends with CPN_ERR_STATE_DIR when it is damaged or of a newer cpn. */
export function openLedger(file: string): Ledger {
  try {
    return tellDamage(new SqliteLedger(file), file)
  } catch (cause) {
    if (cause instanceof CpnError) throw cause
    throw new CpnError('CPN_ERR_STATE_DIR', `the ledger ${file} cannot be opened: ${(cause as Error).message}`, {
      cause,
      suggestions: [
        'Check that the folder is writable.',
        `If the file is damaged, move it away: mv ${file} ${file}.damaged`,
      ],
    })
  }
}

class SqliteLedger implements Ledger {
  readonly #db: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  constructor(file: string) {
    this.#db = new DatabaseSync(file, { timeout: 10_000 })
    this.#db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;')
    const { user_version: found } = this.#db.prepare('PRAGMA user_version').get() as { user_version: number }
    if (found > schemaVersion) {
      throw new CpnError('CPN_ERR_STATE_DIR', `the ledger ${file} was written by a newer cpn`, {
        suggestions: ['Use the newer cpn with this inventory.'],
      })
    }
    this.#db.exec(`${schema} PRAGMA user_version = ${schemaVersion};`)
  }

  createRun({ out, options, pipelineDigest }: NewRun): Run {
    const created = new Date().toISOString()
    const id = `${created.slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')}-${randomBytes(3).toString('hex')}`
    this.#sql(`INSERT INTO runs (id, created_at, state, epoch, out, options, pipeline_digest)
      VALUES (?, ?, 'running', 1, ?, ?, ?)`).run(id, created, out, JSON.stringify(options), pipelineDigest)
    return { id, epoch: 1 }
  }

  endRun(run: string, state: 'finished' | 'interrupted'): void {
    this.#sql('UPDATE runs SET state = ?, ended_at = ? WHERE id = ?').run(state, new Date().toISOString(), run)
  }

  queued(run: string, after: number, limit: number): Input[] {
    return this.#sql(`SELECT seq, name, source, bytes, mtime_ms AS mtimeMs FROM inputs
      WHERE run = ? AND seq > ? AND state = 'queued' ORDER BY seq LIMIT ?`).all(run, after, limit) as unknown as Input[]
  }

  endedJob(run: string, job: string): EndedJob | undefined {
    const row = this.#sql(`SELECT j.state, j.error, i.name FROM jobs j JOIN inputs i ON i.run = j.run AND i.job = j.id
      WHERE j.run = ? AND j.id = ? AND i.state = j.state LIMIT 1`).get(run, job)
    if (!row) return undefined
    const { state, error, name } = row as { state: EndedJob['state']; error: string | null; name: string }
    return { state, name, error: error === null ? null : JSON.parse(error) }
  }

  commit(changes: readonly LedgerChange[]): void {
    this.#transaction(() => {
      for (const change of changes) this.#apply(change)
    })
  }

  counts(run: string): RunCounts {
    const rows = this.#sql(
      'SELECT state, COUNT(*) AS n, SUM(bytes) AS bytes FROM inputs WHERE run = ? GROUP BY state',
    ).all(run) as { state: InputState; n: number; bytes: number }[]
    const count = (state: InputState) => rows.find((row) => row.state === state)?.n ?? 0
    return {
      inputs: rows.reduce((sum, row) => sum + row.n, 0),
      bytes: rows.reduce((sum, row) => sum + row.bytes, 0),
      done: count('done'),
      failed: count('failed'),
      quarantined: count('quarantined'),
      skipped: count('skipped'),
      pending: count('queued'),
    }
  }

  *lines(run: string): Iterable<InputLine> {
    const rows = this.#sql(`SELECT i.name, i.state, i.job, j.result, j.embeddings, COALESCE(i.error, j.error) AS error
      FROM inputs i LEFT JOIN jobs j ON j.run = i.run AND j.id = i.job WHERE i.run = ? ORDER BY i.name`).iterate(run)
    for (const row of rows) {
      const { name, state, job, result, embeddings, error } = row as Record<string, string | null> & {
        embeddings: Uint8Array | null
      }
      yield {
        name: name!,
        state: state as InputState,
        job: job!,
        result: result === null ? null : decodeResult(result!, embeddings),
        error: error === null ? null : JSON.parse(error!),
      }
    }
  }

  [Symbol.dispose](): void {
    this.#db.close()
  }

  #apply(change: LedgerChange): void {
    if (change.kind === 'found') this.#addInputs(change.run, change.inputs)
    else if (change.kind === 'attempt') {
      const { job, attempt, node, state, error } = change
      this.#sql(
        'INSERT OR REPLACE INTO attempts (run, job, attempt, node, state, time, error) VALUES (?, ?, ?, ?, ?, ?, ?)',
      ).run(
        change.run,
        job,
        attempt,
        node,
        state,
        change.time,
        error === undefined ? null : `${error.code}: ${error.message}`,
      )
    } else if (change.kind === 'job') {
      const done = change.state === 'done' ? change : undefined
      this.#sql(
        'INSERT OR REPLACE INTO jobs (run, id, state, result, embeddings, error) VALUES (?, ?, ?, ?, ?, ?)',
      ).run(
        change.run,
        change.job,
        change.state,
        done?.result ?? null,
        done?.embeddings ?? null,
        change.state === 'done' ? null : JSON.stringify(change.error),
      )
    } else {
      this.#sql('UPDATE inputs SET state = ?, job = ?, error = ? WHERE run = ? AND seq = ?').run(
        change.state,
        change.job ?? null,
        change.error ? JSON.stringify(change.error) : null,
        change.run,
        change.seq,
      )
    }
  }

  #addInputs(run: string, inputs: readonly NewInput[]): void {
    const insert = this.#sql(`INSERT INTO inputs (run, seq, name, source, bytes, mtime_ms)
      VALUES (?, (SELECT COALESCE(MAX(seq), 0) + 1 FROM inputs WHERE run = ?), ?, ?, ?, ?)`)
    for (const { name, source, bytes, mtimeMs } of inputs) insert.run(run, run, name, source, bytes, mtimeMs)
  }

  #sql(text: string): StatementSync {
    const known = this.#statements.get(text)
    if (known) return known
    const statement = this.#db.prepare(text)
    this.#statements.set(text, statement)
    return statement
  }

  #transaction(work: () => void): void {
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      work()
      this.#db.exec('COMMIT')
    } catch (error) {
      this.#db.exec('ROLLBACK')
      throw error
    }
  }
}

export function encodeRecord({ embeddings, ...rest }: JobRecord): EncodedRecord {
  return { result: JSON.stringify(rest), embeddings: embeddings ? encodeEmbeddings(embeddings) : null }
}

function encodeEmbeddings(vectors: readonly Float32Array[]): Uint8Array {
  return Buffer.concat(vectors.map((vector) => Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength)))
}

function decodeResult(json: string, embeddings: Uint8Array | null): JobRecord {
  const result = JSON.parse(json) as JobRecord
  if (embeddings === null || result.faces.length === 0) return result
  const all = new Float32Array(Uint8Array.from(embeddings).buffer)
  const size = all.length / result.faces.length
  return { ...result, embeddings: result.faces.map((_, index) => all.subarray(index * size, (index + 1) * size)) }
}
