import { findInventory } from '../../actions/find-inventory.ts'
import { listRuns, type RunInfo } from '../../actions/predict/runs.ts'
import { renderTable } from '../../ui/table.ts'
import { BaseCommand } from '../base.ts'

export default class RunsList extends BaseCommand {
  static override summary = 'Show all runs of this inventory.'
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json']

  async run(): Promise<{ runs: RunInfo[] }> {
    const { flags } = await this.parse(RunsList)
    const runs = listRuns(await findInventory(flags.inventory, this.context()))
    this.log(runs.length > 0 ? renderTable(columns, runs.map(row)) : 'Nothing was run yet.')
    return { runs }
  }
}

const right = { align: 'right' } as const
const columns = [
  { header: 'RUN' },
  { header: 'STATE' },
  { header: 'STARTED (UTC)' },
  { header: 'INPUTS', ...right },
  { header: 'DONE', ...right },
  { header: 'FAILED', ...right },
  { header: 'PENDING', ...right },
  { header: 'OUT' },
]

function row({ run, state, startedAt, inputs, done, failed, quarantined, pending, out }: RunInfo): string[] {
  const counts = [inputs, done, failed + quarantined, pending].map(String)
  return [run, state, startedAt.slice(0, 19).replace('T', ' '), ...counts, out]
}
