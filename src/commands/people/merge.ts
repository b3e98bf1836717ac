import { Args } from '@oclif/core'
import { findInventory } from '../../actions/find-inventory.ts'
import { mergePeople } from '../../actions/people.ts'
import { printable } from '../../ui/format.ts'
import { BaseCommand } from '../base.ts'

export default class PeopleMerge extends BaseCommand {
  static override summary = 'Make two enrolled people one.'
  static override examples = ['<%= config.bin %> <%= command.id %> "Aunt Ada" "Ada Lovelace"']

  static override args = {
    from: Args.string({ required: true, description: 'Who is gone then.' }),
    into: Args.string({ required: true, description: 'Who gets the photos.' }),
  }

  async run(): Promise<{ merged: string; name: string; photos: number }> {
    const { args, flags } = await this.parse(PeopleMerge)
    const inventory = await findInventory(flags.inventory, this.context())
    const { name, photos } = await mergePeople(inventory, args.from, args.into)
    this.log(printable(`${args.from} is ${name} now, who has ${photos.length} photos`))
    return { merged: args.from, name, photos: photos.length }
  }
}
