import { Args } from '@oclif/core'
import { type CheckedHost, checkHosts } from '../../actions/check-hosts.ts'
import { findInventory } from '../../actions/find-inventory.ts'
import { exitCodes } from '../../common/error-codes.ts'
import { checkNames } from '../../provision/host-report.ts'
import { printable } from '../../ui/format.ts'
import { renderTable } from '../../ui/table.ts'
import { BaseCommand } from '../base.ts'

export default class HostsCheck extends BaseCommand {
  static override summary = 'Look at hosts before provisioning them: what they are and what they lack.'

  static override description =
    'Logs in to all hosts side by side, runs one script on each and changes nothing there. Under the table stands what each host lacks and what would help; "!" marks it in the table, "?" what could not be found out. Exit code 0 when all hosts can be provisioned, 4 when some host lacks what provisioning needs.'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    "<%= config.bin %> <%= command.id %> tag:lab '!node4'",
    '<%= config.bin %> <%= command.id %> node1 --json',
  ]

  static override strict = false

  static override args = {
    pattern: Args.string({ description: 'hosts: node1, node[2-9], tag:lab, all, …; default all' }),
  }

  async run(): Promise<{ hosts: CheckedHost[] }> {
    const { argv, flags } = await this.parse(HostsCheck)
    const ctx = this.context()
    const inventory = await findInventory(flags.inventory, ctx)
    const hosts = await checkHosts({ inventory, hosts: argv.map(String) }, ctx)
    this.log(render(hosts))
    if (hosts.some(({ usable }) => !usable)) this.exitWith(exitCodes.noHost)
    return { hosts }
  }
}

function render(hosts: CheckedHost[]): string {
  const columns = ['HOST', 'USABLE', ...checkNames.map((name) => name.toUpperCase())].map((header) => ({ header }))
  const rows = hosts.map(({ name, usable, checks }) => [
    name,
    usable ? 'yes' : 'no',
    ...checkNames.map((check) => cellOf(checks[check])),
  ])
  return [renderTable(columns, rows), ...hosts.flatMap(hintsOf)].join('\n')
}

const cellOf = ({ verdict, found }: CheckedHost['checks']['os']): string =>
  verdict === 'unknown' ? '?' : verdict === 'lack' ? `${found}!` : found

function hintsOf({ name, hints }: CheckedHost): string[] {
  return hints.map(({ check, needed, message, suggestion }) => {
    const text = `${name}: ${check}${needed ? ' (needed)' : ''}: ${message}. ${suggestion}`
    return printable(text.replaceAll(/\s+/g, ' ').trim())
  })
}
