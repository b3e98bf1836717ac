import { Args, Flags } from '@oclif/core'
import { findInventory } from '../actions/find-inventory.ts'
import type { LogRecord } from '../actions/logs/log-source.ts'
import { readLogs } from '../actions/logs/logs.ts'
import { CpnError } from '../common/errors.ts'
import { logLevels } from '../common/log-lines.ts'
import { escapeUnprintable } from '../common/logger.ts'
import { renderError } from '../ui/error.ts'
import { renderLogLine } from '../ui/log-line.ts'
import { printLine } from '../ui/terminal.ts'
import { BaseCommand } from './base.ts'

const unitMs: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

export default class Logs extends BaseCommand {
  static override enableJsonFlag = false

  static override summary = 'Show what happened, here and on the nodes.'

  static override description =
    'Merges the log of this machine and those of the nodes in the order of time, by the clock here. Without PATTERN: ' +
    'everything; a node that cannot be asked is a warning then. With PATTERN: those nodes, and what was done about them.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> node2',
    '<%= config.bin %> <%= command.id %> --follow',
    '<%= config.bin %> <%= command.id %> --since 2h --level warn',
    '<%= config.bin %> <%= command.id %> --run last --json',
  ]

  static override strict = false

  static override args = {
    pattern: Args.string({ description: 'Hosts, e.g. node1, tag:lab, all; several may be given.' }),
  }

  static override flags = {
    follow: Flags.boolean({ char: 'f', description: 'Go on with new lines until Ctrl-C.' }),
    lines: Flags.integer({
      char: 'n',
      min: 0,
      helpValue: 'N',
      description: 'Last lines to begin with; default 100, or all that the other flags let through.',
    }),
    since: Flags.string({ helpValue: 'WHEN', description: 'Not older: 90s, 10m, 2h, 3d, or a time in ISO 8601.' }),
    level: Flags.option({ options: logLevels })({ description: 'This level and worse.' }),
    run: Flags.string({ helpValue: 'RUN', description: 'Only what belongs to this run: its id, or last.' }),
    json: Flags.boolean({ description: 'Lines of JSON.' }),
  }

  /** Reading the log is nothing to be read in it. */
  protected override readonly tellsLog = false

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(Logs)
    const ctx = this.context()
    const since = flags.since === undefined ? undefined : momentOf(flags.since)
    const inventory = await findInventory(flags.inventory, ctx)
    const hosts = argv as string[]
    const { follow, lines, level, run } = flags
    const onError = (error: CpnError) => {
      printLine(renderError(error))
      if (hosts.length > 0) this.exitWith(error.exitCode)
    }
    const render = flags.json ? jsonOf : renderLogLine
    for await (const record of readLogs({ inventory, hosts, follow, lines, since, level, run }, ctx, onError)) {
      this.log(render(record))
    }
  }
}

function jsonOf({ time, level, source, message, fields }: LogRecord): string {
  const from = source === undefined ? { source: 'master' } : { source: 'node', host: source }
  // A node speaks for itself only.
  const line = { time: new Date(time).toISOString(), level, ...fields, ...from, msg: message }
  return escapeUnprintable(JSON.stringify(line))
}

function momentOf(text: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text) ?? []
  const moment = unit === undefined ? Date.parse(text) : Date.now() - Number(amount) * unitMs[unit]!
  if (!Number.isNaN(moment)) return moment
  throw new CpnError('CPN_ERR_USAGE', `--since ${text} is neither a time nor a duration`, {
    suggestions: ['Give for example: --since 10m, or --since 2026-11-28T09:00'],
  })
}
