import type { ServerHostKeyAlgorithm } from 'ssh2'
import { entryMatches, type KnownHostsEntry } from './known-hosts.ts'

/** Where recorded keys come from, in the order in which they are asked. */
export interface HostKeyRecord {
  file: string
  entries: KnownHostsEntry[]
  /** Names the host goes by in this file. */
  names: string[]
  /** Names under which a recorded key counts, but another one says nothing (the address without its port). */
  alsoKnownAs: string[]
}

export type Verdict =
  | { verdict: 'known'; file: string }
  | { verdict: 'unknown'; hasAuthority: boolean }
  | { verdict: 'changed'; file: string; recorded: KnownHostsEntry[] }
  | { verdict: 'revoked'; file: string }

const algorithms: Record<string, ServerHostKeyAlgorithm[]> = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
}

/** What is known about a key that a server has shown. The first record that knows the host decides. */
export function judgeHostKey(key: Buffer, records: HostKeyRecord[]): Verdict {
  const revoked = records.find((record) => lookUp(record, '@revoked').some((entry) => entry.key.equals(key)))
  if (revoked) return { verdict: 'revoked', file: revoked.file }
  for (const record of records) {
    const recorded = usableEntries(record)
    if (recorded.some((entry) => entry.key.equals(key))) return { verdict: 'known', file: record.file }
    if (recorded.length > 0) return { verdict: 'changed', file: record.file, recorded }
    const others = record.entries.filter(({ marker, key: other }) => marker === undefined && other.equals(key))
    if (others.some((entry) => record.alsoKnownAs.some((name) => entryMatches(entry, name)))) {
      return { verdict: 'known', file: record.file }
    }
  }
  return { verdict: 'unknown', hasAuthority: records.some((record) => lookUp(record, '@cert-authority').length > 0) }
}

/** Algorithms to offer: those of recorded keys first, so that a server with several keys shows the one we know. */
export function hostKeyAlgorithms(records: HostKeyRecord[]): ServerHostKeyAlgorithm[] {
  const deciding = records.map(usableEntries).find((entries) => entries.length > 0) ?? []
  const known = deciding.flatMap(({ type }) => algorithms[type]!)
  return [...new Set([...known, ...Object.values(algorithms).flat()])]
}

/** Recorded keys of a type that can be asked for; another type is as good as no record. */
function usableEntries(record: HostKeyRecord): KnownHostsEntry[] {
  return lookUp(record, undefined).filter(({ type }) => Object.hasOwn(algorithms, type))
}

function lookUp({ entries, names }: HostKeyRecord, marker: KnownHostsEntry['marker']): KnownHostsEntry[] {
  return entries.filter((entry) => entry.marker === marker && names.some((name) => entryMatches(entry, name)))
}
