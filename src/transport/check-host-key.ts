import type { CpnError } from '../common/errors.ts'
import type { Host } from '../inventory/inventory.ts'
import type { ScannedKey, ScanOptions } from './host-keys.ts'
import { readHostKeyPolicy } from './ssh/host-key-policy.ts'
import { resolveTarget } from './ssh/target.ts'

/**
 * What connecting to the host would say of a key that it shows: `true` when the inventory's or the user's known_hosts
 * has it, else CPN_ERR_HOST_KEY_UNKNOWN, _CHANGED or _REVOKED. Connects to nothing.
 */
export async function checkHostKey(
  host: Host,
  { key }: ScannedKey,
  { hosts, knownHostsFile, signal }: Pick<ScanOptions, 'hosts' | 'knownHostsFile' | 'signal'>,
): Promise<true | CpnError> {
  const target = await resolveTarget(host, new Map(hosts.map((other) => [other.name, other])), signal)
  return (await readHostKeyPolicy(target, knownHostsFile)).verify(key)
}
