import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Project } from './project.ts'

export interface LedgerInput {
  name: string
  state: string
  job: string | null
  written: number | null
}

/** What a project's ledger says of the inputs of all its runs. */
export function ledgerInputs(home: Project): LedgerInput[] {
  using ledger = new DatabaseSync(join(stateDir(home), 'ledger.db'))
  return ledger.prepare('SELECT name, state, job, written FROM inputs ORDER BY name').all() as unknown as LedgerInput[]
}

/** Makes the ledger take a file, however it is now, for the one that a run has finished. */
export function believeFile(home: Project, source: string): void {
  using ledger = new DatabaseSync(join(stateDir(home), 'ledger.db'))
  const { size, mtimeMs, ctimeMs, ino } = statSync(source)
  ledger
    .prepare('UPDATE inputs SET bytes = ?, mtime_ms = ?, ctime_ms = ?, ino = ? WHERE source = ?')
    .run(size, mtimeMs, ctimeMs, ino, source)
}

/** Makes the ledger what it is when the master of the last run was killed after its first attempt at an input. */
export function asKilledAfterFirstAttempt(home: Project, name: string): void {
  using ledger = new DatabaseSync(join(stateDir(home), 'ledger.db'))
  const last = 'SELECT run, job FROM inputs JOIN runs ON id = run WHERE name = ? ORDER BY created_at DESC LIMIT 1'
  const { run, job } = ledger.prepare(last).get(name) as { run: string; job: string }
  ledger.prepare('DELETE FROM jobs WHERE run = ? AND id = ?').run(run, job)
  ledger.prepare('DELETE FROM attempts WHERE run = ? AND job = ? AND attempt > 1').run(run, job)
  ledger.prepare("UPDATE inputs SET state = 'queued', job = NULL, epoch = NULL WHERE run = ? AND job = ?").run(run, job)
  ledger.prepare("UPDATE runs SET state = 'running', ended_at = NULL WHERE id = ?").run(run)
}

/** Makes the ledger what it is when all runs were interrupted before their faces were grouped. */
export function forgetGroups(home: Project): void {
  using ledger = new DatabaseSync(join(stateDir(home), 'ledger.db'))
  ledger.exec('DELETE FROM grouped_faces; DELETE FROM face_links; UPDATE runs SET grouped = NULL, last_group = 0')
}

/** Beside the inventory, or where a person without one has it. */
function stateDir({ folder, env }: Project): string {
  const beside = join(folder, '.cpn')
  return existsSync(beside) ? beside : join(env.XDG_STATE_HOME!, 'cpn')
}
