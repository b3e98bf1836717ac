import { randomBytes } from 'node:crypto'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { canonicalJson } from '../common/digest.ts'
import { CpnError } from '../common/errors.ts'
import type { EarlierFailure } from '../scheduler/scheduler.ts'
import { applyChange } from './apply-change.ts'
import { decodeRecord } from './job-record.ts'
import type {
  BegunRun,
  EmbeddedJob,
  EndedJob,
  Input,
  InputError,
  InputLine,
  InputState,
  KnownInput,
  Ledger,
  LedgerChange,
  LineOptions,
  NewRun,
  Run,
  RunCounts,
  RunOptions,
  RunRecord,
  RunState,
} from './ledger.ts'
import { prepareSchema } from './ledger-schema.ts'

const inputColumns = 'seq, name, source, bytes, mtime_ms AS mtimeMs, ctime_ms AS ctimeMs, ino'
const knownColumns = `i.seq, i.name, i.source, i.bytes, i.mtime_ms AS mtimeMs, i.ctime_ms AS ctimeMs, i.ino, i.state,
  i.epoch, i.written, COALESCE(i.error, j.error) AS error`
const runColumns = `id, epoch, state, created_at AS createdAt, COALESCE(started_at, created_at) AS startedAt,
  ended_at AS endedAt, out, options, pipeline_digest AS pipelineDigest`

/** The ledger of ledger.ts. */
export class SqliteLedger implements Ledger {
  readonly #db: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()
  /** Whether a node did anything in earlier epochs, by run and node: looking for it may take a while. */
  readonly #worked = new Map<string, boolean>()

  constructor(file: string) {
    this.#db = new DatabaseSync(file, { timeout: 10_000 })
    this.#db.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = FAST;',
    )
    prepareSchema(this.#db, file)
  }

  beginRun(wanted: NewRun): BegunRun {
    return this.#transaction(() => {
      const last = this.lastRunOf(wanted.out)
      if (last && isSameWork(last, wanted) && last.id === (wanted.id ?? last.id)) return this.#resume(last, wanted)
      if (wanted.id !== undefined) throw otherWork(wanted.id)
      return this.#create(wanted, last)
    })
  }

  endRun({ id, epoch }: Run, state: 'finished' | 'interrupted'): void {
    this.#sql('UPDATE runs SET state = ?, ended_at = ? WHERE id = ? AND epoch = ?').run(state, now(), id, epoch)
  }

  deleteRun(run: string): void {
    // A little at a time: other runs want to commit meanwhile. What is left of it in between only has more to do.
    const pieces = [
      'DELETE FROM inputs WHERE run = ?1 AND seq IN (SELECT seq FROM inputs WHERE run = ?1 LIMIT 5000)',
      'DELETE FROM attempts WHERE run = ?1 AND job IN (SELECT DISTINCT job FROM attempts WHERE run = ?1 LIMIT 1000)',
      'DELETE FROM grouped_faces WHERE run = ?1',
      'DELETE FROM face_links WHERE run = ?1',
      'DELETE FROM jobs WHERE run = ?1 AND id IN (SELECT id FROM jobs WHERE run = ?1 LIMIT 5000)',
      'DELETE FROM runs WHERE id = ?1',
    ]
    for (const piece of pieces) while (Number(this.#sql(piece).run(run).changes) > 0) {}
  }

  runBytes(run: string): number {
    // Names of columns and indices take about as much again as is said here of a row.
    const { bytes } = this.#sql(`SELECT
      (SELECT COALESCE(SUM(2 * length(name) + length(source) + 200), 0) FROM inputs WHERE run = ?1) +
      (SELECT COALESCE(SUM(COALESCE(length(result), 0) + COALESCE(length(embeddings), 0) +
        COALESCE(length(thumbnail), 0) + COALESCE(length(crops), 0) + 120), 0) FROM jobs WHERE run = ?1) +
      (SELECT COALESCE(SUM(length(faces) + length(counts) + length(others) + length(similarities)), 0)
        FROM face_links WHERE run = ?1) +
      (SELECT COUNT(*) * 160 FROM attempts WHERE run = ?1) AS bytes`).get(run) as { bytes: number }
    return bytes
  }

  shrink(): void {
    this.#db.exec('VACUUM; PRAGMA wal_checkpoint(TRUNCATE);')
  }

  runs(): RunRecord[] {
    return this.#sql(`SELECT ${runColumns} FROM runs ORDER BY created_at, rowid`).all().map(runRecord)
  }

  lastRunOf(out: string): RunRecord | undefined {
    const row = this.#sql(`SELECT ${runColumns} FROM runs WHERE out = ? ORDER BY created_at DESC, rowid DESC LIMIT 1`)
    return row.all(out).map(runRecord)[0]
  }

  queued(run: string, after: number, limit: number): Input[] {
    return this.#sql(`SELECT ${inputColumns} FROM inputs
      WHERE run = ? AND seq > ? AND state = 'queued' ORDER BY seq LIMIT ?`).all(run, after, limit) as unknown as Input[]
  }

  known(run: string, names: readonly string[]): Map<string, KnownInput> {
    const one = this.#sql(`SELECT ${knownColumns} FROM inputs i LEFT JOIN jobs j ON j.run = i.run AND j.id = i.job
      WHERE i.run = ? AND i.name = ?`)
    return new Map(names.flatMap((name) => one.all(run, name).map((row) => [name, knownInput(row)] as const)))
  }

  finished(run: string, after: number, limit: number): KnownInput[] {
    return this.#sql(`SELECT ${knownColumns} FROM inputs i LEFT JOIN jobs j ON j.run = i.run AND j.id = i.job
      WHERE i.run = ? AND i.seq > ? AND i.state != 'queued' ORDER BY i.seq LIMIT ?`)
      .all(run, after, limit)
      .map(knownInput)
  }

  *endedJobs(run: string): Iterable<string> {
    for (const { id } of this.#sql('SELECT id FROM jobs WHERE run = ?').iterate(run)) yield id as string
  }

  endedJob(run: string, job: string, seq: number): EndedJob | undefined {
    const row = this.#sql(`SELECT j.state, j.error, i.name, i.written
      FROM jobs j JOIN inputs i ON i.run = j.run AND i.job = j.id
      WHERE j.run = ?1 AND j.id = ?2 AND (i.state = j.state OR i.seq = ?3) ORDER BY i.seq = ?3 DESC LIMIT 1`).get(
      run,
      job,
      seq,
    )
    if (!row) return undefined
    const { state, error, name, written } = row as unknown as Omit<EndedJob, 'error'> & { error: string | null }
    return { state, name, written, error: errorOf(error) }
  }

  earlierFailures({ id, epoch }: Run, job: string, seq: number): EarlierFailure[] {
    const rows = this.#sql(`SELECT node, purpose, substr(error, 1, instr(error, ':') - 1) AS code FROM attempts
      WHERE run = ?1 AND job = ?2 AND epoch < ?3 AND state = 'failed'
        AND epoch > COALESCE((SELECT epoch FROM inputs WHERE run = ?1 AND seq = ?4), 0) ORDER BY epoch, attempt`)
    const failed = rows.all(id, job, epoch, seq) as { node: string; purpose: string | null; code: string }[]
    return failed.map(({ node, purpose, code }) => ({
      node,
      code,
      alone: purpose === 'alone',
      credible: this.#worked.getOrInsertComputed(`${id} ${node}`, () => this.#hasWorked(id, epoch, node)),
    }))
  }

  commit(run: Run, changes: readonly LedgerChange[]): void {
    this.#transaction(() => {
      this.#assertNewest(run)
      for (const change of changes) applyChange((text) => this.#sql(text), run, change)
      // Faces may have come, gone or got a name: groups are made anew when the run is at rest.
      if (changes.some(({ kind }) => kind !== 'attempt')) this.#sql(forgetGrouping).run(run.id)
    })
  }

  embeddedJobs(run: string, after: string, limit: number): EmbeddedJob[] {
    const rows = this.#sql(`SELECT id, result, embeddings, EXISTS (SELECT 1 FROM inputs i INDEXED BY inputs_by_job
        WHERE i.run = j.run AND i.job = j.id AND i.job IS NOT NULL AND i.state = 'done' AND written IS NULL) AS undrawn
      FROM jobs j WHERE run = ? AND id > ? AND state = 'done' AND embeddings IS NOT NULL ORDER BY id LIMIT ?`)
    type Row = { id: string; result: string; embeddings: Uint8Array; undrawn: 0 | 1 }
    return (rows.all(run, after, limit) as unknown as Row[]).map(({ id, result, embeddings, undrawn }) => {
      const record = decodeRecord({ result, embeddings })
      return { job: id, faces: record.faces, embeddings: record.embeddings ?? [], isUndrawn: undrawn === 1 }
    })
  }

  inputsOf(run: string, job: string): Input[] {
    return this.#sql(
      `SELECT ${inputColumns} FROM inputs INDEXED BY inputs_by_job
        WHERE run = ? AND job = ? AND state = 'done' ORDER BY seq`,
    ).all(run, job) as unknown as Input[]
  }

  namedBy(run: string): string | null {
    const row = this.#sql('SELECT matching FROM runs WHERE id = ?').get(run) as { matching: string | null } | undefined
    return row?.matching ?? null
  }

  setNamedBy({ id }: Run, matching: string | null): void {
    this.#sql('UPDATE runs SET matching = ? WHERE id = ?').run(matching, id)
  }

  counts(run: string): RunCounts {
    const rows = this.#sql(`SELECT state, epoch < (SELECT epoch FROM runs WHERE id = ?1) AS early, COUNT(*) AS n,
      SUM(bytes) AS bytes FROM inputs WHERE run = ?1 GROUP BY 1, 2`).all(run) as {
      state: InputState
      early: 0 | 1 | null
      n: number
      bytes: number
    }[]
    const count = (is: (row: (typeof rows)[number]) => boolean) => rows.filter(is).reduce((sum, { n }) => sum + n, 0)
    return {
      inputs: count(() => true),
      bytes: rows.reduce((sum, row) => sum + row.bytes, 0),
      done: count(({ state, early }) => state === 'done' && early !== 1),
      failed: count(({ state }) => state === 'failed'),
      quarantined: count(({ state }) => state === 'quarantined'),
      skipped: count(({ state, early }) => state === 'done' && early === 1),
      pending: count(({ state }) => state === 'queued'),
    }
  }

  settledLately(run: string): number {
    const row = this.#sql(`SELECT COUNT(*) AS n FROM inputs WHERE run = ?1 AND state != 'queued' AND
      epoch = (SELECT epoch FROM runs WHERE id = ?1)`).get(run) as { n: number }
    return row.n
  }

  *lines(run: string, { embeddings: wanted = false, thumbnails = false }: LineOptions = {}): Iterable<InputLine> {
    const vectors = wanted ? 'j.embeddings' : 'NULL AS embeddings'
    const small = thumbnails ? 'j.thumbnail' : 'NULL AS thumbnail'
    const rows =
      this.#sql(`SELECT i.name, i.source, i.state, i.job, j.result, ${vectors}, ${small}, COALESCE(i.error, j.error) AS error
      FROM inputs i LEFT JOIN jobs j ON j.run = i.run AND j.id = i.job WHERE i.run = ? ORDER BY i.name`).iterate(run)
    for (const row of rows) {
      const { name, source, state, job, result, embeddings, thumbnail, error } = row as Record<
        string,
        string | null
      > & {
        embeddings: Uint8Array | null
        thumbnail: Uint8Array | null
      }
      yield {
        name: name!,
        source: source!,
        state: state as InputState,
        job: job!,
        result: result === null ? null : decodeRecord({ result: result!, embeddings, thumbnail }),
        error: errorOf(error!),
      }
    }
  }

  [Symbol.dispose](): void {
    this.#db.close()
  }

  #hasWorked(run: string, epoch: number, node: string): boolean {
    const done = `SELECT 1 FROM attempts WHERE run = ? AND node = ? AND epoch < ? AND state = 'done' LIMIT 1`
    return this.#sql(done).get(run, node, epoch) !== undefined
  }

  #create({ out, options, pipelineDigest }: NewRun, last: RunRecord | undefined): BegunRun {
    // Its master died: nobody else is at work on this folder.
    const died = last?.state === 'running'
    if (died) this.endRun(last, 'interrupted')
    const created = now()
    const id = `${created.slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')}-${randomBytes(3).toString('hex')}`
    this.#sql(`INSERT INTO runs (id, created_at, started_at, state, epoch, out, options, pipeline_digest)
      VALUES (?, ?, ?, 'running', 1, ?, ?, ?)`).run(id, created, created, out, JSON.stringify(options), pipelineDigest)
    return { id, epoch: 1, left: undefined, died }
  }

  #resume({ id, epoch, state }: RunRecord, { options }: NewRun): BegunRun {
    const sql = `UPDATE runs SET epoch = ?, state = 'running', started_at = ?, ended_at = NULL, options = ? WHERE id = ?`
    this.#sql(sql).run(epoch + 1, now(), JSON.stringify(options), id)
    return { id, epoch: epoch + 1, left: state, died: state === 'running' }
  }

  #assertNewest({ id, epoch }: Run): void {
    const row = this.#sql('SELECT epoch FROM runs WHERE id = ?').get(id) as { epoch: number } | undefined
    if (row?.epoch === epoch) return
    const message = row ? `run ${id} was resumed by another process` : `run ${id} was removed from the ledger`
    throw new CpnError('CPN_ERR_STALE_EPOCH', message, { suggestions: ['Let the other one finish the run.'] })
  }

  #sql(text: string): StatementSync {
    const known = this.#statements.get(text)
    if (known) return known
    const statement = this.#db.prepare(text)
    this.#statements.set(text, statement)
    return statement
  }

  #transaction<Result>(work: () => Result): Result {
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      const result = work()
      this.#db.exec('COMMIT')
      return result
    } catch (error) {
      this.#db.exec('ROLLBACK')
      throw error
    }
  }
}

const forgetGrouping = 'UPDATE runs SET grouped = NULL WHERE id = ? AND grouped IS NOT NULL'

const now = () => new Date().toISOString()

const errorOf = (json: string | null): InputError | null => (json === null ? null : JSON.parse(json))

function knownInput(row: Record<string, unknown>): KnownInput {
  return { ...row, error: errorOf(row.error as string | null) } as KnownInput
}

function runRecord(row: Record<string, unknown>): RunRecord {
  const options = JSON.parse(row.options as string) as RunOptions
  return { ...row, state: row.state as RunState, options } as unknown as RunRecord
}

function otherWork(run: string): CpnError {
  const message = `run ${run} cannot go on: its models or paths are not what they were`
  return new CpnError('CPN_ERR_RUN_UNKNOWN', message, {
    suggestions: ['Give its paths to `cpn predict` again: that begins a new run.'],
  })
}

/** Whether a run is the one that goes on when this is asked for. Where the work is done is no part of it. */
export function isSameWork(
  run: RunRecord,
  { options, pipelineDigest }: Pick<NewRun, 'options' | 'pipelineDigest'>,
): boolean {
  return run.pipelineDigest === pipelineDigest && canonicalJson(run.options.paths) === canonicalJson(options.paths)
}
