import { Flags } from '@oclif/core'
import { findInventory } from '../../actions/find-inventory.ts'
import { type GroupInfo, type GroupsOfRun, listGroups } from '../../actions/people/unknown-groups.ts'
import { printable } from '../../ui/format.ts'
import { renderTable } from '../../ui/table.ts'
import { BaseCommand } from '../base.ts'

export default class PeopleGroups extends BaseCommand {
  static override summary = 'Show groups of faces that nobody has named in a run.'

  static override description =
    'Each has a folder in OUT/people, with a page of its faces: contact-sheet.html. Groups that an interrupted run left ' +
    'for later are made now.'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --run 20261128-114039-0a1b2c --json',
  ]

  static override flags = {
    run: Flags.string({ helpValue: 'RUN', default: 'last', description: 'Id of a run, or last.' }),
  }

  async run(): Promise<GroupsOfRun> {
    const { flags } = await this.parse(PeopleGroups)
    const ctx = this.context()
    const found = await listGroups(await findInventory(flags.inventory, ctx), flags.run, ctx)
    if (found.groups.length === 0) this.log(`Run ${found.run} has no group of unknown faces.`)
    else this.log(renderTable(columns, found.groups.map(row)))
    if (found.groups.length > 0) this.log(printable(`in ${found.out}`))
    return found
  }
}

const columns = [
  { header: 'GROUP' },
  { header: 'FACES', align: 'right' as const },
  { header: 'PHOTOS', align: 'right' as const },
  { header: 'SAMPLE' },
]

const row = ({ group, faces, photos, sample }: GroupInfo): string[] => [
  group,
  String(faces),
  String(photos),
  sample.join(', '),
]
