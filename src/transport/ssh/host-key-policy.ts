import type { ServerHostKeyAlgorithm } from 'ssh2'
import { CpnError } from '../../common/errors.ts'
import { readKnownHosts } from '../known-hosts-file.ts'
import { quote } from '../shell.ts'
import { type HostKeyRecord, hostKeyAlgorithms, judgeHostKey, type Verdict } from './host-key-verdict.ts'
import { fingerprint, keyType, knownHostsName, parseKnownHosts } from './known-hosts.ts'
import { placeOf, type Target } from './target.ts'

/** How one server's key is judged. */
export interface HostKeyPolicy {
  algorithms: ServerHostKeyAlgorithm[]
  /** Synchronous; `true` or the error that refuses the host. */
  verify: (key: Buffer) => true | CpnError
}

/** Reads what is recorded about a target: the inventory's own file first, then the user's. */
export async function readHostKeyPolicy(target: Target, knownHostsFile: string): Promise<HostKeyPolicy> {
  const records = await readRecords(target, knownHostsFile)
  return {
    algorithms: hostKeyAlgorithms(records),
    verify: (key) => {
      const verdict = judgeHostKey(key, records)
      return verdict.verdict === 'known' ? true : refusal(target, key, verdict)
    },
  }
}

async function readRecords(target: Target, knownHostsFile: string): Promise<HostKeyRecord[]> {
  const { hostname, port, hostKeyAlias, inventoryName } = target
  const own = inventoryName === undefined ? [] : [{ file: knownHostsFile, names: [inventoryName], alsoKnownAs: [] }]
  const names = [hostKeyAlias ?? knownHostsName(hostname, port)]
  const alsoKnownAs = hostKeyAlias === undefined && port !== 22 ? [hostname] : []
  const users = target.knownHostsFiles.map((file) => ({ file, names, alsoKnownAs }))
  return Promise.all(
    [...own, ...users].map(async (source) => ({ ...source, entries: parseKnownHosts(await readQuietly(source.file)) })),
  )
}

/** A file that cannot be read knows nothing, which never makes a key known. */
function readQuietly(file: string): Promise<string> {
  return readKnownHosts(file).catch(() => '')
}

function refusal(target: Target, key: Buffer, verdict: Exclude<Verdict, { verdict: 'known' }>): CpnError {
  const { where } = placeOf(target)
  const host = target.name
  switch (verdict.verdict) {
    case 'revoked':
      return new CpnError(
        'CPN_ERR_HOST_KEY_REVOKED',
        `${where} shows the key ${fingerprint(key)}, which ${verdict.file} revokes`,
        {
          host,
          suggestions: ['Do not use this host before its owner has given it new keys.'],
        },
      )
    case 'changed': {
      const message = `${where} shows another host key than the one on record`
      return new CpnError('CPN_ERR_HOST_KEY_CHANGED', message, { host, suggestions: changedSuggestions(target, key) })
    }
    case 'unknown': {
      const authority = verdict.hasAuthority ? ' (host certificates, @cert-authority, are not supported)' : ''
      const message = `${where} shows a host key that is not known${authority}`
      return new CpnError('CPN_ERR_HOST_KEY_UNKNOWN', message, { host, suggestions: unknownSuggestions(target, key) })
    }
  }
}

function changedSuggestions(target: Target, key: Buffer): string[] {
  return [
    `Set up anew? Look there: ${fingerprintCommand(key)}`,
    target.inventoryName === undefined
      ? `If it says ${fingerprint(key)}, remove the old one: ssh-keygen -R ${quote(knownHostsName(target.hostname, target.port))}`
      : `If it says the same: ${acceptCommand(target, key)}`,
  ]
}

function unknownSuggestions(target: Target, key: Buffer): string[] {
  return [`Compare on the host: ${fingerprintCommand(key)}`, `If it says the same: ${acceptCommand(target, key)}`]
}

function fingerprintCommand(key: Buffer): string {
  const kind = keyType(key)
    .replace(/^ssh-/, '')
    .replace(/^ecdsa-.*/, 'ecdsa')
  return `ssh-keygen -lf /etc/ssh/ssh_host_${kind}_key.pub`
}

function acceptCommand(target: Target, key: Buffer): string {
  const { inventoryName, address, user, port } = target
  if (inventoryName === undefined) return `ssh -p ${port} ${quote(`${user}@${address}`)}`
  return `cpn hosts add ${inventoryName} --host-key ${fingerprint(key)}`
}
