import { Args } from '@oclif/core'
import { findInventory } from '../../actions/find-inventory.ts'
import { removePerson } from '../../actions/people/people.ts'
import { printable } from '../../ui/format.ts'
import { BaseCommand } from '../base.ts'

export default class PeopleRemove extends BaseCommand {
  static override summary = 'Stop naming somebody in runs to come.'

  static override description =
    'Older versions of the gallery and results that are there keep the name. `cpn people apply` takes it off the ' +
    'results of a run; `cpn people forget` takes it off everything.'

  static override examples = ['<%= config.bin %> <%= command.id %> "Ada Lovelace"']

  static override args = { name: Args.string({ required: true, description: 'Who.' }) }

  async run(): Promise<{ removed: string; photos: number }> {
    const { args, flags } = await this.parse(PeopleRemove)
    const inventory = await findInventory(flags.inventory, this.context())
    const { name, photos } = await removePerson(inventory, args.name)
    this.log(printable(`${name} is removed, with ${photos.length} photos`))
    return { removed: name, photos: photos.length }
  }
}
