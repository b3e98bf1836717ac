import { Args, Flags } from '@oclif/core'
import { findInventory } from '../actions/find-inventory.ts'
import { openProvisioner, type ProvisionReport } from '../actions/provision.ts'
import { exitCodes } from '../common/error-codes.ts'
import type { ProvisionEvent } from '../provision/phase.ts'
import { formatBytes } from '../ui/format.ts'
import { type HostOutcome, runHostTasks } from '../ui/host-tasks.ts'
import { printLine } from '../ui/terminal.ts'
import { BaseCommand } from './base.ts'

const hostsAtOnce = 16
const progressEveryMs = 500

interface ProvisionJson {
  hosts: (Partial<ProvisionReport> & { name: string; error: object | null })[]
}

export default class Provision extends BaseCommand {
  static override summary = 'Make nodes of hosts: install cpn there and start its agent.'

  static override description =
    'Sends only what a host lacks. A new release is used once a real inference through it succeeded; otherwise the ' +
    'one before stays in use and the exit code is 5. Running it again changes nothing. Without PATTERN: all hosts.'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> node1 tag:lab',
    '<%= config.bin %> <%= command.id %> --dry-run',
    '<%= config.bin %> <%= command.id %> --sudo   # requirements are installed with sudo',
  ]

  static override strict = false

  static override args = {
    pattern: Args.string({ description: 'Hosts, e.g. node1, node[2-9], tag:lab; several may be given.' }),
  }

  static override flags = {
    'dry-run': Flags.boolean({ description: 'Look and tell what would change; write nothing on any host.' }),
    sudo: Flags.boolean({ description: 'Use sudo to install requirements; its password is asked for when needed.' }),
  }

  async run(): Promise<ProvisionJson> {
    const { flags, argv } = await this.parse(Provision)
    const ctx = this.context()
    const inventory = await findInventory(flags.inventory, ctx)
    const dryRun = flags['dry-run']
    const options = { inventory, hosts: argv as string[], sudo: flags.sudo, dryRun }
    await using provisioner = await openProvisioner(options, ctx)
    const hosts = new Map(provisioner.hosts.map((host) => [host.name, host]))
    const run = async (name: string, report: (line: string) => void) => {
      const result = await provisioner.provision(hosts.get(name)!, lines(report))
      return { result, summary: dryRun ? wouldSay(result) : summaryOf(result) }
    }
    const title = dryRun ? 'looking at hosts' : 'provisioning'
    const outcomes = await runHostTasks([...hosts.keys()], run, { title, concurrency: hostsAtOnce, signal: ctx.signal })
    if (dryRun) tellChanges(outcomes)
    tellErrors(outcomes)
    if (outcomes.some(({ error }) => error))
      this.exitWith(ctx.signal.aborted ? exitCodes.interrupted : exitCodes.provision)
    return {
      hosts: outcomes.map(({ host, result, error }) => ({ name: host, ...result, error: error?.toJSON() ?? null })),
    }
  }
}

/** A line for each phase that takes its time; uploads tell how far they are. */
function lines(report: (line: string) => void): (event: ProvisionEvent) => void {
  let told = 0
  return ({ state, title, bytes = 0, totalBytes = 0 }) => {
    if (state === 'start') report(title)
    if (state !== 'progress' || performance.now() - told < progressEveryMs) return
    told = performance.now()
    report(`${title} ${formatBytes(bytes)} of ${formatBytes(totalBytes)}`)
  }
}

function summaryOf({ changed, release, supervisor, linger }: ProvisionReport): string {
  const kept = {
    'systemd-user': lingerWords(linger),
    keeper: 'kept up by cpn’s own supervisor',
    none: 'kept up by nobody',
  }
  return `${changed ? 'ready' : 'unchanged'}: release ${release.slice(0, 12)}, ${kept[supervisor ?? 'none']}`
}

function lingerWords(linger: boolean | null | undefined): string {
  const words = 'kept up by systemd --user'
  if (linger === false) return `${words} until the last logout (no linger: loginctl enable-linger)`
  return linger ? `${words} (linger on)` : words
}

function wouldSay({ changed, changes }: ProvisionReport): string {
  return changed ? `would change: ${changes.join('; ')}` : 'nothing would change'
}

function tellChanges(outcomes: HostOutcome<ProvisionReport>[]): void {
  const changing = outcomes.filter(({ result }) => result?.changed).length
  printLine(`Nothing was written; ${changing} of ${outcomes.length} hosts would change.`)
}

function tellErrors(outcomes: HostOutcome<unknown>[]): void {
  for (const { host, error } of outcomes) {
    for (const suggestion of error?.suggestions ?? []) printLine(`${host}: ${suggestion}`)
  }
}
