import { Args } from '@oclif/core'
import { findInventory } from '../actions/find-inventory.ts'
import { openUnlocker } from '../actions/nodes/unlock.ts'
import { exitCodes } from '../common/error-codes.ts'
import { runHostTasks } from '../ui/host-tasks.ts'
import { BaseCommand } from './base.ts'

const hostsAtOnce = 16

interface UnlockJson {
  hosts: { name: string; owner: string | null; error: object | null }[]
}

export default class Unlock extends BaseCommand {
  static override summary = 'Break the lock that provisioning took on hosts.'

  static override description =
    'Says who has the lock and since when, and asks. A lock ends by itself with the connection that took it, or when ' +
    'its lease of 15 minutes is not renewed: this is for those who cannot wait. Whoever is still at work there ' +
    'notices and ends.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> node2',
    '<%= config.bin %> <%= command.id %> all --yes',
  ]

  static override strict = false

  static override args = {
    pattern: Args.string({ required: true, description: 'Hosts, e.g. node1, tag:lab, all; several may be given.' }),
  }

  async run(): Promise<UnlockJson> {
    const { flags, argv } = await this.parse(Unlock)
    const ctx = this.context()
    const inventory = await findInventory(flags.inventory, ctx)
    await using unlocker = await openUnlocker({ inventory, hosts: argv as string[] }, ctx)
    const hosts = new Map(unlocker.hosts.map((host) => [host.name, host]))
    const run = async (name: string) => {
      const owner = await unlocker.unlock(hosts.get(name)!)
      const summary = owner === undefined ? 'was not locked' : `unlocked; it was locked by ${owner}`
      return { result: owner ?? null, summary }
    }
    const options = { title: '', concurrency: hostsAtOnce, signal: ctx.signal }
    const outcomes = await runHostTasks([...hosts.keys()], run, options)
    const failed = outcomes.find(({ error }) => error)?.error
    if (failed) this.exitWith(ctx.signal.aborted ? exitCodes.interrupted : failed.exitCode)
    return {
      hosts: outcomes.map(({ host, result, error }) => ({
        name: host,
        owner: result ?? null,
        error: error?.toJSON() ?? null,
      })),
    }
  }
}
