import type { Context } from '../../common/context.ts'
import { CpnError } from '../../common/errors.ts'
import type { Host } from '../../inventory/inventory.ts'
import { checkHostKey } from '../../transport/check-host-key.ts'
import { type ScannedKey, scanHostKey } from '../../transport/host-keys.ts'

/** How a host key becomes trusted. */
export interface HostKeyTrust {
  /** Fingerprint (SHA256:…) that the key has to have. */
  hostKey?: string
  /** Trusts whatever key the host shows, if no other one is known. */
  trustOnFirstUse?: boolean
  /** `--yes` was given: it does not answer for a key, because a wrong one hands everything over. */
  yes?: boolean
}

export interface AcceptedKey {
  key: ScannedKey
  /** It was in the user's known_hosts already. */
  known: boolean
}

/** Ends with CPN_ERR_NEEDS_TERMINAL or CPN_ERR_USAGE when these options cannot lead to a decision; asks nothing. */
export function assertDecidable(trust: HostKeyTrust, { prompter }: Context): void {
  if (trust.hostKey !== undefined) fingerprintOf(trust.hostKey)
  else if (!trust.trustOnFirstUse && (trust.yes || !prompter.interactive)) throw needsTerminal(trust.yes === true)
}

/** Fetches the host's key and has it accepted by fingerprint, policy or person. Records nothing. */
export async function acceptHostKey(
  host: Host,
  trust: HostKeyTrust,
  where: { hosts: Host[]; knownHostsFile: string },
  context: Context,
): Promise<AcceptedKey> {
  const { signal, logger, prompter } = context
  const key = await scanHostKey(host, { ...where, prompter, logger, signal })
  const verdict = await checkHostKey(host, key, { ...where, signal })
  const known = verdict === true
  if (trust.hostKey !== undefined) assertExpected(host, key, fingerprintOf(trust.hostKey))
  if (!known) assertAcceptable(verdict, trust)
  if (trust.trustOnFirstUse) context.notice(`${host.name} shows the key ${describe(key, known)}`)
  else if (trust.hostKey === undefined) await ask(host, key, known, context)
  return { key, known }
}

// The right fingerprint outweighs an outdated record, but not a revocation.
function assertAcceptable(verdict: CpnError, { hostKey }: HostKeyTrust): void {
  const outdated = verdict.code === 'CPN_ERR_HOST_KEY_CHANGED' && hostKey !== undefined
  if (verdict.code !== 'CPN_ERR_HOST_KEY_UNKNOWN' && !outdated) throw verdict
}

async function ask(host: Host, key: ScannedKey, known: boolean, { prompter }: Context): Promise<void> {
  const question = `${host.name} (${host.address}) shows this host key:\n  ${describe(key, known)}\nTrust it?`
  if (await prompter.confirm(question)) return
  throw new CpnError('CPN_ERR_DECLINED', 'the host key was not trusted, and nothing was written', {
    host: host.name,
    suggestions: [`Compare the fingerprint on the host itself: ssh-keygen -lf ${keyFileOf(key.type)}`],
  })
}

const describe = (key: ScannedKey, known: boolean): string =>
  `${key.type} ${key.fingerprint}${known ? ' (already in your known_hosts)' : ''}`

function keyFileOf(type: string): string {
  return `/etc/ssh/ssh_host_${/^ssh-(.+)/.exec(type)?.[1] ?? 'ecdsa'}_key.pub`
}

function assertExpected(host: Host, key: ScannedKey, expected: string): void {
  if (key.fingerprint === expected) return
  const message = `shows ${key.type} ${key.fingerprint}, not the expected ${expected}`
  throw new CpnError('CPN_ERR_HOST_KEY_CHANGED', message, {
    host: host.name,
    suggestions: [
      `Compare it with the host's own key of the type ${key.type}: ssh-keygen -lf ${keyFileOf(key.type)}`,
      'If they differ on the host too, something else answers at this address.',
    ],
  })
}

function fingerprintOf(text: string): string {
  const match = /^(?:SHA256:)?([A-Za-z0-9+/]{43})=?$/.exec(text.trim())
  if (match) return `SHA256:${match[1]}`
  throw new CpnError('CPN_ERR_USAGE', `"${text}" is no fingerprint like SHA256:… with 43 characters`, {
    suggestions: [`Print it on the host: ssh-keygen -lf ${keyFileOf('ssh-ed25519')}`],
  })
}

function needsTerminal(yes: boolean): CpnError {
  const message = yes ? '--yes does not answer for a host key' : 'there is no terminal to ask about the host key'
  return new CpnError('CPN_ERR_NEEDS_TERMINAL', message, {
    suggestions: [
      'Give its fingerprint: --host-key SHA256:…',
      'Or take what the host shows, on a network you trust: --trust-on-first-use',
    ],
  })
}
