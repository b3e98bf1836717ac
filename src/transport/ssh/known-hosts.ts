import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

/** One line of a known_hosts file. */
export interface KnownHostsEntry {
  marker: '@revoked' | '@cert-authority' | undefined
  /** First field as it is in the file: names, patterns or a hash. */
  hosts: string
  /** `ssh-ed25519`, … */
  type: string
  /** The key in SSH's wire format. */
  key: Buffer
}

/** SHA256:… as ssh-keygen shows it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`
}

/** Type of a key in SSH's wire format. */
export function keyType(key: Buffer): string {
  const length = key.length >= 4 ? key.readUInt32BE(0) : 0
  return key.toString('latin1', 4, Math.min(4 + length, key.length))
}

/** Entries of a known_hosts file; comments and lines that do not parse are left out. */
export function parseKnownHosts(text: string): KnownHostsEntry[] {
  return text.split('\n').flatMap((line) => parseEntry(line) ?? [])
}

/** One line as an entry; undefined for comments and nonsense. */
export function parseEntry(line: string): KnownHostsEntry | undefined {
  const fields = line.trim().split(/\s+/)
  const marker = fields[0]?.startsWith('@') ? fields.shift() : undefined
  const [hosts, type, encoded] = fields
  if (hosts === undefined || hosts.startsWith('#') || type === undefined || encoded === undefined) return undefined
  if (marker !== undefined && marker !== '@revoked' && marker !== '@cert-authority') return undefined
  const key = Buffer.from(encoded, 'base64')
  return keyType(key) === type ? { marker, hosts, type, key } : undefined
}

/** Whether an entry is about `name`: `host`, or `[host]:port` for another port than 22. */
export function entryMatches(entry: KnownHostsEntry, name: string): boolean {
  if (entry.hosts.startsWith('|1|')) return hashMatches(entry.hosts, name)
  const patterns = entry.hosts.split(',')
  const matches = (pattern: string): boolean => globToRegExp(pattern).test(name)
  if (patterns.some((pattern) => pattern.startsWith('!') && matches(pattern.slice(1)))) return false
  return patterns.some((pattern) => !pattern.startsWith('!') && matches(pattern))
}

function hashMatches(hashed: string, name: string): boolean {
  const [, , salt = '', hash = ''] = hashed.split('|')
  const expected = Buffer.from(hash, 'base64')
  const actual = createHmac('sha1', Buffer.from(salt, 'base64')).update(name.toLowerCase()).digest()
  return expected.length === actual.length && timingSafeEqual(expected, actual)
}

function globToRegExp(pattern: string): RegExp {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 'i')
}

/** The name that known_hosts files use for an address and port. */
export function knownHostsName(address: string, port: number): string {
  return port === 22 ? address : `[${address}]:${port}`
}
