import { Args, Flags } from '@oclif/core'
import { openAgentControl } from '../actions/control.ts'
import { findInventory } from '../actions/find-inventory.ts'
import { toCpnError } from '../common/errors.ts'
import { selectSomeHosts } from '../inventory/select.ts'
import { renderError } from '../ui/error.ts'
import { printable } from '../ui/format.ts'
import { printLine } from '../ui/terminal.ts'
import { BaseCommand } from './base.ts'

export default class Logs extends BaseCommand {
  static override enableJsonFlag = false

  static override summary = 'Show the logs of agents.'

  static override description = 'Lines of JSON, as the agents wrote them; with several hosts each begins with its host.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> node2',
    '<%= config.bin %> <%= command.id %> all --follow',
  ]

  static override strict = false

  static override args = {
    pattern: Args.string({ required: true, description: 'Hosts, e.g. node1, tag:lab, all; several may be given.' }),
  }

  static override flags = {
    follow: Flags.boolean({ char: 'f', description: 'Go on with new lines until Ctrl-C.' }),
    lines: Flags.integer({ char: 'n', min: 0, default: 100, description: 'Last lines to begin with.' }),
  }

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(Logs)
    const ctx = this.context()
    const inventory = await findInventory(flags.inventory, ctx)
    const hosts = selectSomeHosts(inventory, argv as string[])
    await using control = await openAgentControl(inventory, ctx)
    await Promise.all(
      hosts.map(async (host) => {
        const prefix = hosts.length > 1 ? `${host.name}: ` : ''
        try {
          for await (const line of control.logs(host, flags)) this.log(prefix + printable(line))
        } catch (thrown) {
          const error = toCpnError(thrown)
          printLine(renderError(error))
          this.exitWith(error.exitCode)
        }
      }),
    )
  }
}
