import { Args, Flags } from '@oclif/core'
import { findInventory } from '../../actions/find-inventory.ts'
import { type ForgottenPerson, forgetPerson } from '../../actions/people/forget-person.ts'
import { exitCodes } from '../../common/error-codes.ts'
import { CpnError } from '../../common/errors.ts'
import { printable } from '../../ui/format.ts'
import { BaseCommand } from '../base.ts'

export default class PeopleForget extends BaseCommand {
  static override summary = 'Remove every trace of somebody that cpn can reach.'

  static override description =
    'Enrolment and its older versions, exports, embeddings and crops of their faces in all runs, also of faces without a ' +
    'name that are like them, names in results, and galleries in the memory of nodes; those that are away are told when ' +
    'they are back. Pictures are drawn anew from their originals. What cannot be reached is listed; the same command again goes on ' +
    'with it. Who was removed or enrolled for another model can be forgotten, too. Photos are yours: none is removed.'

  static override examples = ['<%= config.bin %> <%= command.id %> "Ada Lovelace" --yes']

  static override args = { name: Args.string({ required: true, description: 'Who.' }) }

  static override flags = {
    hosts: Flags.string({ helpValue: 'PATTERN', multiple: true, description: 'Nodes that draw; default all.' }),
  }

  async run(): Promise<ForgottenPerson> {
    const { args, flags } = await this.parse(PeopleForget)
    const ctx = this.context()
    const inventory = await findInventory(flags.inventory, ctx)
    if (!(await ctx.prompter.confirm(`Forget ${printable(args.name)} for good?`))) {
      throw new CpnError('CPN_ERR_DECLINED', `${args.name} was not forgotten`)
    }
    const result = await forgetPerson({ inventory, name: args.name, hosts: flags.hosts ?? [] }, ctx)
    const { name, photos, versions, runs, exports, nodes, left, again } = result
    this.log(printable(`${name} is forgotten: ${photos} photos, ${versions} older versions of the gallery`))
    for (const { run, photos, redrawn } of runs)
      this.log(`run ${run}: ${photos} photos, ${redrawn} pictures drawn anew`)
    for (const file of exports) this.log(printable(`taken out of ${file}`))
    if (nodes.cleared.length > 0) this.log(`memory cleared: ${nodes.cleared.join(', ')}`)
    if (nodes.away.length > 0) this.log(`away, told when they are back: ${nodes.away.join(', ')}`)
    for (const what of left) this.log(printable(`not reached: ${what}`))
    if (again) this.log('what can still be reached is forgotten by the same command again')
    if (left.length > 0) this.exitWith(exitCodes.partial)
    return result
  }
}
