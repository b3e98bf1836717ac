import { resolve } from 'node:path'
import { Args, Flags } from '@oclif/core'
import { findInventory } from '../actions/find-inventory.ts'
import { openProvisioner, type ProvisionOptions, type ProvisionReport } from '../actions/nodes/provision.ts'
import { exitCodes } from '../common/error-codes.ts'
import { CpnError } from '../common/errors.ts'
import type { ProvisionEvent } from '../provision/phase.ts'
import { formatBytes, printable } from '../ui/format.ts'
import { type HostOutcome, type HostTask, type Report, runHostTasks } from '../ui/host-tasks.ts'
import { keptUp } from '../ui/kept-up.ts'
import { printLine } from '../ui/terminal.ts'
import { BaseCommand } from './base.ts'
import { batchFlags, failuresAllowed } from './base-batch.ts'

const hostsAtOnce = 16

interface ProvisionJson {
  hosts: (Partial<ProvisionReport> & { name: string; error: object | null })[]
}

export default class Provision extends BaseCommand {
  static override summary = 'Make nodes of hosts: install cpn there and start its agent.'

  static override description =
    'Sends only what a host lacks. A new release is used once a real inference through it succeeded; otherwise the ' +
    'one before stays in use and the exit code is 5. Running it again changes nothing and takes up what was cut off. ' +
    'While a run goes on, --batch updates a few nodes at a time: each ends its images, is verified and works again ' +
    'before the next ones begin. Without PATTERN: all hosts.'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> node1 tag:lab',
    '<%= config.bin %> <%= command.id %> --dry-run',
    '<%= config.bin %> <%= command.id %> --sudo   # requirements are installed with sudo',
    '<%= config.bin %> <%= command.id %> node1 --lock-key   # a stolen key is worth little then',
    '<%= config.bin %> <%= command.id %> --batch 2   # while a run goes on',
    '<%= config.bin %> <%= command.id %> --failed',
  ]

  static override strict = false

  static override args = {
    pattern: Args.string({ description: 'Hosts, e.g. node1, node[2-9], tag:lab; several may be given.' }),
  }

  static override flags = {
    'dry-run': Flags.boolean({ description: 'Look and tell what would change; write nothing on any host.' }),
    'identity-file': Flags.string({
      helpValue: 'FILE',
      description: 'Key to log in with this time, in the place of the inventory’s.',
    }),
    'lock-key': Flags.boolean({
      exclusive: ['unlock-key', 'dry-run'],
      description:
        'Let the inventory’s key do nothing on the host but the agent’s work: no shell, no files, no forwarding.',
    }),
    'unlock-key': Flags.boolean({ exclusive: ['dry-run'], description: 'Take that back.' }),
    failed: Flags.boolean({ description: 'Only hosts whose last provisioning failed or was cut off.' }),
    ...batchFlags,
    sudo: Flags.boolean({ description: 'Use sudo to install requirements; its password is asked for when needed.' }),
  }

  async run(): Promise<ProvisionJson> {
    const { flags, argv } = await this.parse(Provision)
    const ctx = this.context()
    const inventory = await findInventory(flags.inventory, ctx)
    const dryRun = flags['dry-run']
    const keyLock: ProvisionOptions['keyLock'] = flags['lock-key'] ? 'lock' : flags['unlock-key'] ? 'unlock' : undefined
    const identityFile = flags['identity-file']
    const { failed: onlyFailed, sudo, batch } = flags
    const options: ProvisionOptions = {
      inventory,
      hosts: argv as string[],
      onlyFailed,
      sudo,
      dryRun,
      ...(keyLock !== undefined && { keyLock }),
      ...(identityFile && { identityFile: resolve(identityFile) }),
    }
    await using provisioner = await openProvisioner(options, ctx)
    if (onlyFailed && provisioner.hosts.length === 0) printLine('There is no host whose last provisioning failed.')
    const hosts = new Map(provisioner.hosts.map((host) => [host.name, host]))
    const maxFail = failuresAllowed(flags)
    let failed = 0
    const run = async (name: string, report: Report) => {
      if (failed > maxFail) throw notBegun(name, failed)
      try {
        const result = await provisioner.provision(hosts.get(name)!, lines(report))
        return { result, summary: dryRun ? wouldSay(result) : summaryOf(result) }
      } catch (error) {
        failed++
        throw error
      }
    }
    const title = dryRun ? 'looking at hosts' : 'provisioning'
    const outcomes = await runInBatches([...hosts.keys()], run, { title, batch, signal: ctx.signal })
    if (dryRun) this.#tellChanges(outcomes)
    if (outcomes.some(({ error }) => error))
      this.exitWith(ctx.signal.aborted ? exitCodes.interrupted : exitCodes.provision)
    return {
      hosts: outcomes.map(({ host, result, error }) => ({ name: host, ...result, error: error?.toJSON() ?? null })),
    }
  }

  /** The changes are what a dry run is for: whole, on stdout. */
  #tellChanges(outcomes: HostOutcome<ProvisionReport>[]): void {
    for (const { host, result } of outcomes) {
      if (!result) continue
      const lines = result.changes.map((change) => `  ${printable(change)}`)
      this.log([`${host}: ${result.changed ? 'would change' : 'nothing would change'}`, ...lines].join('\n'))
    }
    const changing = outcomes.filter(({ result }) => result?.changed).length
    printLine(`Nothing was written; ${changing} of ${outcomes.length} hosts would change.`)
  }
}

/** Every host of a batch is done before the next batch begins; without one all hosts are one batch. */
async function runInBatches(
  hosts: string[],
  run: HostTask<ProvisionReport>,
  { title, batch = hosts.length, signal }: { title: string; batch: number | undefined; signal: AbortSignal },
): Promise<HostOutcome<ProvisionReport>[]> {
  const outcomes: HostOutcome<ProvisionReport>[] = []
  const concurrency = Math.min(batch, hostsAtOnce)
  for (let begun = 0; begun < hosts.length; begun += batch) {
    const options = { title: begun === 0 ? title : '', concurrency, signal }
    outcomes.push(...(await runHostTasks(hosts.slice(begun, begun + batch), run, options)))
  }
  return outcomes
}

function notBegun(host: string, failed: number): CpnError {
  const message = `not begun: ${failed} ${failed === 1 ? 'host has' : 'hosts have'} failed before`
  return new CpnError('CPN_ERR_NOT_RUN', message, {
    host,
    suggestions: ['Look at the hosts that failed, then provision the rest, or allow more with --max-fail.'],
  })
}

/** A line for each phase that has something to do; uploads tell how far they are. */
function lines(report: Report): (event: ProvisionEvent) => void {
  let telling = ''
  return ({ phase, state, outcome, title, bytes = 0, totalBytes = 0 }) => {
    if (state === 'start') report(title, { passing: true })
    if (state === 'progress') report(`${title} ${formatBytes(bytes)} of ${formatBytes(totalBytes)}`, { passing: true })
    const works = state === 'progress' || outcome === 'changed'
    if (works && telling !== phase) report(title)
    if (works) telling = phase
  }
}

function summaryOf({ changed, release, supervisor, linger, resumed }: ProvisionReport): string {
  const from = resumed?.phase === undefined ? '' : ` (taken up: ${resumed.code ?? 'cut off'} in ${resumed.phase})`
  return `${changed ? 'ready' : 'unchanged'}${from}: release ${release.slice(0, 12)}, ${keptUp(supervisor, linger)}`
}

function wouldSay({ changed, changes }: ProvisionReport): string {
  if (!changed) return 'nothing would change'
  return changes.length === 1 ? '1 change to make' : `${changes.length} changes to make`
}
