import { Args } from '@oclif/core'
import { findInventory } from '../../actions/find-inventory.ts'
import { type ImportedPeople, importPeople } from '../../actions/people/exchange-people.ts'
import { printable } from '../../ui/format.ts'
import { BaseCommand } from '../base.ts'

export default class PeopleImport extends BaseCommand {
  static override summary = 'Take in everybody of an exported file.'
  static override description =
    'Who has the same name is the same person. A file that is damaged, or of another model, changes nothing.'
  static override examples = ['<%= config.bin %> <%= command.id %> family.people']
  static override args = { file: Args.string({ required: true, description: 'A file that `people export` wrote.' }) }

  async run(): Promise<ImportedPeople> {
    const { args, flags } = await this.parse(PeopleImport)
    const result = await importPeople(await findInventory(flags.inventory, this.context()), args.file)
    const { added, extended, unchanged } = result
    const parts = [
      added.length > 0 && `new: ${added.join(', ')}`,
      extended.length > 0 && `with more photos: ${extended.join(', ')}`,
      unchanged.length > 0 && `as they were: ${unchanged.join(', ')}`,
    ]
    this.log(printable(parts.filter(Boolean).join(' · ') || 'the file has nobody'))
    return result
  }
}
