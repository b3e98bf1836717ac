import { Args } from '@oclif/core'
import { findInventory } from '../../actions/find-inventory.ts'
import { type CheckedHost, checkHosts } from '../../actions/hosts/check-hosts.ts'
import { exitCodes } from '../../common/error-codes.ts'
import { checkNames } from '../../provision/host-report.ts'
import { displayWidth, printable } from '../../ui/format.ts'
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
  return [table(hosts), ...hosts.flatMap(hintsOf)].join('\n')
}

// A line per host is easiest to compare; on a narrow terminal few hosts fit better side by side.
function table(hosts: CheckedHost[], width = process.stdout.columns ?? Number.POSITIVE_INFINITY): string {
  const lines = [
    ['HOST', 'USABLE', ...checkNames.map((name) => name.toUpperCase())],
    ...hosts.map(({ name, usable, checks }) => [
      name,
      usable ? 'yes' : 'no',
      ...checkNames.map((check) => cellOf(checks[check])),
    ]),
  ]
  const turned = lines[0]!.map((_header, index) => lines.map((line) => line[index]!))
  const whole = [lines, turned].map((each) => tableOf(each, Number.POSITIVE_INFINITY))
  return whole.find((text) => text.split('\n').every((line) => displayWidth(line) <= width)) ?? tableOf(lines, width)
}

const tableOf = ([headers, ...rows]: string[][], width: number): string =>
  renderTable(
    headers!.map((header) => ({ header })),
    rows,
    width,
  )

const cellOf = ({ verdict, found }: CheckedHost['checks']['os']): string =>
  verdict === 'unknown' ? '?' : verdict === 'lack' ? `${found}!` : found

function hintsOf({ name, hints }: CheckedHost): string[] {
  return hints.map(({ check, needed, message, suggestion, code }) => {
    const text = `${name}: ${check}${needed ? ' (needed)' : ''}: ${message}. ${suggestion.replaceAll('\n', ' → ')}${code ? ` (${code})` : ''}`
    return printable(text.replaceAll(/\s+/g, ' ').trim())
  })
}
