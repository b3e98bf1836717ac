import { Args, Flags } from '@oclif/core'
import { findInventory } from '../../actions/find-inventory.ts'
import { mergePeople } from '../../actions/people/people.ts'
import { type GroupInfo, mergeGroups } from '../../actions/people/unknown-groups.ts'
import { CpnError } from '../../common/errors.ts'
import { groupNumber } from '../../people/group-names.ts'
import { printable } from '../../ui/format.ts'
import { BaseCommand } from '../base.ts'

export default class PeopleMerge extends BaseCommand {
  static override summary = 'Make two enrolled people, or two groups of unknown faces, one.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> "Aunt Ada" "Ada Lovelace"',
    '<%= config.bin %> <%= command.id %> unknown-004 unknown-001',
  ]

  static override args = {
    from: Args.string({ required: true, description: 'Who is gone then.' }),
    into: Args.string({ required: true, description: 'Who gets the photos.' }),
  }

  static override flags = {
    run: Flags.string({ helpValue: 'RUN', default: 'last', description: 'Run of the groups: its id, or last.' }),
  }

  async run(): Promise<{ merged: string; name: string; photos: number } | GroupInfo> {
    const { args, flags } = await this.parse(PeopleMerge)
    const { from, into } = args
    const ctx = this.context()
    const inventory = await findInventory(flags.inventory, ctx)
    const groups = [from, into].filter((name) => groupNumber(name) !== undefined)
    if (groups.length === 1) throw oneGroup(groups[0]!, groups[0] === from ? into : from)
    if (groups.length === 2) {
      const merged = await mergeGroups(inventory, flags.run, from, into, ctx)
      this.log(`${merged.group} has ${merged.faces} faces now`)
      return merged
    }
    const { name, photos } = await mergePeople(inventory, from, into)
    this.log(printable(`${from} is ${name} now, who has ${photos.length} photos`))
    return { merged: from, name, photos: photos.length }
  }
}

function oneGroup(group: string, name: string): CpnError {
  return new CpnError('CPN_ERR_USAGE', `${group} is a group of unknown faces, and ${JSON.stringify(name)} is none`, {
    suggestions: [`To say who it is: cpn people name ${group} ${JSON.stringify(name)}`],
  })
}
