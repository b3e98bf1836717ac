import { Args, Flags } from '@oclif/core'
import { removeHosts } from '../../actions/hosts/hosts.ts'
import { BaseCommand } from '../base.ts'

export default class HostsRemove extends BaseCommand {
  static override summary = 'Remove hosts from the inventory and forget their keys.'

  static override description =
    'Nothing on the hosts changes. A host that is still provisioned is kept: unprovision it first, or use --force.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> node4',
    "<%= config.bin %> <%= command.id %> 'node[5-9]' --yes",
  ]

  static override strict = false

  static override args = {
    pattern: Args.string({ required: true, description: 'hosts: node1, node[2-9], tag:lab, all, …' }),
  }

  static override flags = {
    force: Flags.boolean({ description: 'remove hosts that are provisioned or that others are reached through' }),
  }

  async run(): Promise<{ removed: string[] }> {
    const { argv, flags } = await this.parse(HostsRemove)
    const patterns = argv.map(String)
    const result = await removeHosts({ inventory: flags.inventory, patterns, force: flags.force }, this.context())
    this.log(result.removed.length === 0 ? 'There is no host to remove.' : `Removed ${result.removed.join(', ')}`)
    return result
  }
}
