import { findInventory } from '../../actions/find-inventory.ts'
import { listPeople, type PeopleInfo, type PersonInfo } from '../../actions/people/people.ts'
import { renderTable } from '../../ui/table.ts'
import { BaseCommand } from '../base.ts'

export default class PeopleList extends BaseCommand {
  static override summary = 'Show who is enrolled, how well, and who looks like whom.'

  static override description =
    'SHARPNESS and FACE are those of the worst photo (0 to 1, pixels). AGREEMENT is how similar the least similar photo ' +
    'is to another one of the same person, NEAREST who else is most similar: the further apart they are, the better.'

  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json']

  async run(): Promise<PeopleInfo> {
    const { flags } = await this.parse(PeopleList)
    const info = await listPeople(await findInventory(flags.inventory, this.context()))
    if (info.people.length === 0) this.log('Nobody is enrolled. Begin with: cpn people add NAME PHOTO…')
    else this.log(renderTable(columns, info.people.map(row)))
    return info
  }
}

const columns = [
  { header: 'NAME' },
  { header: 'PHOTOS', align: 'right' as const },
  { header: 'FACE', align: 'right' as const },
  { header: 'SHARPNESS', align: 'right' as const },
  { header: 'AGREEMENT', align: 'right' as const },
  { header: 'NEAREST' },
]

function row({ name, photos, facePixels, sharpness, agreement, nearest }: PersonInfo): string[] {
  return [
    name,
    String(photos),
    String(facePixels),
    sharpness.toFixed(3),
    agreement?.toFixed(2) ?? '-',
    nearest ? `${nearest.name} ${nearest.similarity.toFixed(2)}` : '-',
  ]
}
