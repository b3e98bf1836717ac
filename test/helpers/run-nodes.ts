import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Project } from './project.ts'

/** How many jobs of a run each node had in work, from the project's ledger. */
export function jobsByNode({ folder }: Project, run: string): Map<string, number> {
  using ledger = new DatabaseSync(join(folder, '.cpn', 'ledger.db'), { readOnly: true })
  const rows = ledger
    .prepare('SELECT node, count(DISTINCT job) AS jobs FROM attempts WHERE run = ? GROUP BY node ORDER BY node')
    .all(run) as { node: string; jobs: number }[]
  return new Map(rows.map(({ node, jobs }) => [node, jobs]))
}
