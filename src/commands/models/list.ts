import { findInventory } from '../../actions/find-inventory.ts'
import { listModels, type ModelEntry } from '../../actions/models.ts'
import { statePaths } from '../../inventory/state.ts'
import { openModelStore } from '../../models/store.ts'
import { formatBytes } from '../../ui/format.ts'
import { renderTable } from '../../ui/table.ts'
import { BaseCommand } from '../base.ts'

export default class ModelsList extends BaseCommand {
  static override summary = 'Show the models cpn knows and which of them are here.'
  static override examples = ['<%= config.bin %> models list', '<%= config.bin %> models list --json']

  async run(): Promise<{ models: ModelEntry[] }> {
    const { flags } = await this.parse(ModelsList)
    const ctx = this.context()
    const { stateDir } = await findInventory(flags.inventory, ctx)
    const models = await listModels(openModelStore({ dir: statePaths(stateDir).modelsDir, logger: ctx.logger }))
    this.log(renderTable(columns, models.map(row)))
    return { models }
  }
}

const columns = [
  { header: 'NAME' },
  { header: 'VERSION' },
  { header: 'TASK' },
  { header: 'SIZE', align: 'right' as const },
  { header: 'INSTALLED' },
  { header: 'LICENCE' },
]

function row({ name, version, task, bytes, installed, licence }: ModelEntry): string[] {
  return [name, version, task, formatBytes(bytes), installed ? 'yes' : 'no', licence]
}
