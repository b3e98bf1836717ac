import { randomUUID } from 'node:crypto'
import type { Context } from '../../common/context.ts'
import { withDeadline } from '../../common/deadline.ts'
import { CpnError } from '../../common/errors.ts'
import type { Host, Inventory } from '../../inventory/inventory.ts'
import { selectSomeHosts } from '../../inventory/select.ts'
import { openState, type State } from '../../inventory/state.ts'
import { parseFacts } from '../../provision/facts.ts'
import { factsScript } from '../../provision/facts-script.ts'
import { Journal } from '../../provision/journal.ts'
import { hostLocked, lockedExit, lockOwner, whoWeAre } from '../../provision/lock.ts'
import { removeScript } from '../../provision/remove-script.ts'
import { createConnector } from '../../transport/connector.ts'
import type { Transport } from '../../transport/transport.ts'

export interface UnprovisionReport {
  /** False when there was nothing of this fleet on the host. */
  removed: boolean
}

/** Takes cpn off hosts. */
export interface Unprovisioner extends AsyncDisposable {
  readonly hosts: Host[]
  /**
   * Removes everything that cpn put on the host, also when the agent does not work any more. Rejects
   * with CPN_ERR_HOST_LOCKED while somebody provisions it.
   */
  unprovision(host: Host): Promise<UnprovisionReport>
}

const removalMs = 300_000

/** Rejects with CPN_ERR_DECLINED when the person says no, CPN_ERR_NEEDS_TERMINAL when nobody can be asked. */
export async function openUnprovisioner(
  { inventory, hosts: patterns }: { inventory: Inventory; hosts: string[] },
  ctx: Context,
): Promise<Unprovisioner> {
  const hosts = selectSomeHosts(inventory, patterns)
  await confirm(hosts, ctx)
  const state = await openState(inventory.stateDir)
  const { prompter, logger } = ctx
  const connector = createConnector({ hosts: inventory.hosts, knownHostsFile: state.knownHostsFile, prompter, logger })
  return {
    hosts,
    unprovision: async (host) => {
      await using transport = await connector.open(host, ctx.signal)
      const removed = await remove(transport, host, state, ctx.signal)
      if (removed) await state.recordHostEvent(host.name, { event: 'unprovisioned', by: whoWeAre() })
      new Journal(state.journalFile(host.name)).done()
      return { removed }
    },
    [Symbol.asyncDispose]: () => connector[Symbol.asyncDispose](),
  }
}

async function confirm(hosts: Host[], { prompter }: Context): Promise<void> {
  const names = hosts.map(({ name }) => name).join(', ')
  if (await prompter.confirm(`Remove cpn and everything it put there from ${names}?`)) return
  throw new CpnError('CPN_ERR_DECLINED', 'nothing was removed')
}

async function remove(transport: Transport, host: Host, { fleetId }: State, signal: AbortSignal): Promise<boolean> {
  const { stdout } = await transport.exec(factsScript(host.remoteDir, false), { signal })
  const facts = parseFacts(stdout)
  if (!facts) throw failed(host.name, 'the host does not run a POSIX shell script')
  const script = removeScript(facts.dir, fleetId, lockOwner(randomUUID(), fleetId))
  const result = await withDeadline(
    removalMs,
    () => failed(host.name, `it took longer than ${removalMs / 1000} seconds`),
    (inner) => transport.exec(script, { signal: inner, timeoutMs: removalMs }),
    signal,
  )
  if (result.exitCode === lockedExit) throw hostLocked(host.name, result.stdout.trim())
  const said = result.stdout.trim().split('\n').at(-1)
  if (result.exitCode === 0 && (said === 'removed' || said === 'absent')) return said === 'removed'
  throw failed(host.name, result.stderr.trim() || `exit code ${result.exitCode ?? result.signal}`)
}

function failed(host: string, reason: string): CpnError {
  return new CpnError('CPN_ERR_PROVISION_FAILED', `cpn could not be removed: ${reason}`, {
    host,
    suggestions: ['Run it again; what is removed already stays removed.'],
  })
}
