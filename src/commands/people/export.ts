import { Args, Flags } from '@oclif/core'
import { findInventory } from '../../actions/find-inventory.ts'
import { exportPeople } from '../../actions/people/exchange-people.ts'
import { BaseCommand } from '../base.ts'

export default class PeopleExport extends BaseCommand {
  static override summary = 'Write everybody who is enrolled into one file.'

  static override description =
    'The file has names and embeddings, readable by you only. cpn remembers where it is, and takes people out of it ' +
    'whom it is to forget.'

  static override examples = ['<%= config.bin %> <%= command.id %> family.people']

  static override args = { file: Args.string({ required: true, description: 'File to write.' }) }
  static override flags = { force: Flags.boolean({ description: 'Replace a file that is there.' }) }

  async run(): Promise<{ file: string; people: number }> {
    const { args, flags } = await this.parse(PeopleExport)
    const result = await exportPeople(await findInventory(flags.inventory, this.context()), args.file, flags.force)
    this.log(`${result.people} people are in ${result.file}`)
    return result
  }
}
