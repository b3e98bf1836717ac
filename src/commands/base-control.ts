import { findInventory } from '../actions/find-inventory.ts'
import { type AgentControl, openAgentControl } from '../actions/nodes/control.ts'
import type { Host } from '../inventory/inventory.ts'
import { selectSomeHosts } from '../inventory/select.ts'
import { runHostTasks } from '../ui/host-tasks.ts'
import { BaseCommand } from './base.ts'

const hostsAtOnce = 16

export interface ControlReport {
  hosts: { name: string; result: string | null; error: object | null }[]
}

/** A command that does one thing to the agents of many hosts; a host that fails stops no other. */
export abstract class ControlCommand extends BaseCommand {
  /** Runs `work` on every host that the patterns select; it returns what to say of the host. */
  protected async control(
    file: string | undefined,
    patterns: string[],
    title: string,
    work: (control: AgentControl, host: Host) => Promise<string>,
  ): Promise<ControlReport> {
    const ctx = this.context()
    const inventory = await findInventory(file, ctx)
    const hosts = new Map(selectSomeHosts(inventory, patterns).map((host) => [host.name, host]))
    await using control = await openAgentControl(inventory, ctx)
    const run = async (name: string) => {
      const result = await work(control, hosts.get(name)!)
      return { result, summary: result }
    }
    const outcomes = await runHostTasks([...hosts.keys()], run, { title, concurrency: hostsAtOnce, signal: ctx.signal })
    const failed = outcomes.find(({ error }) => error)
    if (failed?.error) this.exitWith(failed.error.exitCode)
    return {
      hosts: outcomes.map(({ host, result, error }) => ({
        name: host,
        result: result ?? null,
        error: error?.toJSON() ?? null,
      })),
    }
  }
}
