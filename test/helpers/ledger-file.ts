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

/** Beside the inventory, or where a person without one has it. */
function stateDir({ folder, env }: Project): string {
  const beside = join(folder, '.cpn')
  return existsSync(beside) ? beside : join(env.XDG_STATE_HOME!, 'cpn')
}
