import type { ErrorCode } from '../../common/error-codes.ts'
import { CpnError, type CpnErrorOptions, systemErrorCode } from '../../common/errors.ts'
import { keyLockedMark } from '../../protocol/locked-login.ts'
import type { Wait } from './deadlines.ts'

/** Whom an error is about: the inventory name and the address that was tried. */
export interface Place {
  host: string
  /** `address:port`, for messages. */
  where: string
}

/** What ssh2 hangs on its errors. */
interface Ssh2Error extends Error {
  level?: string
  code?: string | number
  reason?: string | number
}

interface Rule {
  matches: RegExp
  code: ErrorCode
  says: string
  suggestions?: string[]
  retryable?: boolean
  /** The message ends with what the server or ssh2 said, because that tells more. */
  isQuoted?: boolean
}

const reachSuggestion = 'Check the address and port in the inventory, the host and the network.'

const forcedSuggestion = 'Force no command on the user there: ForceCommand, or command= of the key.'

/** Errors of which the first suggestion is to check the address. */
const unreached: ErrorCode[] = [
  'CPN_ERR_CONNECT_REFUSED',
  'CPN_ERR_CONNECT_TIMEOUT',
  'CPN_ERR_CONNECT_UNREACHABLE',
  'CPN_ERR_BANNER_TIMEOUT',
]

const dialRules: Rule[] = [
  {
    matches: /ENOTFOUND|EAI_NONAME|EAI_NODATA|name or service not known|nodename nor servname|no address associated/i,
    code: 'CPN_ERR_DNS',
    says: 'the name has no address',
    suggestions: ['Check the address in the inventory for typing errors, or give an IP address.'],
  },
  {
    matches: /EAI_AGAIN|ESERVFAIL|temporary failure in name resolution|unknown host/i,
    code: 'CPN_ERR_DNS',
    says: 'the name server gave no answer',
    suggestions: ['Check the name server of this machine, or give an IP address in the inventory.'],
    retryable: true,
  },
  {
    matches: /ECONNREFUSED|connection refused/i,
    code: 'CPN_ERR_CONNECT_REFUSED',
    says: 'nothing listens there',
    suggestions: ['Check the port in the inventory and that sshd runs on the host.'],
    retryable: true,
  },
  {
    matches: /ETIMEDOUT|timed out/i,
    code: 'CPN_ERR_CONNECT_TIMEOUT',
    says: 'no answer to the connection request',
    suggestions: [reachSuggestion],
    retryable: true,
  },
  {
    matches: /EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|EHOSTDOWN|ENETDOWN|EACCES|EPERM|no route|unreachable/i,
    code: 'CPN_ERR_CONNECT_UNREACHABLE',
    says: 'there is no way to it from here',
    suggestions: [reachSuggestion],
    retryable: true,
  },
]

const handshakeRules: Rule[] = [
  {
    matches: /no matching (key exchange|host key|[CS]->[CS])/i,
    code: 'CPN_ERR_KEX_FAILED',
    says: 'this program and the server share no algorithm',
    isQuoted: true,
    suggestions: ['Update the OpenSSH server on the host, or allow its current algorithms in sshd_config.'],
  },
  {
    matches: /invalid identification string|protocol version|max identification|max greeting/i,
    code: 'CPN_ERR_KEX_FAILED',
    says: 'what answers there is no SSH-2 server',
    suggestions: ['Check the port in the inventory.'],
  },
  {
    matches: /too many authentication failures/i,
    code: 'CPN_ERR_AUTH_FAILED',
    says: 'the server hung up after too many keys',
    suggestions: ['Name the right key as identityFile, and set IdentitiesOnly yes for the host in ~/.ssh/config.'],
  },
  {
    matches: /verification failed|malformed|invalid mac|bad packet|handshake failed|packet length|unexpected packet/i,
    code: 'CPN_ERR_KEX_FAILED',
    says: 'the key exchange broke off',
    isQuoted: true,
    suggestions: ['Try `ssh -v` to the host: something between may change the bytes.'],
  },
]

// ssh2 takes packets of 35,000 bytes, and a Banner is one packet.
const longGreeting: Rule = {
  matches: /bad packet length/i,
  code: 'CPN_ERR_CONNECTION_LOST',
  says: 'the login broke off at a message that is too long, most likely the greeting',
  suggestions: ['Shorten the text of Banner in sshd_config on the host to less than 32 kB.'],
}

const channelReasons: Record<number, Rule> = {
  1: {
    matches: /./,
    code: 'CPN_ERR_FORWARDING_REFUSED',
    says: 'the server forbids it',
    suggestions: ['Allow it in sshd_config on the host (AllowTcpForwarding, AllowStreamLocalForwarding, PermitOpen).'],
  },
  2: { matches: /./, code: 'CPN_ERR_CHANNEL_REFUSED', says: 'the server could not open it', retryable: true },
  3: {
    matches: /./,
    code: 'CPN_ERR_FORWARDING_REFUSED',
    says: 'the server does not know this kind of channel',
    suggestions: ['Update the OpenSSH server on the host to 6.7 or newer.'],
  },
  4: {
    matches: /./,
    code: 'CPN_ERR_CHANNEL_REFUSED',
    says: 'the server is short of resources',
    retryable: true,
  },
}

/** What a host says that let the user in and then ran nothing. */
const shellRules: Rule[] = [
  {
    matches: /password (has|is) expired|change (your|the) password|password change required/i,
    code: 'CPN_ERR_AUTH_FAILED',
    says: 'the password has expired',
    suggestions: ['Log in with ssh once and set a new password.'],
  },
  {
    matches: /allows sftp connections only/i,
    code: 'CPN_ERR_NO_SHELL',
    says: 'it lets the user transfer files only',
    suggestions: [
      'Take `ForceCommand internal-sftp` away for the user in sshd_config on the host, or use another user.',
    ],
  },
  {
    matches: /account is currently not available/i,
    code: 'CPN_ERR_NO_SHELL',
    says: "the user's login shell is nologin",
    suggestions: ['Give the user a login shell on the host: sudo chsh -s /bin/sh USER.'],
  },
]

const sftpStatus: Record<number, string> = {
  2: 'it does not exist',
  3: 'permission denied',
  4: 'the server failed; where it was writing, most likely because the disk is full',
  5: 'bad message',
  6: 'no connection',
  7: 'connection lost',
  8: 'the server does not support it',
}

/** Errors of name lookup and of connect(2), also as sshd of a jump host words them. */
export function dialError(error: unknown, { host, where }: Place): CpnError {
  const text = `${systemErrorCode(error) ?? ''} ${messageOf(error)}`
  const rule = dialRules.find(({ matches }) => matches.test(text)) ?? { ...dialRules.at(-1)!, isQuoted: true }
  return fromRule(rule, `cannot connect to ${where}: ${rule.says}${detailOf(error, rule)}`, { host, cause: error })
}

/** Errors between the first byte and the finished login. */
export function handshakeError(error: unknown, phase: Wait, place: Place): CpnError {
  const { host, where } = place
  const rules = phase === 'auth' ? [longGreeting, ...handshakeRules] : handshakeRules
  const rule = rules.find(({ matches }) => matches.test(messageOf(error)))
  if (rule) return fromRule(rule, `${where}: ${rule.says}${detailOf(error, rule)}`, { host, cause: error })
  const isQuoted = !/before handshake/.test(messageOf(error))
  const hungUp = [where, 'hung up', during[phase]].filter(Boolean).join(' ')
  return new CpnError('CPN_ERR_CONNECTION_LOST', `${hungUp}${detailOf(error, { isQuoted })}`, {
    host,
    retryable: true,
    cause: error,
    suggestions: [
      "Look into sshd's log on the host for the reason (MaxStartups, PerSourcePenalties, fail2ban, a Banner over 256 kB, …).",
    ],
  })
}

const during: Partial<Record<Wait, string>> = {
  banner: 'before it said that it is an SSH server',
  kex: 'during the key exchange',
  auth: 'during the login',
}

const timeouts: Partial<Record<Wait, { code: ErrorCode; says: string }>> = {
  dns: { code: 'CPN_ERR_DNS', says: 'no answer from the name server' },
  tcp: { code: 'CPN_ERR_CONNECT_TIMEOUT', says: 'no answer to the connection request' },
  banner: { code: 'CPN_ERR_BANNER_TIMEOUT', says: 'connected, but nobody there says that it is an SSH server' },
  kex: { code: 'CPN_ERR_KEX_TIMEOUT', says: 'the server stopped answering during the key exchange' },
  auth: { code: 'CPN_ERR_AUTH_TIMEOUT', says: 'the server stopped answering during the login' },
  channel: { code: 'CPN_ERR_CHANNEL_TIMEOUT', says: 'the server did not answer the request for a channel' },
  shell: { code: 'CPN_ERR_CHANNEL_TIMEOUT', says: "the login shell's start files did not come to an end" },
  sftp: { code: 'CPN_ERR_TRANSFER', says: 'the server did not answer an SFTP request' },
  stall: { code: 'CPN_ERR_UPLOAD', says: 'the host took no more of a file' },
  bridge: { code: 'CPN_ERR_FORWARDING_REFUSED', says: 'the bridge to the agent did not start' },
}

/** The error of a wait that took too long; `heard` is what came instead. */
export function timeoutError(wait: Wait, ms: number, { host, where }: Place, heard = ''): CpnError {
  const { code, says } = timeouts[wait] ?? { code: 'CPN_ERR_CONNECT_TIMEOUT', says: `no answer (${wait})` }
  const seen = heard === '' ? '' : `; it said: ${JSON.stringify(heard.slice(0, 80))}`
  return new CpnError(code, `${where}: ${says} within ${ms / 1000} s${seen}`, {
    host,
    retryable: true,
    suggestions:
      wait === 'shell'
        ? ['Shorten its start files (.bashrc, …), or set CPN_TIMEOUT_SCALE=3.', forcedSuggestion]
        : [reachSuggestion, 'Set CPN_TIMEOUT_SCALE=3 for a very slow link.'],
  })
}

/** Errors of a request for a channel. */
export function channelError(error: unknown, what: string, { host, where }: Place): CpnError {
  const { reason } = error as Ssh2Error
  const rule = typeof reason === 'number' ? channelReasons[reason] : undefined
  if (rule) return fromRule(rule, `${where}: ${what} was refused: ${rule.says}`, { host, cause: error })
  if (/strictVendor/.test(messageOf(error))) {
    return new CpnError('CPN_ERR_FORWARDING_REFUSED', `${where}: the server is not OpenSSH, ${what} is impossible`, {
      host,
    })
  }
  if (/unable to (exec|start)/i.test(messageOf(error))) {
    return new CpnError('CPN_ERR_CHANNEL_REFUSED', `${where}: ${what} was refused`, { host, cause: error })
  }
  return lostError({ host, where }, error)
}

/** The host let the user in and ran no command of ours; `said` is what it printed instead. */
export function noShellError(said: string, { host, where }: Place): CpnError {
  const text = said.trim()
  if (text.includes(keyLockedMark)) return keyLocked(host, where)
  const rule = shellRules.find(({ matches }) => matches.test(text))
  if (rule) return fromRule(rule, `${where} ran no command: ${rule.says}`, { host })
  const quoted = text === '' ? 'it said nothing' : `it said: ${JSON.stringify(text.slice(0, 70))}`
  return new CpnError('CPN_ERR_NO_SHELL', `the login shell on ${where} did not run the command; ${quoted}`, {
    host,
    suggestions: [forcedSuggestion, 'Check the login shell: start files must not exit, nor print over 1 MB.'],
  })
}

function keyLocked(host: string, where: string): CpnError {
  return new CpnError('CPN_ERR_KEY_LOCKED', `the key that logs in to ${where} is locked: it runs no commands`, {
    host,
    suggestions: [
      `Log in with another key: cpn provision ${host} --identity-file FILE`,
      `Take the lock off with another key: cpn provision ${host} --unlock-key --identity-file FILE`,
    ],
  })
}

/** The connection is gone; a cause that is another host's error means that it led through that one. */
export function lostError({ host, where }: Place, cause?: unknown): CpnError {
  const jump = cause instanceof CpnError && cause.host !== host ? cause.host : undefined
  const why = cause === undefined ? '' : ` (${messageOf(cause)})`
  const how = jump === undefined ? why : ` with the one to ${jump}, its jump host`
  return new CpnError('CPN_ERR_CONNECTION_LOST', `the connection to ${where} is lost${how}`, {
    host,
    retryable: true,
    cause,
    suggestions: [`Check the network and that ${jump ?? 'the host'} is up; unfinished work can be repeated.`],
  })
}

/** A jump host's failure, as the host behind it sees it. */
export function jumpError(error: unknown, hop: Place, host: string): unknown {
  if (!(error instanceof CpnError)) return error
  const isNamed = error.message.includes(hop.where) || hop.where.startsWith(`${hop.host}:`)
  const name = isNamed ? hop.host : `${hop.host} (${hop.where})`
  return new CpnError('CPN_ERR_JUMP', `its jump host ${name}: ${error.message} [${error.code}]`, {
    host,
    cause: error,
    retryable: error.retryable,
    suggestions: jumpSuggestions(error, hop.host),
  })
}

// What is wrong may be who is meant as jump host, and that is said in another place than the host's own address.
function jumpSuggestions({ code, retryable, suggestions }: CpnError, hop: string): string[] {
  const isUnreached = unreached.includes(code) || (code === 'CPN_ERR_DNS' && !retryable)
  if (!isUnreached) return suggestions
  const check = `Check the jump host ${hop}: --jump, \`jump:\` in the inventory, or ProxyJump.`
  return [check, ...suggestions.slice(1)]
}

/** Errors of an SFTP request; `what` says what could not be done. */
export function sftpError(error: unknown, what: string, { host }: Place): CpnError {
  const { code } = error as Ssh2Error
  const known = typeof code === 'number' ? sftpStatus[code] : undefined
  const why = known === undefined ? messageOf(error) : `${known} (${messageOf(error)})`
  return new CpnError('CPN_ERR_TRANSFER', `${what} by SFTP: ${why}`, {
    host,
    cause: error,
    suggestions: ['Check on the host that the folder exists, belongs to the user and has space left.'],
  })
}

/** True when the server hung up before it said that it is one: too many others are logging in (MaxStartups). */
export function isTurnedAway(error: unknown, heard: string): boolean {
  if (/not allowed at this time/i.test(heard)) return false
  const said = messageOf(error instanceof CpnError ? error.cause : error)
  return /lost before handshake|closed before handshake|ECONNRESET|EPIPE/i.test(said)
}

/** What is worth showing of an error that a rule explains: the system's code, or what was said where it tells more. */
function detailOf(error: unknown, { isQuoted = false }: Pick<Rule, 'isQuoted'>): string {
  const code = systemErrorCode(error)
  if (code !== undefined) return ` (${code})`
  return isQuoted ? ` (${messageOf(error).replace(/^(Handshake failed|\(SSH\) Channel open failure): /, '')})` : ''
}

function fromRule(rule: Rule, message: string, options: CpnErrorOptions): CpnError {
  const { suggestions = [], retryable = false } = rule
  return new CpnError(rule.code, message, { ...options, suggestions, retryable })
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
