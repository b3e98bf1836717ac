import { Args, Flags } from '@oclif/core'
import { findInventory } from '../../actions/find-inventory.ts'
import { type NamedGroup, nameGroup } from '../../actions/people/name-group.ts'
import { exitCodes } from '../../common/error-codes.ts'
import { printable } from '../../ui/format.ts'
import { BaseCommand } from '../base.ts'
import { isWhole, tellApplied } from '../base-applied.ts'

export default class PeopleName extends BaseCommand {
  static override summary = 'Say who a group of unknown faces is.'

  static override description =
    'Enrols its most typical faces, up to 20, and names the faces of the run anew by that: pictures, predictions.jsonl ' +
    'and OUT/people follow. Refused as by `cpn people add`: faces that look like somebody else.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> unknown-001 "Ada Lovelace"',
    '<%= config.bin %> <%= command.id %> unknown-002 美咲 --run 20261128-114039-0a1b2c',
  ]

  static override args = {
    group: Args.string({ required: true, description: 'Group, as its folder is called.' }),
    name: Args.string({ required: true, description: 'Name, in any script; that of somebody enrolled adds to them.' }),
  }

  static override flags = {
    run: Flags.string({ helpValue: 'RUN', default: 'last', description: 'Id of a run, or last.' }),
    hosts: Flags.string({ helpValue: 'PATTERN', multiple: true, description: 'Nodes that draw; default all.' }),
    force: Flags.boolean({ description: 'Take faces that would be refused.' }),
  }

  async run(): Promise<NamedGroup> {
    const { args, flags } = await this.parse(PeopleName)
    const ctx = this.context()
    const inventory = await findInventory(flags.inventory, ctx)
    const { run, hosts = [], force } = flags
    const named = await nameGroup({ inventory, run, group: args.group, name: args.name, hosts, force }, ctx)
    const { name, group, taken, photos, refused, faces, left, applied } = named
    for (const { photo, reason } of refused) this.log(printable(`refused: ${photo}: ${reason}`))
    this.log(printable(`${name}: ${taken} faces of ${group} taken, ${photos} photos in all`))
    const rest = left > 0 ? `, ${left} did not: they look too little like the others` : ''
    this.log(printable(`${faces - left} of ${faces} faces got the name${rest}`))
    this.log(printable(tellApplied(applied)))
    if (!isWhole(applied)) this.exitWith(exitCodes.partial)
    return named
  }
}
