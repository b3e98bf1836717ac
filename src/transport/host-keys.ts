import type { Prompter } from '../common/context.ts'
import { CpnError } from '../common/errors.ts'
import type { Logger } from '../common/logger.ts'
import type { Host } from '../inventory/inventory.ts'
import { describeKey, type ScannedKey } from './known-hosts-file.ts'
import { scanKey } from './ssh/scan.ts'

export { forgetHostKey, knownHostKeys, recordHostKey, type ScannedKey } from './known-hosts-file.ts'

export interface ScanOptions {
  /** The whole inventory: jumps name its hosts. */
  hosts: Host[]
  /** .cpn/known_hosts, for the keys of jump hosts. */
  knownHostsFile: string
  prompter: Prompter
  logger: Logger
  signal?: AbortSignal
}

/** The key a host shows. Nothing is sent to it that could let anybody in: the connection ends before the login. */
export async function scanHostKey(host: Host, options: ScanOptions): Promise<ScannedKey> {
  if (host.transport !== 'ssh') {
    throw new CpnError('CPN_ERR_USAGE', `${host.name} is reached without SSH and has no host key`, { host: host.name })
  }
  return describeKey(await scanKey(host, options, options.signal))
}
