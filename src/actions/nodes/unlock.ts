import type { Context } from '../../common/context.ts'
import { CpnError } from '../../common/errors.ts'
import type { Host, Inventory } from '../../inventory/inventory.ts'
import { selectSomeHosts } from '../../inventory/select.ts'
import { openState } from '../../inventory/state.ts'
import { whoWeAre } from '../../provision/lock.ts'
import { breakLockScript, lockStateScript, parseLockState } from '../../provision/lock-state.ts'
import { createConnector } from '../../transport/connector.ts'

/** Breaks locks that provisioning took on hosts. */
export interface Unlocker extends AsyncDisposable {
  readonly hosts: Host[]
  /**
   * Looks who has the host's lock, asks, and takes it away from that owner only. Resolves with the owner, or undefined
   * where there was no lock. Rejects with CPN_ERR_DECLINED, CPN_ERR_NEEDS_TERMINAL.
   */
  unlock(host: Host): Promise<string | undefined>
}

export async function openUnlocker(
  { inventory, hosts: patterns }: { inventory: Inventory; hosts: string[] },
  ctx: Context,
): Promise<Unlocker> {
  const hosts = selectSomeHosts(inventory, patterns)
  const state = await openState(inventory.stateDir)
  const { prompter, logger, signal } = ctx
  const connector = createConnector({ hosts: inventory.hosts, knownHostsFile: state.knownHostsFile, prompter, logger })
  return {
    hosts,
    unlock: async (host) => {
      await using transport = await connector.open(host, signal)
      const { stdout } = await transport.exec(lockStateScript(host.remoteDir), { signal })
      const lock = parseLockState(stdout)
      if (!lock) return undefined
      const works = lock.held ? 'It seems to be at work. ' : ''
      const question = `${host.name} is locked by ${lock.owner}. ${works}Break the lock?`
      if (!(await prompter.confirm(question))) throw declined(host.name)
      const { exitCode, stderr } = await transport.exec(breakLockScript(lock, state.fleetId), { signal })
      if (exitCode !== 0) throw notBroken(host.name, stderr.trim())
      await state.recordHostEvent(host.name, { event: 'unlocked', by: whoWeAre(), owner: lock.owner })
      return lock.owner
    },
    [Symbol.asyncDispose]: () => connector[Symbol.asyncDispose](),
  }
}

function declined(host: string): CpnError {
  return new CpnError('CPN_ERR_DECLINED', 'the lock was left alone', { host })
}

function notBroken(host: string, reason: string): CpnError {
  return new CpnError('CPN_ERR_PROVISION_FAILED', `the lock could not be removed: ${reason}`, {
    host,
    suggestions: [`Log in to ${host} and remove the folder \`lock\` in remoteDir.`],
  })
}
