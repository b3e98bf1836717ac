import { Args } from '@oclif/core'
import { findInventory } from '../../actions/find-inventory.ts'
import { type RolledBack, rollBackModels } from '../../actions/models/pipeline-versions.ts'
import { pipelineNames } from '../../models/pipeline-version.ts'
import { printLine } from '../../ui/terminal.ts'
import { BaseCommand } from '../base.ts'
import { embedderChanged } from './push.ts'

export default class ModelsRollback extends BaseCommand {
  static override summary = 'Bring the version before back into use.'
  static override description =
    'Nothing is sent: the models before are still on the nodes, and a node that lacks one gets it when it is used. Runs that go on end with what they began with. Without NAME: the one pipeline that a version was pushed of.'
  static override examples = ['<%= config.bin %> models rollback', '<%= config.bin %> models rollback persons --json']
  static override args = { name: Args.option({ options: pipelineNames })({ description: 'pipeline' }) }

  async run(): Promise<RolledBack> {
    const { flags, args } = await this.parse(ModelsRollback)
    const ctx = this.context()
    const inventory = await findInventory(flags.inventory, ctx)
    const report = await rollBackModels({ inventory, ...(args.name && { name: args.name }) }, ctx)
    if (report.embedderChanged) printLine(embedderChanged(report.from))
    this.log(`${report.to} is in use again, before: ${report.from}`)
    return report
  }
}
