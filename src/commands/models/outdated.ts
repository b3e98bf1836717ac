import { Flags } from '@oclif/core'
import { findInventory } from '../../actions/find-inventory.ts'
import { type OutdatedReport, outdatedModels } from '../../actions/models/outdated-models.ts'
import { printable } from '../../ui/format.ts'
import { renderTable } from '../../ui/table.ts'
import { BaseCommand } from '../base.ts'

export default class ModelsOutdated extends BaseCommand {
  static override summary = 'Show what is behind: versions in use, models here, and models on nodes.'
  static override description = 'Looks only: nothing is sent, removed or started.'
  static override examples = ['<%= config.bin %> models outdated', '<%= config.bin %> models outdated --json']
  static override flags = {
    hosts: Flags.string({ helpValue: 'PATTERN', multiple: true, description: 'Nodes to look at; default all.' }),
  }

  async run(): Promise<OutdatedReport> {
    const { flags } = await this.parse(ModelsOutdated)
    const ctx = this.context()
    const inventory = await findInventory(flags.inventory, ctx)
    const report = await outdatedModels({ inventory, hosts: flags.hosts ?? [] }, ctx)
    const found = rows(report)
    this.log(found.length === 0 ? 'everything is up to date' : renderTable(columns, found))
    return report
  }
}

const columns = [{ header: 'WHERE' }, { header: 'WHAT' }, { header: 'WOULD HELP' }]

function rows({ pipelines, models, nodes }: OutdatedReport): string[][] {
  return [
    ...pipelines.map(({ inUse, newest }) => [
      'here',
      `${inUse} is in use, ${newest} is known`,
      `cpn models push ${newest}`,
    ]),
    ...models.map(({ installed, newest }) => ['here', `${installed}, ${newest} is known`, `cpn models pull ${newest}`]),
    ...nodes.flatMap(({ name, missing, older, error }) => [
      ...(error ? [[name, printable(`not asked: ${error.message}`), `cpn status ${name}`]] : []),
      ...missing.map((model) => [name, `lacks ${model}`, 'it is sent when the node is used']),
      ...older.map((model) => [name, `has ${model}, which nothing in use needs`, 'cpn prune']),
    ]),
  ]
}
