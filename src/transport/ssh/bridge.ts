import { once } from 'node:events'
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2'
import type { Duplex } from 'node:stream'
import { finished } from 'node:stream/promises'
import { withDeadline } from '../../common/deadline.ts'
import { CpnError } from '../../common/errors.ts'
import { bridgeAuthority, bridgeErrorHeader, bridgeSettings, bridgeWindowBytes } from '../../protocol/bridge.ts'
import { encodeLockedRequest } from '../../protocol/locked-login.ts'
import { agentUnreachable } from '../agent-unreachable.ts'
import { withMarkers } from '../lifeline.ts'
import type { SshConnection } from './connection.ts'
import { deadline } from './deadlines.ts'
import { type Place, timeoutError } from './errors.ts'
import { type Session, startSession } from './session.ts'

/** The master's end of the bridge: connections to the agent as HTTP/2 streams over one exec channel. */
export class Bridge {
  /** Called when the last of its connections has ended. */
  onIdle: () => void = () => undefined
  readonly #place: Place
  readonly #http2: ClientHttp2Session
  readonly #session: Session
  #open = 0

  private constructor(place: Place, http2: ClientHttp2Session, session: Session) {
    this.#place = place
    this.#http2 = http2
    this.#session = session
  }

  /**
   * Runs `command` on the host, which has to speak HTTP/2 as a server on its stdio.
   * @param locked the login's key is locked, and `command` is words for the program that it is locked to
   */
  static async start(connection: SshConnection, command: string, locked: boolean): Promise<Bridge> {
    const encode = locked ? encodeLockedRequest : (nonce: string, script: string) => withMarkers(script, nonce)
    const session = await startSession(connection, (nonce) => encode(nonce, command), { locked })
    const http2 = connect('http://agent', { createConnection: () => session.stdio, ...bridgeSettings })
    http2.on('error', () => undefined)
    try {
      await ready(http2, session, connection.place)
    } catch (error) {
      http2.destroy()
      session.stdio.destroy()
      throw error
    }
    return new Bridge(connection.place, http2, session)
  }

  get isAlive(): boolean {
    return !this.#http2.destroyed && !this.#http2.closed
  }

  get isIdle(): boolean {
    return this.#open === 0
  }

  /** One connection to the agent. */
  async connect(signal?: AbortSignal): Promise<Duplex> {
    const ms = deadline('channel')
    const stream = this.#http2.request({ ':method': 'CONNECT', ':authority': bridgeAuthority }, { endStream: false })
    this.#open++
    stream.once('close', () => {
      this.#open--
      if (this.isIdle) this.onIdle()
    })
    const late = (): Error => timeoutError('channel', ms, this.#place)
    try {
      await withDeadline(ms, late, () => accepted(stream, this.#place), signal)
    } catch (error) {
      stream.on('error', () => undefined)
      stream.close(constants.NGHTTP2_CANCEL)
      // A bridge that takes nothing any more never lets the stream close.
      const patience = AbortSignal.timeout(deadline('close'))
      if (!stream.destroyed) await once(stream, 'close', { signal: patience }).catch(() => stream.destroy())
      throw error
    }
    return asSocket(stream)
  }

  /** Ends the bridge and its command. */
  async close(): Promise<void> {
    this.#http2.destroy()
    this.#session.stdio.destroy()
    await this.#session.exited.catch(() => undefined)
  }
}

async function ready(http2: ClientHttp2Session, session: Session, place: Place): Promise<void> {
  const ms = deadline('bridge')
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let said = ''
  session.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = `${said}${text}`.slice(-2000)
  })
  http2.once('remoteSettings', () => {
    http2.setLocalWindowSize(bridgeWindowBytes)
    resolve()
  })
  const ended = (): void => reject(notStarted(place, said))
  // What the command said last may come after its stdout has ended, or lie unread when its end is known.
  const heard = finished(session.stderr, { writable: false }).catch(() => undefined)
  http2.once('close', () => setTimeout(ended, deadline('close')).unref())
  session.exited.then(() => heard).then(ended, reject)
  await withDeadline(
    ms,
    () => timeoutError('bridge', ms, place, said),
    () => promise,
  )
}

function notStarted({ host, where }: Place, said: string): CpnError {
  const why = said.trim() === '' ? 'it said nothing' : said.trim()
  return new CpnError('CPN_ERR_FORWARDING_REFUSED', `${where} forbids forwarding, and the bridge ended: ${why}`, {
    host,
    suggestions: ['Allow AllowStreamLocalForwarding in sshd_config on the host, or provision it again.'],
  })
}

function accepted(stream: ClientHttp2Stream, { host }: Place): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  stream.once('response', (headers) => {
    if (headers[':status'] === 200) return resolve()
    reject(agentUnreachable(host, `its socket answered ${headers[bridgeErrorHeader] ?? headers[':status']}`))
  })
  stream.once('error', reject)
  stream.once('close', () => reject(agentUnreachable(host, 'the bridge closed the connection')))
  return promise
}

/** With the methods that HTTP clients call on sockets. */
function asSocket(stream: ClientHttp2Stream): Duplex {
  const self = (): Duplex => stream
  return Object.assign(stream, {
    setNoDelay: self,
    setKeepAlive: self,
    setTimeout: self,
    ref: self,
    unref: self,
  }) as Duplex
}
