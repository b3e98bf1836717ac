import { Args, Flags } from '@oclif/core'
import { findInventory } from '../../actions/find-inventory.ts'
import { type GroupInfo, splitGroup } from '../../actions/people/unknown-groups.ts'
import { BaseCommand } from '../base.ts'

export default class PeopleSplit extends BaseCommand {
  static override summary = 'Make several groups of one in which unknown people got mixed.'

  static override description =
    'Only faces that are more similar stay together. The largest part keeps the name; faces like no other are in no ' +
    'group. What was split by hand is not made anew by itself.'

  static override examples = ['<%= config.bin %> <%= command.id %> unknown-001']

  static override args = { group: Args.string({ required: true, description: 'Group, as its folder is called.' }) }

  static override flags = {
    run: Flags.string({ helpValue: 'RUN', default: 'last', description: 'Id of a run, or last.' }),
  }

  async run(): Promise<{ parts: GroupInfo[] }> {
    const { args, flags } = await this.parse(PeopleSplit)
    const ctx = this.context()
    const parts = await splitGroup(await findInventory(flags.inventory, ctx), flags.run, args.group, ctx)
    this.log(parts.map(({ group, faces }) => `${group}: ${faces} faces`).join('\n'))
    return { parts }
  }
}
