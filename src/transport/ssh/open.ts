import type { Host } from '../../inventory/inventory.ts'
import type { Opener } from '../connector.ts'
import type { Transport } from '../transport.ts'
import { SshContext, type SshOptions } from './context.ts'
import { fingerprint } from './known-hosts.ts'
import { SshTransport } from './ssh-transport.ts'
import { resolveTarget } from './target.ts'

/** Opens SSH connections that share jump hosts, pace and refusals. */
export function createSshOpener(options: SshOptions): Opener {
  const context = new SshContext(options)
  return {
    open: (host, signal) => open(context, host, signal),
    [Symbol.asyncDispose]: () => context[Symbol.asyncDispose](),
  }
}

async function open(context: SshContext, host: Host, signal?: AbortSignal): Promise<Transport> {
  const target = await resolveTarget(host, context.hosts, signal, context.configs)
  const via = await context.wayTo(target, signal)
  const { connection, hostKey } = await context.logIn(target, via, host.name, signal)
  return new SshTransport(connection, fingerprint(hostKey), context.logger)
}
