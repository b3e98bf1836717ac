import { Args, Flags } from '@oclif/core'
import { findInventory } from '../../actions/find-inventory.ts'
import { type AddPersonResult, addPerson } from '../../actions/people/people.ts'
import { exitCodes } from '../../common/error-codes.ts'
import { CpnError } from '../../common/errors.ts'
import { printable } from '../../ui/format.ts'
import { BaseCommand } from '../base.ts'

export default class PeopleAdd extends BaseCommand {
  static override summary = 'Enrol somebody by photos that show nobody else.'

  static override description =
    'Nodes find and embed the face of each photo; what is kept is numbers, in .cpn/people/, and never the photo. ' +
    'Refused, with a reason: photos without a face or with several, faces that are small or blurred, and those that ' +
    'look like somebody else. Three to ten photos in different light make a good start.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> "Ada Lovelace" ada/*.jpg',
    '<%= config.bin %> <%= command.id %> 美咲 photos/misaki --force',
  ]

  static override strict = false

  static override args = {
    name: Args.string({ required: true, description: 'Name, in any script.' }),
    path: Args.string({ required: true, description: 'Photo, or folder of photos; several may be given.' }),
  }

  static override flags = {
    hosts: Flags.string({ helpValue: 'PATTERN', multiple: true, description: 'Nodes to use; default all.' }),
    pipeline: Flags.option({ options: ['persons', 'persons-lite'] as const })({
      description: 'Whose models are to know the person; default those that know the people there are, else persons.',
    }),
    force: Flags.boolean({ description: 'Take photos that would be refused; of several faces the largest.' }),
  }

  async run(): Promise<AddPersonResult> {
    const { flags, argv } = await this.parse(PeopleAdd)
    const ctx = this.context()
    const inventory = await findInventory(flags.inventory, ctx)
    const [name = '', ...paths] = argv as string[]
    const { hosts = [], force, pipeline } = flags
    const result = await addPerson({ inventory, name, paths, hosts, force, pipeline }, ctx)
    const refused = result.files.filter((file) => file.refused !== undefined)
    for (const { path, refused: reason } of refused) this.log(printable(`refused: ${path}: ${reason}`))
    const taken = result.files.length - refused.length
    this.log(printable(`${result.name}: ${taken} of ${result.files.length} photos taken, ${result.photos} in all`))
    if (taken === 0) throw nothingTaken(result)
    if (refused.length > 0) this.exitWith(exitCodes.partial)
    return result
  }
}

function nothingTaken({ name, files }: AddPersonResult): CpnError {
  return new CpnError('CPN_ERR_ENROLMENT', `no photo of ${name} was taken: ${files[0]?.refused}`, {
    suggestions: ['Choose photos on which only this person is, near and sharp.'],
  })
}
