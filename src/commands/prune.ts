import { Flags } from '@oclif/core'
import { findInventory } from '../actions/find-inventory.ts'
import { type PruneReport, prune } from '../actions/nodes/prune.ts'
import { exitCodes } from '../common/error-codes.ts'
import { CpnError } from '../common/errors.ts'
import { renderError } from '../ui/error.ts'
import { formatBytes, printable } from '../ui/format.ts'
import { printLine } from '../ui/terminal.ts'
import { BaseCommand } from './base.ts'

interface PruneJson extends Omit<PruneReport, 'failures'> {
  failures: { name: string; error: object }[]
}

export default class Prune extends BaseCommand {
  static override summary = 'Remove what is old and not in use, here and on the hosts.'

  static override description =
    'Here: runs of the ledger that ended long ago (what they wrote stays; they cannot go on any more), models of which a ' +
    'newer version is here and that no other run used, old logs, and what this version of cpn does not use of its cache. ' +
    'On hosts: releases that are no fleet’s current or previous one, and old logs and models. What would go is shown and ' +
    'asked for.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> --dry-run',
    '<%= config.bin %> <%= command.id %> --older-than 7d --yes',
  ]

  static override flags = {
    'older-than': Flags.string({
      helpValue: 'DAYS',
      default: '30d',
      description: 'Age of runs, models and logs from which they are old, e.g. 30d.',
    }),
    hosts: Flags.string({ helpValue: 'PATTERN', multiple: true, description: 'Hosts to look at; default all.' }),
    'dry-run': Flags.boolean({ description: 'Show what would go, and remove nothing.' }),
  }

  async run(): Promise<PruneJson> {
    const { flags } = await this.parse(Prune)
    const ctx = this.context()
    const days = parseDays(flags['older-than'])
    const inventory = await findInventory(flags.inventory, ctx)
    const options = { inventory, hosts: flags.hosts ?? [], days, dryRun: flags['dry-run'] }
    const report = await prune(options, ctx, ({ host, what, bytes }) =>
      this.log(printable(`${host ?? 'this machine'}: ${what}, ${formatBytes(bytes)}`)),
    )
    for (const { error } of report.failures) printLine(renderError(error))
    if (report.failures.length > 0) this.exitWith(exitCodes.partial)
    this.log(ending(report))
    return { ...report, failures: report.failures.map(({ name, error }) => ({ name, error: error.toJSON() })) }
  }
}

function ending({ items, bytes, removed }: PruneReport): string {
  if (items.length === 0) return 'Nothing is old and unused.'
  return `${formatBytes(bytes)} ${removed ? 'are free now' : 'would be free'}`
}

function parseDays(text: string): number {
  const [, digits] = /^(\d{1,5})d?$/.exec(text.trim()) ?? []
  if (digits !== undefined && Number(digits) >= 1) return Number(digits)
  throw new CpnError('CPN_ERR_USAGE', `--older-than ${text} is not a number of days`, {
    suggestions: ['Give for example: --older-than 30d'],
  })
}
