import { Args } from '@oclif/core'
import { findInventory } from '../actions/find-inventory.ts'
import { openUnprovisioner } from '../actions/nodes/unprovision.ts'
import { exitCodes } from '../common/error-codes.ts'
import { runHostTasks } from '../ui/host-tasks.ts'
import { BaseCommand } from './base.ts'

const hostsAtOnce = 16

interface UnprovisionJson {
  hosts: { name: string; removed: boolean; error: object | null }[]
}

export default class Unprovision extends BaseCommand {
  static override summary = 'Remove cpn from hosts.'

  static override description =
    'Stops the agent and removes everything that cpn put on the host; other fleets on it keep what they use. ' +
    'Debian packages that requirements installed stay. The hosts stay in the inventory.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> node2',
    '<%= config.bin %> <%= command.id %> all --yes',
  ]

  static override strict = false

  static override args = {
    pattern: Args.string({ required: true, description: 'Hosts, e.g. node1, tag:lab, all; several may be given.' }),
  }

  async run(): Promise<UnprovisionJson> {
    const { flags, argv } = await this.parse(Unprovision)
    const ctx = this.context()
    const inventory = await findInventory(flags.inventory, ctx)
    await using unprovisioner = await openUnprovisioner({ inventory, hosts: argv as string[] }, ctx)
    const hosts = new Map(unprovisioner.hosts.map((host) => [host.name, host]))
    const run = async (name: string, report: (line: string) => void) => {
      report('removing')
      const result = await unprovisioner.unprovision(hosts.get(name)!)
      return { result, summary: result.removed ? 'removed' : 'there was nothing to remove' }
    }
    const options = { title: 'removing cpn', concurrency: hostsAtOnce, signal: ctx.signal }
    const outcomes = await runHostTasks([...hosts.keys()], run, options)
    if (outcomes.some(({ error }) => error))
      this.exitWith(ctx.signal.aborted ? exitCodes.interrupted : exitCodes.provision)
    return {
      hosts: outcomes.map(({ host, result, error }) => ({
        name: host,
        removed: result?.removed ?? false,
        error: error?.toJSON() ?? null,
      })),
    }
  }
}
