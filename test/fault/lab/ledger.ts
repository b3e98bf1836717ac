import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Project } from '../../helpers/project.ts'

/** One try of a job as the ledger tells it; times in milliseconds since 1970. */
export interface Attempt {
  job: string
  attempt: number
  node: string
  started: number
  /** Undefined: its end was never written down. */
  ended: number | undefined
  /** How: undefined as long as it goes on. */
  state: 'done' | 'failed' | 'cancelled' | 'overruled' | undefined
  /** The error's code and message; null when it succeeded. */
  error: string | null
}

interface Row {
  job: string
  attempt: number
  node: string
  started: string
  ended: string | null
  state: Attempt['state'] | null
  error: string | null
}

function openReadOnly({ folder }: Project): DatabaseSync {
  return new DatabaseSync(join(folder, '.cpn', 'ledger.db'), { readOnly: true, timeout: 10_000 })
}

/** Inputs that are done so far. */
export function countDone(home: Project, run: string): number {
  using ledger = openReadOnly(home)
  const row = ledger.prepare("SELECT count(*) AS n FROM inputs WHERE run = ? AND state = 'done'").get(run)
  return Number(row!.n)
}

/** Name of the input whose turn comes last. */
export function lastInput(home: Project, run: string): string {
  using ledger = openReadOnly(home)
  const row = ledger.prepare('SELECT name FROM inputs WHERE run = ? ORDER BY seq DESC LIMIT 1').get(run)
  return row!.name as string
}

/** All attempts of a run in the order of their starts. */
export function attemptsOf(home: Project, run: string): Attempt[] {
  using ledger = openReadOnly(home)
  const rows = ledger
    .prepare(`SELECT s.job, s.attempt, s.node, s.time AS started, e.time AS ended, e.state, e.error FROM attempts s
      LEFT JOIN attempts e ON e.run = s.run AND e.job = s.job AND e.attempt = s.attempt AND e.state <> 'started'
      WHERE s.run = ? AND s.state = 'started' ORDER BY s.time`)
    .all(run) as unknown as Row[]
  return rows.map((row) => ({
    ...row,
    started: Date.parse(row.started),
    state: row.state ?? undefined,
    ended: row.ended === null ? undefined : Date.parse(row.ended),
  }))
}

/** Attempts that a node had in work at a moment. */
export function inFlight(attempts: Attempt[], node: string, at: number): Attempt[] {
  return attempts.filter((each) => each.node === node && each.started <= at && (each.ended ?? Infinity) > at)
}
