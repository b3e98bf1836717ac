import { nodePaths } from '../protocol/paths.ts'
import { quote } from '../transport/shell.ts'
import { whoWeAre } from './lock.ts'

/** What was done to a fleet's agent on a host. */
export interface AuditEntry {
  event: 'provisioned' | 'rolled-back' | 'unlocked'
  /** Digests of the releases in use before and afterwards; '' for none. */
  from?: string
  to?: string
  /** Whatever else belongs to it; no secrets. */
  [detail: string]: unknown
}

/** Shell words that append one line to the fleet's audit file, with the host's time and who we are. */
export function auditWords(dir: string, fleetId: string, entry: AuditEntry): string {
  const rest = JSON.stringify({ by: whoWeAre(), ...entry }).slice(1)
  const file = quote(`${dir}/${nodePaths.audit(fleetId)}`)
  return `(umask 077; printf '{"time":"%s",%s\\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" ${quote(rest)} >>${file})`
}
