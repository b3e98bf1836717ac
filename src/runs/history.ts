import { DatabaseSync } from 'node:sqlite'
import type { AttemptEvent, AttemptPurpose } from '../scheduler/scheduler.ts'
import { type InputError, type InputState, openLedger } from './ledger.ts'
import { tellDamage } from './ledger-damage.ts'

/** What the ledger knows of one input. */
export interface InputRecord {
  /** Relative path in OUT. */
  name: string
  /** Absolute path of the file. */
  source: string
  state: InputState
  /** sha256 of the content it was finished as. */
  job: string | null
  bytes: number
  mtimeMs: number
  /** The run's epoch that finished it. */
  epoch: number | null
  /** Bytes of its picture in OUT; null where there is none. */
  written: number | null
  error: InputError | null
}

/** One try of a job on one node. */
export interface AttemptRecord {
  epoch: number
  attempt: number
  node: string
  /** Null in a run of an older cpn. */
  purpose: AttemptPurpose | null
  /** ISO 8601, UTC; null where the ledger has not got it. */
  started: string | null
  /** Null while it goes on, and where the master ended first. */
  ended: string | null
  /**
   * How it ended. cancelled: its result was not needed any more; overruled: it was done, and other nodes agree on another result.
   * Null as for `ended`.
   */
  outcome: Exclude<AttemptEvent['state'], 'started'> | null
  /** Code and message. */
  error: string | null
}

export interface NodeShare {
  node: string
  /** Attempts that gave a result. */
  done: number
  /** Those of them that other nodes were right against. */
  overruled: number
  /** Attempts that failed, whoever is to blame. */
  failed: number
}

const inputColumns = `i.name, i.source, i.state, i.job, i.bytes, i.mtime_ms AS mtimeMs, i.epoch, i.written,
  COALESCE(i.error, j.error) AS error FROM inputs i LEFT JOIN jobs j ON j.run = i.run AND j.id = i.job`

/**
 * Reads what happened in runs, also while they go on.
 * @param file the ledger. When it is damaged, CPN_ERR_STATE_DIR comes from here or from any call.
 */
export function openRunHistory(file: string): RunHistory {
  // An older cpn's is brought to this version first.
  openLedger(file)[Symbol.dispose]()
  return tellDamage(new RunHistory(file), file)
}

class RunHistory implements Disposable {
  readonly #db: DatabaseSync

  constructor(file: string) {
    this.#db = new DatabaseSync(file, { readOnly: true, timeout: 10_000 })
  }

  /** Failed and quarantined inputs by name, streamed. */
  *failedInputs(run: string): Iterable<InputRecord> {
    const sql = `SELECT ${inputColumns} WHERE i.run = ? AND i.state IN ('failed', 'quarantined') ORDER BY i.name`
    for (const row of this.#db.prepare(sql).iterate(run)) yield inputRecord(row)
  }

  /** The input of that name in OUT, or of that absolute path. */
  input(run: string, name: string, source: string): InputRecord | undefined {
    const sql = `SELECT ${inputColumns} WHERE i.run = ?1 AND (i.name = ?2 OR i.source = ?3) ORDER BY i.name = ?2 DESC`
    const row = this.#db.prepare(sql).get(run, name, source)
    return row && inputRecord(row)
  }

  /** Attempts at a job in the order in which they were made. */
  attempts(run: string, job: string): AttemptRecord[] {
    const rows = this.#db
      .prepare(`SELECT epoch, attempt, node, purpose, state, time, error FROM attempts WHERE run = ? AND job = ?
        ORDER BY epoch, attempt, time`)
      .all(run, job) as unknown as AttemptRow[]
    return [...Map.groupBy(rows, ({ epoch, attempt }) => `${epoch}/${attempt}`).values()].map(attemptRecord)
  }

  /** What each node did in a run, by name. */
  shares(run: string): NodeShare[] {
    const rows = this.#db.prepare(`SELECT node, SUM(state = 'done') AS done,
      SUM(state = 'overruled') AS overruled, SUM(state = 'failed') AS failed
      FROM attempts WHERE run = ? GROUP BY node ORDER BY node`)
    return (rows.all(run) as unknown as NodeShare[]).map((row) => ({ ...row }))
  }

  [Symbol.dispose](): void {
    this.#db.close()
  }
}

export type { RunHistory }

interface AttemptRow {
  epoch: number
  attempt: number
  node: string
  purpose: AttemptPurpose | null
  state: AttemptEvent['state']
  time: string
  error: string | null
}

function attemptRecord(rows: AttemptRow[]): AttemptRecord {
  const { epoch, attempt, node } = rows[0]!
  const byState = new Map(rows.map((row) => [row.state, row]))
  const started = byState.get('started')
  const ended = byState.get('done') ?? byState.get('failed') ?? byState.get('cancelled')
  return {
    epoch,
    attempt,
    node,
    purpose: started?.purpose ?? null,
    started: started?.time ?? null,
    ended: ended?.time ?? null,
    outcome: byState.has('overruled') ? 'overruled' : ((ended?.state ?? null) as AttemptRecord['outcome']),
    error: ended?.error ?? null,
  }
}

function inputRecord(row: Record<string, unknown>): InputRecord {
  const error = row.error === null ? null : JSON.parse(row.error as string)
  return { ...row, error } as InputRecord
}
