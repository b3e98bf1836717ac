import { findInventory } from '../../actions/find-inventory.ts'
import { listModels, type ModelEntry } from '../../actions/models/models.ts'
import { listPipelines, type PipelineEntry } from '../../actions/models/pipeline-versions.ts'
import { statePaths } from '../../inventory/state.ts'
import { openModelStore } from '../../models/store.ts'
import { formatBytes } from '../../ui/format.ts'
import { renderTable } from '../../ui/table.ts'
import { BaseCommand } from '../base.ts'

export default class ModelsList extends BaseCommand {
  static override summary =
    'Show the models cpn knows, which of them are here, and which versions of pipelines use them.'
  static override examples = ['<%= config.bin %> models list', '<%= config.bin %> models list --json']

  async run(): Promise<{ models: ModelEntry[]; pipelines: PipelineEntry[] }> {
    const { flags } = await this.parse(ModelsList)
    const ctx = this.context()
    const inventory = await findInventory(flags.inventory, ctx)
    const { modelsDir } = statePaths(inventory.stateDir)
    const models = await listModels(openModelStore({ dir: modelsDir, logger: ctx.logger }))
    const pipelines = await listPipelines(inventory)
    this.log(renderTable(columns, models.map(row)))
    this.log(`\n${renderTable(pipelineColumns, pipelines.map(pipelineRow))}`)
    return { models, pipelines }
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

const pipelineColumns = [{ header: 'PIPELINE' }, { header: 'IN USE' }, { header: 'MODELS' }]

function pipelineRow({ pipeline, inUse, models }: PipelineEntry): string[] {
  return [pipeline, inUse ? 'yes' : 'no', models.join(', ')]
}

function row({ name, version, task, bytes, installed, builtIn, licence }: ModelEntry): string[] {
  return [name, version, task, formatBytes(bytes), builtIn ? 'built in' : installed ? 'yes' : 'no', licence]
}
