import { Flags } from '@oclif/core'
import { findInventory } from '../../actions/find-inventory.ts'
import { type AppliedRun, applyPeople } from '../../actions/people/apply-people.ts'
import { exitCodes } from '../../common/error-codes.ts'
import { printable } from '../../ui/format.ts'
import { BaseCommand } from '../base.ts'
import { isWhole, tellApplied } from '../base-applied.ts'
import { parseShare } from '../base-share.ts'

export default class PeopleApply extends BaseCommand {
  static override summary = 'Name the faces of earlier runs by who is enrolled now.'

  static override description =
    'Nothing is inferred again: embeddings rest with the run. Pictures on which a name changes are drawn anew from their ' +
    'originals, and predictions.jsonl is written again.'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --run last --threshold 0.45',
  ]

  static override flags = {
    run: Flags.string({ helpValue: 'RUN', description: 'Id of a run, or last; default: all that look for persons.' }),
    hosts: Flags.string({ helpValue: 'PATTERN', multiple: true, description: 'Nodes that draw; default all.' }),
    threshold: Flags.string({
      helpValue: '0..1',
      description: 'Lowest similarity that names a person; default: as the run was asked for, or the model’s.',
    }),
  }

  async run(): Promise<{ runs: AppliedRun[] }> {
    const { flags } = await this.parse(PeopleApply)
    const ctx = this.context()
    const inventory = await findInventory(flags.inventory, ctx)
    const { run, hosts = [] } = flags
    const threshold = parseShare('threshold', flags.threshold)
    const runs = await applyPeople({ inventory, run, hosts, threshold }, ctx)
    if (runs.length === 0) this.log('There is no run that looked for persons.')
    for (const applied of runs) this.log(printable(`${applied.run}: ${tellApplied(applied)}`))
    if (!runs.every(isWhole)) this.exitWith(exitCodes.partial)
    return { runs }
  }
}
