import type { Duplex } from 'node:stream'
import ssh2, { type Algorithms, type Client, type ServerHostKeyAlgorithm } from 'ssh2'
import type { Prompter } from '../../common/context.ts'
import { CpnError } from '../../common/errors.ts'
import { Authenticator } from './authenticate.ts'
import { deadline } from './deadlines.ts'
import { handshakeError, lostError, type Place, timeoutError } from './errors.ts'
import { gatherWrites } from './gather-writes.ts'
import type { Keyring } from './keyring.ts'
import { reuseReads } from './reused-reads.ts'
import { type PatientPrompter, patientPrompter, Stopwatch } from './stopwatch.ts'
import type { Target } from './target.ts'

export interface HandshakeOptions {
  /** An open connection to the server; destroyed when the handshake fails. */
  socket: Duplex
  target: Target
  place: Place
  /** Judges the server's key before anything of ours is sent: only `true` goes on. Has to be synchronous. */
  verifyHostKey: (key: Buffer) => true | CpnError
  hostKeyAlgorithms: ServerHostKeyAlgorithm[]
  /** Collects the keys to log in with; questions go through the prompter it gets. */
  openKeyring: (prompter: PatientPrompter) => Promise<Keyring>
  prompter: Prompter
  signal: AbortSignal | undefined
}

/** A handshake that failed, with what the server had said until then. */
export class HandshakeFailure extends Error {
  readonly reason: unknown
  readonly heard: string
  readonly sawBanner: boolean

  constructor(reason: unknown, heard: string, sawBanner: boolean) {
    super('the handshake failed', { cause: reason })
    this.reason = reason
    this.heard = heard
    this.sawBanner = sawBanner
  }
}

// chacha20 stands last: slower here, and open to prefix truncation with servers that lack strict key exchange.
const ciphers: Algorithms['cipher'] = [
  'aes128-gcm@openssh.com',
  'aes256-gcm@openssh.com',
  'aes128-ctr',
  'aes192-ctr',
  'aes256-ctr',
  'chacha20-poly1305@openssh.com',
]

/**
 * Key exchange, host key check and login over an open connection. The only caller of ssh2's connect, so that there is
 * no way to a server around the check of its key.
 * @throws HandshakeFailure
 */
export async function handshake(options: HandshakeOptions): Promise<Client> {
  const { socket, place, signal } = options
  gatherWrites(socket)
  const client = new ssh2.Client()
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  // It may fail while the keys are still being read.
  promise.catch(() => undefined)
  const banner = watchBanner(socket, () => watch.enter('kex'))
  const fail = (error: unknown): void => reject(new HandshakeFailure(error, banner.heard(), banner.seen()))
  const watch = new Stopwatch((wait, ms) => fail(timeoutError(wait, ms, place, banner.heard())))
  const onAbort = (): void => fail(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  // ssh2 does not see a connection that ends before it has begun to listen.
  const onClose = (): void => fail(handshakeError(new Error('connection closed before handshake'), watch.wait, place))
  socket.once('close', onClose)
  if (socket.destroyed) onClose()
  try {
    signal?.throwIfAborted()
    const prompter = patientPrompter(options.prompter, watch)
    const keyring = await options.openKeyring(prompter)
    watch.enter('banner')
    const login = new Authenticator({ target: options.target, keyring, prompter, fail })
    start(client, options, login, watch, { resolve, fail })
    await promise
    client.setNoDelay(true)
    return client
  } catch (error) {
    client.on('error', () => undefined)
    client.destroy()
    socket.destroy()
    throw error instanceof HandshakeFailure ? error : new HandshakeFailure(error, banner.heard(), banner.seen())
  } finally {
    watch.stop()
    banner.stop()
    socket.off('close', onClose)
    signal?.removeEventListener('abort', onAbort)
  }
}

interface Outcome {
  resolve: () => void
  fail: (error: unknown) => void
}

function start(
  client: Client,
  options: HandshakeOptions,
  login: Authenticator,
  watch: Stopwatch,
  { resolve, fail }: Outcome,
): void {
  const { target, place, socket } = options
  client.on('handshake', ({ cs, sc }) => {
    // ssh2 decrypts each chunk into memory of its own at once when the cipher is one of these.
    if (sc.cipher.includes('gcm')) reuseReads(socket)
    return isWeak(client, cs.cipher) ? fail(weakError(place)) : watch.enter('auth')
  })
  client.on('ready', resolve)
  client.on('change password', () => fail(expiredError(place)))
  client.on('error', (error) => {
    // A key that cannot sign is no reason to give up: the next one may.
    if (error.level === 'agent') return
    fail(error.level === 'client-authentication' ? login.refusal() : translate(error, watch, place))
  })
  client.on('close', () => fail(translate(new Error('connection lost before handshake'), watch, place)))
  client.connect({
    sock: socket,
    username: target.user,
    readyTimeout: 0,
    // Answers to these are how a dead connection is told from a quiet one; see liveness.ts.
    keepaliveInterval: deadline('keepalive'),
    keepaliveCountMax: Number.MAX_SAFE_INTEGER,
    algorithms: { cipher: ciphers, serverHostKey: options.hostKeyAlgorithms, compress: ['none'] },
    hostVerifier: (key: Buffer): boolean => isAccepted(key, options.verifyHostKey, fail),
    authHandler: login.next as never,
  })
}

/** Fail-closed: ssh2 takes anything but `false` or a throw for consent. */
function isAccepted(key: Buffer, verify: HandshakeOptions['verifyHostKey'], fail: Outcome['fail']): boolean {
  try {
    const verdict = verify(key)
    if (verdict === true) return true
    fail(verdict)
  } catch (error) {
    fail(error)
  }
  return false
}

function translate(error: Error, watch: Stopwatch, place: Place): unknown {
  if (!(error instanceof CpnError)) return handshakeError(error, watch.wait, place)
  return error.host === place.host ? error : lostError(place, error)
}

/** Looks at the first bytes for the line that makes it an SSH server. */
function watchBanner(socket: Duplex, onBanner: () => void): { heard(): string; seen(): boolean; stop(): void } {
  let text = ''
  let isSeen = false
  const onData = (chunk: Buffer): void => {
    text += chunk.toString('latin1', 0, 1024)
    isSeen = /^SSH-[^\n]*\n/m.test(text)
    if (!isSeen && text.length < 65_536) return
    socket.off('data', onData)
    onBanner()
  }
  // ssh2 sets the flow going once it is ready; a first listener must not do so.
  socket.pause()
  socket.on('data', onData)
  return { heard: () => (isSeen ? '' : text), seen: () => isSeen, stop: () => socket.off('data', onData) }
}

/** Prefix truncation (CVE-2023-48795) is possible with chacha20 unless both sides speak strict key exchange. */
function isWeak(client: Client, cipher: string): boolean {
  const { _protocol: protocol } = client as unknown as { _protocol?: { _strictMode?: boolean } }
  return cipher.startsWith('chacha20') && protocol?._strictMode !== true
}

function weakError({ host, where }: Place): CpnError {
  return new CpnError('CPN_ERR_KEX_FAILED', `${where} offers only chacha20-poly1305 without strict key exchange`, {
    host,
    suggestions: ['Update the OpenSSH server on the host, or allow aes128-gcm@openssh.com in its Ciphers.'],
  })
}

function expiredError({ host, where }: Place): CpnError {
  return new CpnError('CPN_ERR_AUTH_FAILED', `${where}: the password has expired`, {
    host,
    suggestions: ['Log in with ssh once and set a new password.'],
  })
}
