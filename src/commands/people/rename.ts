import { Args } from '@oclif/core'
import { findInventory } from '../../actions/find-inventory.ts'
import { renamePerson } from '../../actions/people/people.ts'
import { printable } from '../../ui/format.ts'
import { BaseCommand } from '../base.ts'

export default class PeopleRename extends BaseCommand {
  static override summary = 'Give somebody another name.'
  static override examples = ['<%= config.bin %> <%= command.id %> "Augusta Byron" "Ada Lovelace"']

  static override args = {
    from: Args.string({ required: true, description: 'Name today.' }),
    to: Args.string({ required: true, description: 'Name from now on.' }),
  }

  async run(): Promise<{ from: string; name: string }> {
    const { args, flags } = await this.parse(PeopleRename)
    const inventory = await findInventory(flags.inventory, this.context())
    const { name } = await renamePerson(inventory, args.from, args.to)
    this.log(printable(`${args.from} is called ${name} now`))
    return { from: args.from, name }
  }
}
