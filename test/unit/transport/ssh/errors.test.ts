import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ErrorCode } from '../../../../src/common/error-codes.ts'
import { CpnError } from '../../../../src/common/errors.ts'
import type { Wait } from '../../../../src/transport/ssh/deadlines.ts'
import {
  channelError,
  dialError,
  handshakeError,
  isTurnedAway,
  jumpError,
  sftpError,
  timeoutError,
} from '../../../../src/transport/ssh/errors.ts'

const place = { host: 'node1', where: '192.0.2.11:22' }

function error(message: string, more: object = {}): Error {
  return Object.assign(new Error(message), more)
}

const dialTable: [string, Error, ErrorCode][] = [
  ['unknown name', error('getaddrinfo ENOTFOUND x', { code: 'ENOTFOUND' }), 'CPN_ERR_DNS'],
  ['name server away', error('getaddrinfo EAI_AGAIN x', { code: 'EAI_AGAIN' }), 'CPN_ERR_DNS'],
  ['refused', error('connect ECONNREFUSED', { code: 'ECONNREFUSED' }), 'CPN_ERR_CONNECT_REFUSED'],
  ['timed out', error('connect ETIMEDOUT', { code: 'ETIMEDOUT' }), 'CPN_ERR_CONNECT_TIMEOUT'],
  ['no route', error('connect EHOSTUNREACH', { code: 'EHOSTUNREACH' }), 'CPN_ERR_CONNECT_UNREACHABLE'],
  ['no network', error('connect ENETUNREACH', { code: 'ENETUNREACH' }), 'CPN_ERR_CONNECT_UNREACHABLE'],
  ['refused behind a hop', error('(SSH) Channel open failure: Connection refused'), 'CPN_ERR_CONNECT_REFUSED'],
  ['timed out behind a hop', error('(SSH) Channel open failure: Connection timed out'), 'CPN_ERR_CONNECT_TIMEOUT'],
  ['no route behind a hop', error('(SSH) Channel open failure: No route to host'), 'CPN_ERR_CONNECT_UNREACHABLE'],
  ['no name behind a hop', error('(SSH) Channel open failure: Name or service not known'), 'CPN_ERR_DNS'],
]

const handshakeTable: [string, Error, Wait, ErrorCode][] = [
  ['no common kex', error('Handshake failed: no matching key exchange algorithm'), 'kex', 'CPN_ERR_KEX_FAILED'],
  ['no common cipher', error('Handshake failed: no matching C->S cipher'), 'kex', 'CPN_ERR_KEX_FAILED'],
  ['no common host key', error('Handshake failed: no matching host key format'), 'kex', 'CPN_ERR_KEX_FAILED'],
  ['protocol 1', error('Invalid identification string'), 'banner', 'CPN_ERR_KEX_FAILED'],
  ['bad signature', error('Handshake failed: signature verification failed'), 'kex', 'CPN_ERR_KEX_FAILED'],
  ['too many keys', error('Too many authentication failures', { code: 2 }), 'auth', 'CPN_ERR_AUTH_FAILED'],
  ['hung up', error('read ECONNRESET', { code: 'ECONNRESET' }), 'auth', 'CPN_ERR_CONNECTION_LOST'],
]

const channelTable: [string, Error, ErrorCode][] = [
  ['prohibited', error('(SSH) Channel open failure: open failed', { reason: 1 }), 'CPN_ERR_FORWARDING_REFUSED'],
  ['failed', error('(SSH) Channel open failure: open failed', { reason: 2 }), 'CPN_ERR_CHANNEL_REFUSED'],
  ['unknown type', error('(SSH) Channel open failure: ?', { reason: 3 }), 'CPN_ERR_FORWARDING_REFUSED'],
  ['shortage', error('(SSH) Channel open failure: ?', { reason: 4 }), 'CPN_ERR_CHANNEL_REFUSED'],
  ['exec refused', error('Unable to exec'), 'CPN_ERR_CHANNEL_REFUSED'],
  ['no subsystem', error('Unable to start subsystem: sftp'), 'CPN_ERR_CHANNEL_REFUSED'],
  ['other servers', error('strictVendor enabled and server is not OpenSSH'), 'CPN_ERR_FORWARDING_REFUSED'],
  ['gone', error('No response from server'), 'CPN_ERR_CONNECTION_LOST'],
  ['not there', error('Not connected'), 'CPN_ERR_CONNECTION_LOST'],
]

for (const [what, cause, code] of dialTable) {
  test(`connecting, ${what}: ${code}`, () => check(dialError(cause, place), code, cause))
}
for (const [what, cause, phase, code] of handshakeTable) {
  test(`logging in, ${what}: ${code}`, () => check(handshakeError(cause, phase, place), code, cause))
}
for (const [what, cause, code] of channelTable) {
  test(`a channel, ${what}: ${code}`, () => check(channelError(cause, 'a session', place), code))
}

function check(translated: CpnError, code: ErrorCode, cause?: Error): void {
  assert.equal(translated.code, code)
  assert.equal(translated.host, 'node1')
  assert.match(translated.message, /192\.0\.2\.11:22/)
  if (cause) assert.equal(translated.cause, cause)
}

test('every wait has a code of its own', () => {
  const codes = (['tcp', 'banner', 'kex', 'auth', 'channel'] as const).map(
    (wait) => timeoutError(wait, 1000, place).code,
  )
  assert.equal(new Set(codes).size, codes.length)
  assert.match(timeoutError('banner', 1500, place, '220 mail').message, /within 1\.5 s; it said: "220 mail"/)
})

test("SFTP's codes are spelled out", () => {
  const told = (thrown: Error): string => sftpError(thrown, 'cannot write x', place).message
  assert.match(told(error('Failure', { code: 4 })), /^cannot write x by SFTP: .*disk is full/)
  assert.match(told(error('x', { code: 3 })), /permission denied/)
  assert.equal(told(error('whatever')), 'cannot write x by SFTP: whatever')
})

test('a server that drops logins is told from one that bans us', () => {
  assert.equal(isTurnedAway(error('Connection lost before handshake'), ''), true)
  assert.equal(isTurnedAway(error('read ECONNRESET'), 'Exceeded MaxStartups\r\n'), true)
  assert.equal(isTurnedAway(error('read ECONNRESET'), 'Not allowed at this time\r\n'), false)
  assert.equal(isTurnedAway(error('Invalid identification string'), ''), false)
})

test('a jump host that is not reached may be one that is not meant', () => {
  const cause = dialError(error('getaddrinfo ENOTFOUND typo', { code: 'ENOTFOUND' }), {
    host: 'typo',
    where: 'typo:22',
  })
  const wrapped = jumpError(cause, { host: 'typo', where: 'typo:22' }, 'node1') as CpnError
  assert.match(wrapped.suggestions[0]!, /jump host typo.*--jump, `jump:`/)
  assert.doesNotMatch(wrapped.suggestions.join(), /address in the inventory/)
})

test("a jump host's failure names it and keeps its advice", () => {
  const cause = new CpnError('CPN_ERR_AUTH_FAILED', 'no', { host: 'bastion', suggestions: ['Do this.'] })
  const wrapped = jumpError(cause, { host: 'bastion', where: '192.0.2.1:22' }, 'node1') as CpnError
  assert.equal(wrapped.code, 'CPN_ERR_JUMP')
  assert.equal(wrapped.host, 'node1')
  assert.match(wrapped.message, /bastion \(192\.0\.2\.1:22\): no \[CPN_ERR_AUTH_FAILED\]/)
  assert.deepEqual(wrapped.suggestions, ['Do this.'])
})
