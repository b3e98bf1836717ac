import { CpnError } from '../../common/errors.ts'
import type { Host } from '../../inventory/inventory.ts'
import { SshContext, type SshOptions } from './context.ts'
import { readHostKeyPolicy } from './host-key-policy.ts'
import { Keyring } from './keyring.ts'
import { login } from './login.ts'
import { resolveTarget } from './target.ts'

/**
 * The key that a host's server shows, in SSH's wire format. The connection ends at the key exchange, before the login;
 * jump hosts on the way are verified and logged in to as always.
 */
export async function scanKey(host: Host, options: SshOptions, signal?: AbortSignal): Promise<Buffer> {
  await using context = new SshContext(options)
  const target = await resolveTarget(host, context.hosts, signal, context.configs)
  // A server with several keys is asked for one that is known already, as when connecting.
  const { algorithms } = await readHostKeyPolicy(target, context.knownHostsFile)
  const via = await context.wayTo(target, signal)
  let seen: Buffer | undefined
  const refuseAll = (key: Buffer): CpnError => {
    seen = Buffer.from(key)
    return new CpnError('CPN_ERR_HOST_KEY_UNKNOWN', `the key of ${host.name} is only looked at`)
  }
  const { pace, prompter } = context
  const options_ = { target, via, host: host.name, pace, prompter, signal, verifyHostKey: refuseAll }
  try {
    const connection = await login({
      ...options_,
      hostKeyAlgorithms: algorithms,
      openKeyring: async () => new Keyring([]),
    })
    connection.destroy()
  } catch (error) {
    if (seen === undefined) throw error
  }
  return seen!
}
